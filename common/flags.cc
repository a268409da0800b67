#include "common/flags.h"

#include "absl/strings/str_cat.h"

namespace slipway {

std::string CommandLine::Get(const std::string& flag, std::string otherwise) const {
  const auto it = flags.find(flag);
  return it == flags.end() || it->second.empty() ? otherwise : it->second.back();
}

std::vector<std::string> CommandLine::All(const std::string& flag) const {
  const auto it = flags.find(flag);
  return it == flags.end() ? std::vector<std::string>() : it->second;
}

absl::StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& arguments,
                                             const std::set<std::string>& with_value,
                                             const std::set<std::string>& bare) {
  CommandLine line;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument.substr(0, 2) != "--") {
      line.words.push_back(argument);
      continue;
    }
    const auto equals = argument.find('=');
    const std::string name = argument.substr(2, equals == std::string::npos ? equals : equals - 2);
    if (bare.count(name) != 0 && equals == std::string::npos) {
      line.flags[name];
      continue;
    }
    if (with_value.count(name) == 0) {
      return absl::InvalidArgumentError(absl::StrCat("unknown flag --", name));
    }
    auto& values = line.flags[name];
    if (equals != std::string::npos) {
      values.push_back(argument.substr(equals + 1));
      continue;
    }
    const std::size_t before = values.size();
    while (i + 1 < arguments.size() && arguments[i + 1].substr(0, 2) != "--") {
      values.push_back(arguments[++i]);
    }
    if (values.size() == before) {
      return absl::InvalidArgumentError(absl::StrCat("flag --", name, " needs a value"));
    }
  }
  return line;
}

}  // namespace slipway
