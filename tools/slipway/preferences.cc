#include "tools/slipway/preferences.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/nearest_name.h"
#include "common/settings.h"
#include "common/status_macros.h"
#include "common/tls/client_config.h"
#include "common/tls/pem_file.h"
#include "tools/slipway/term/escape.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;

constexpr char kProjectFile[] = ".slipway/config.yaml";
constexpr std::size_t kNameBytesMax = 64;

std::string Environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? "" : value;
}

// The words that a preference takes; none: any.
std::vector<std::string> WordsOf(const std::string& name) {
  if (name == "output") return {"text", "json"};
  if (name == "color") return {"auto", "always", "never"};
  return {};
}

absl::Status Check(const std::string& name, const std::string& value, const std::string& origin) {
  const std::vector<std::string> words = WordsOf(name);
  if (words.empty() || std::find(words.begin(), words.end(), value) != words.end()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(origin, ": ", name, " is one of ",
                                                 absl::StrJoin(words, ", "), ", not `",
                                                 Escape(value, true), "`"));
}

// Empty where there is no such file.
absl::StatusOr<Settings> Read(const std::string& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return Settings();
  SLIPWAY_ASSIGN_OR_RETURN(const std::string text, tls::ReadFile(path));
  return ParseSettings(path, text, {PreferenceNames().begin(), PreferenceNames().end()});
}

absl::Status CheckContextName(const std::string& name) {
  const bool sound = !name.empty() && name.size() <= kNameBytesMax && name[0] != '.' &&
                     std::all_of(name.begin(), name.end(), [](unsigned char c) {
                       return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
                     });
  if (sound) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("`", Escape(name, true),
                                                 "` is no name of a context: 1 to ", kNameBytesMax,
                                                 " letters, digits and \"._-\""));
}

std::string PathOf(const std::string& context) {
  return absl::StrCat(UserFolder(), "/contexts/", context, ".conf");
}

absl::Status MakeFolder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  return error ? absl::InternalError(absl::StrCat("cannot make ", path, ": ", error.message()))
               : absl::OkStatus();
}

}  // namespace

const std::vector<std::string>& PreferenceNames() {
  static const std::vector<std::string> names = {"color", "context", "output"};
  return names;
}

std::string UserFolder() {
  const std::string home = Environment("XDG_CONFIG_HOME");
  return absl::StrCat(home.empty() ? absl::StrCat(Environment("HOME"), "/.config") : home,
                      "/slipway");
}

std::string UserFile() {
  return absl::StrCat(UserFolder(), "/config.yaml");
}

absl::Status AddPreferences(Invocation& invocation) {
  const std::string user_file = UserFile();
  SLIPWAY_ASSIGN_OR_RETURN(const Settings project, Read(kProjectFile));
  SLIPWAY_ASSIGN_OR_RETURN(const Settings user, Read(user_file));
  for (const std::string& name : PreferenceNames()) {
    const std::string variable = absl::StrCat("SLIPWAY_", absl::AsciiStrToUpper(name));
    const auto in = [&](const Settings& settings) {
      const auto it = settings.find(name);
      return it == settings.end() ? std::string() : it->second;
    };
    for (const auto& [value, origin] : {std::pair{invocation.Value(name), "--" + name},
                                        {Environment(variable), variable},
                                        {in(project), std::string(kProjectFile)},
                                        {in(user), user_file}}) {
      if (value.empty()) continue;
      SLIPWAY_RETURN_IF_ERROR(Check(name, value, origin));
      invocation.SetDefault(name, {value, origin});
      break;
    }
  }
  return absl::OkStatus();
}

absl::Status SetPreference(const std::string& name, const std::string& value) {
  const std::string path = UserFile();
  SLIPWAY_ASSIGN_OR_RETURN(Settings settings, Read(path));
  if (value.empty()) {
    settings.erase(name);
  } else {
    SLIPWAY_RETURN_IF_ERROR(Check(name, value, name));
    settings[name] = value;
  }
  SLIPWAY_RETURN_IF_ERROR(MakeFolder(UserFolder()));
  return tls::WriteFile(path, FormatSettings("preferences of slipway", settings), tls::kPrivate);
}

absl::StatusOr<std::string> ContextFile(const std::string& name) {
  SLIPWAY_RETURN_IF_ERROR(CheckContextName(name));
  std::error_code error;
  if (std::string path = PathOf(name); fs::exists(path, error)) return path;
  const std::string near = NearestName(name, ContextNames());
  return absl::NotFoundError(absl::StrCat(
      "there is no context ", name, near.empty() ? "" : absl::StrCat("; did you mean ", near, "?"),
      "; `slipway context list` shows all"));
}

std::vector<std::string> ContextNames() {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(absl::StrCat(UserFolder(), "/contexts"), error), end;
       !error && it != end; it.increment(error)) {
    const fs::path& path = it->path();
    if (path.extension() == ".conf" && CheckContextName(path.stem().string()).ok()) {
      names.push_back(path.stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status AddContext(const std::string& name, const std::string& file) {
  SLIPWAY_RETURN_IF_ERROR(CheckContextName(name));
  if (ContextFile(name).ok()) {
    return absl::AlreadyExistsError(absl::StrCat(
        "there is a context ", name, " already; remove it first: slipway context remove ", name));
  }
  SLIPWAY_ASSIGN_OR_RETURN(tls::ClientConfig config, tls::ReadClientConfig(file));
  for (std::string* path : {&config.ca, &config.certificate, &config.key}) {
    *path = fs::absolute(*path).lexically_normal().string();
  }
  SLIPWAY_RETURN_IF_ERROR(tls::LoadKeyMaterial(config).status());
  SLIPWAY_RETURN_IF_ERROR(MakeFolder(absl::StrCat(UserFolder(), "/contexts")));
  return tls::WriteClientConfig(PathOf(name), config);
}

absl::Status RemoveContext(const std::string& name) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string path, ContextFile(name));
  std::error_code error;
  if (fs::remove(path, error)) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("cannot remove ", path, ": ", error.message()));
}

}  // namespace slipway::cli
