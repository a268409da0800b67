#include "agent/database/fingerprint.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

constexpr char kHeading[] = "slipway-fingerprint 1 ";
constexpr std::size_t kNamed = 5;              // differences in one line
constexpr std::size_t kDefinitionShown = 120;  // bytes

absl::string_view Absl(std::string_view text) {
  return {text.data(), text.size()};
}

bool IsDigest(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-';
  });
}

absl::Status ReadLine(absl::string_view line, Fingerprint& into) {
  const std::vector<absl::string_view> parts = absl::StrSplit(line, '\t');
  if (parts.size() == 4 && parts[0] == "O" && !parts[1].empty() &&
      parts[1].find(' ') == absl::string_view::npos) {
    const bool fresh =
        into.objects.emplace(absl::StrCat(parts[1], " ", parts[2]), std::string(parts[3])).second;
    if (fresh) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(parts[1], " ", parts[2], " is there twice"));
  }
  TableContent content;
  if (parts.size() == 4 && parts[0] == "T" && absl::SimpleAtoi(parts[2], &content.rows) &&
      IsDigest(parts[3])) {
    content.digest = std::string(parts[3]);
    if (into.tables.emplace(std::string(parts[1]), content).second) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("table ", parts[1], " is there twice"));
  }
  return absl::InvalidArgumentError(absl::StrCat("the line \"", line.substr(0, kDefinitionShown),
                                                 "\" of a fingerprint has no meaning"));
}

std::string Rows(std::uint64_t count) {
  return absl::StrCat(count, count == 1 ? " row" : " rows");
}

std::string Shown(const std::string& definition) {
  if (definition.size() <= kDefinitionShown) return absl::StrCat("`", definition, "`");
  return absl::StrCat("`", definition.substr(0, kDefinitionShown), "…`");
}

}  // namespace

std::string Fingerprint::ToText() const {
  std::string text = absl::StrCat(kHeading, kind, "\n");
  for (const auto& [name, definition] : objects) {
    const std::size_t space = name.find(' ');
    absl::StrAppend(&text, "O\t", name.substr(0, space), "\t", name.substr(space + 1), "\t",
                    definition, "\n");
  }
  for (const auto& [name, content] : tables) {
    absl::StrAppend(&text, "T\t", name, "\t", content.rows, "\t", content.digest, "\n");
  }
  return text;
}

std::uint64_t Fingerprint::rows() const {
  std::uint64_t all = 0;
  for (const auto& [name, content] : tables) all += content.rows;
  return all;
}

absl::StatusOr<Fingerprint> ParseFingerprintLines(std::string_view kind, std::string_view lines) {
  Fingerprint fingerprint{.kind = std::string(kind)};
  for (const absl::string_view line : absl::StrSplit(Absl(lines), '\n', absl::SkipEmpty())) {
    SLIPWAY_RETURN_IF_ERROR(ReadLine(line, fingerprint));
  }
  return fingerprint;
}

absl::StatusOr<Fingerprint> ParseFingerprint(std::string_view text) {
  const std::size_t end = text.find('\n');
  const std::string_view first = text.substr(0, end);
  const std::string_view wanted = kHeading;
  if (end == std::string_view::npos || !first.starts_with(wanted) ||
      first.size() == wanted.size()) {
    return absl::InvalidArgumentError("this is no fingerprint of format 1");
  }
  return ParseFingerprintLines(first.substr(wanted.size()), text.substr(end + 1));
}

std::vector<std::string> Differences(const Fingerprint& before, const Fingerprint& now) {
  std::vector<std::string> differences;
  if (before.kind != now.kind) {
    differences.push_back(absl::StrCat("kind ", now.kind, " instead of ", before.kind));
  }
  for (const auto& [name, definition] : before.objects) {
    const auto found = now.objects.find(name);
    if (found == now.objects.end()) {
      differences.push_back(name + " is missing");
    } else if (found->second != definition) {
      differences.push_back(
          absl::StrCat(name, " is ", Shown(found->second), " instead of ", Shown(definition)));
    }
  }
  for (const auto& [name, definition] : now.objects) {
    if (!before.objects.contains(name)) differences.push_back(name + " was not there");
  }
  for (const auto& [name, content] : before.tables) {
    const auto found = now.tables.find(name);
    if (found == now.tables.end()) {
      differences.push_back(
          absl::StrCat("the ", Rows(content.rows), " of table ", name, " are missing"));
    } else if (found->second.rows != content.rows) {
      differences.push_back(absl::StrCat("table ", name, " has ", Rows(found->second.rows),
                                         " instead of ", content.rows));
    } else if (found->second.digest != content.digest) {
      differences.push_back(absl::StrCat("table ", name, " has ", Rows(content.rows),
                                         " as before, with other content"));
    }
  }
  for (const auto& [name, content] : now.tables) {
    if (!before.tables.contains(name)) {
      differences.push_back(
          absl::StrCat("the ", Rows(content.rows), " of table ", name, " were not there"));
    }
  }
  return differences;
}

std::string Describe(const std::vector<std::string>& differences) {
  const std::size_t named = std::min(kNamed, differences.size());
  std::string text = absl::StrJoin(differences.begin(), differences.begin() + named, "; ");
  if (named < differences.size()) {
    absl::StrAppend(&text, "; and ", differences.size() - named, " more");
  }
  return text;
}

}  // namespace slipway::agent
