#include "agent/database/script.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/fs/directory.h"
#include "common/status_macros.h"

namespace slipway::agent {

absl::StatusOr<std::string> WriteScript(const Parts& parts, const std::string& name,
                                        std::string_view text) {
  SLIPWAY_ASSIGN_OR_RETURN(const Directory folder, Directory::Open(parts.folder()));
  SLIPWAY_RETURN_IF_ERROR(folder.WriteAtomically(name, text, {.mode = 0600}));
  return absl::StrCat(parts.folder(), "/", name);
}

absl::StatusOr<std::string> ReadAnswer(const Parts& parts, const std::string& name) {
  SLIPWAY_ASSIGN_OR_RETURN(const Directory folder, Directory::Open(parts.folder()));
  return folder.Read(name, kAnswerMax);
}

absl::StatusOr<std::vector<AppliedMigration>> ReadApplied(std::string_view lines) {
  std::vector<AppliedMigration> applied;
  for (const absl::string_view line :
       absl::StrSplit(absl::string_view(lines.data(), lines.size()), '\n', absl::SkipEmpty())) {
    const std::vector<std::string> parts = absl::StrSplit(line, '\t');
    AppliedMigration one;
    if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &one.number)) {
      return absl::InternalError(
          absl::StrCat("the row \"", line, "\" of slipway_schema has no meaning"));
    }
    one.name = parts[1];
    one.digest = parts[2];
    applied.push_back(std::move(one));
  }
  return applied;
}

}  // namespace slipway::agent
