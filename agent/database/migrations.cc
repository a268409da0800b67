#include "agent/database/migrations.h"

#include <array>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/artifact/digest.h"
#include "common/fs/directory.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

constexpr std::uint64_t kFileMax = 64 << 20;  // bytes of one migration
constexpr std::size_t kDigits = 4;            // of a number, at least

absl::Status Bad(const std::string& folder, absl::string_view file, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("migration ", folder, "/", file, " ", what));
}

bool IsWord(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_';
}

// Walks over SQL of either engine, from word to word; strings, comments and $bodies$ are skipped.
class Walk {
 public:
  explicit Walk(std::string_view sql) : sql_(sql) {}

  // In upper case; ";" too; "" at the end.
  std::string Next() {
    while (at_ < sql_.size()) {
      const std::string_view rest = sql_.substr(at_);
      const char c = rest[0];
      if (rest.starts_with("--")) {
        SkipBeyond("\n", 2);
      } else if (rest.starts_with("/*")) {
        SkipBeyond("*/", 2);
      } else if (c == '\'' || c == '"' || c == '`') {
        SkipBeyond(std::string(1, c), 1);
      } else if (c == '$') {
        SkipDollar();
      } else if (c == ';') {
        ++at_;
        return ";";
      } else if (IsWord(c)) {
        const std::size_t begin = at_;
        while (at_ < sql_.size() && (IsWord(sql_[at_]) || sql_[at_] == '$')) ++at_;
        return absl::AsciiStrToUpper(std::string(sql_.substr(begin, at_ - begin)));
      } else {
        ++at_;
      }
    }
    return "";
  }

 private:
  void SkipBeyond(std::string_view end, std::size_t from) {
    const std::size_t found = sql_.find(end, at_ + from);
    at_ = found == std::string_view::npos ? sql_.size() : found + end.size();
  }
  void SkipDollar() {
    std::size_t end = at_ + 1;
    while (end < sql_.size() && IsWord(sql_[end])) ++end;
    if (end >= sql_.size() || sql_[end] != '$') {
      ++at_;
      return;
    }
    const std::string_view tag = sql_.substr(at_, end + 1 - at_);
    SkipBeyond(tag, tag.size());
  }

  const std::string_view sql_;
  std::size_t at_ = 0;
};

struct Files {
  std::string name;  // "0003_media_by_owner"
  std::map<std::string, std::string> by_way;
};

// "0003_media_by_owner.up.sql" -> its place in `files`.
absl::Status Sort(const std::string& folder, const std::string& file, std::map<int, Files>& files) {
  absl::string_view stem = file;
  absl::ConsumeSuffix(&stem, ".sql");
  const std::size_t dot = stem.rfind('.');
  const std::string way(dot == absl::string_view::npos ? "" : stem.substr(dot + 1));
  const absl::string_view name = stem.substr(0, dot);
  const std::size_t digits = name.find('_');
  int number = 0;
  if ((way != "up" && way != "down" && way != "verify") || digits == absl::string_view::npos ||
      digits < kDigits || digits + 1 == name.size() ||
      !absl::SimpleAtoi(name.substr(0, digits), &number) || number < 1 || name[0] == '-' ||
      name[0] == '+') {
    return Bad(folder, file, "is not called NNNN_name.up.sql, .down.sql or .verify.sql");
  }
  Files& found = files[number];
  if (!found.name.empty() && found.name != name) {
    return Bad(folder, file, absl::StrCat("has the number of ", found.name));
  }
  found.name = std::string(name);
  found.by_way[way] = absl::StrCat(folder, "/", file);
  return absl::OkStatus();
}

absl::StatusOr<Migration> Checked(const Directory& folder, int number, const Files& files) {
  Migration migration{.number = number, .name = files.name};
  const std::array<std::pair<const char*, std::string*>, 3> ways = {
      {{"up", &migration.up}, {"down", &migration.down}, {"verify", &migration.verify}}};
  for (const auto& [way, path] : ways) {
    const std::string file = absl::StrCat(files.name, ".", way, ".sql");
    if (!files.by_way.contains(way)) return Bad(folder.path(), file, "is missing");
    *path = files.by_way.at(way);
    SLIPWAY_ASSIGN_OR_RETURN(const std::string sql, folder.Read(file, kFileMax));
    if (const std::string word = TransactionWord(sql); !word.empty()) {
      return Bad(folder.path(), file,
                 absl::StrCat("says ", word, "; it runs in a transaction, which it may not end"));
    }
    if (path == &migration.up) migration.digest = Digest::Of(sql).ToString();
  }
  return migration;
}

}  // namespace

std::string TransactionWord(std::string_view sql) {
  Walk walk(sql);
  std::string first;  // word of this statement
  int depth = 0;      // of bodies: BEGIN … END of a trigger, CASE … END
  for (std::string word = walk.Next(); !word.empty(); word = walk.Next()) {
    if (word == ";") {
      if (depth == 0) first.clear();
      continue;
    }
    if (first.empty()) {
      first = word;
      if (word == "ROLLBACK") {
        const std::string next = walk.Next();
        if (next == "TO") continue;
        return word;
      }
      for (const char* ends : {"BEGIN", "START", "COMMIT", "END", "ABORT"}) {
        if (word == ends) return word;
      }
    }
    if (first == "CREATE" && (word == "BEGIN" || word == "CASE")) ++depth;
    if (first == "CREATE" && word == "END" && depth > 0) --depth;
  }
  return "";
}

absl::StatusOr<std::vector<Migration>> ReadMigrations(const std::string& folder) {
  SLIPWAY_ASSIGN_OR_RETURN(const Directory directory, Directory::Open(folder));
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<std::string> names, directory.List());
  std::map<int, Files> files;
  for (const std::string& name : names) {
    if (absl::EndsWith(name, ".sql")) SLIPWAY_RETURN_IF_ERROR(Sort(folder, name, files));
  }
  std::vector<Migration> migrations;
  for (const auto& [number, found] : files) {
    const int expected = static_cast<int>(migrations.size()) + 1;
    if (number != expected) {
      return Bad(folder, found.name, absl::StrCat("follows a gap: there is no number ", expected));
    }
    SLIPWAY_ASSIGN_OR_RETURN(migrations.emplace_back(), Checked(directory, number, found));
  }
  return migrations;
}

absl::StatusOr<std::vector<Migration>> Pending(const std::vector<Migration>& migrations,
                                               const std::vector<AppliedMigration>& applied) {
  for (std::size_t i = 0; i < applied.size(); ++i) {
    const AppliedMigration& one = applied[i];
    if (one.number != static_cast<int>(i) + 1) {
      return absl::FailedPreconditionError(absl::StrCat("slipway_schema says that ", one.name,
                                                        " is applied, but not number ", i + 1));
    }
    if (i >= migrations.size()) {
      return absl::FailedPreconditionError(absl::StrCat("the database has ", one.name,
                                                        ", and the release knows migrations up to ",
                                                        migrations.size(), " only"));
    }
    if (one.digest != migrations[i].digest || one.name != migrations[i].name) {
      return absl::FailedPreconditionError(
          absl::StrCat("migration ", migrations[i].name, " was applied as ", one.name,
                       one.digest == migrations[i].digest ? "" : " with another content",
                       "; what was applied is not changed: add a new migration instead"));
    }
  }
  return std::vector<Migration>(migrations.begin() + static_cast<std::ptrdiff_t>(applied.size()),
                                migrations.end());
}

}  // namespace slipway::agent
