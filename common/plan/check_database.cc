// `database:`, and the steps that are about one of its entries.
#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/nearest_name.h"
#include "common/plan/check_parts.h"
#include "common/plan/plan_step.h"
#include "slipway/v1/plan.pb.h"

namespace slipway::plan {
namespace {

constexpr char kSecret[] = "secret:";

template <typename Named>
void CheckKnown(Check& check, const Named& known, const std::string& name, const std::string& path,
                const ErrorCode& code, absl::string_view what, absl::string_view section) {
  if (known.contains(name)) return;
  std::vector<std::string> names;
  for (const auto& [one, unused] : known) names.push_back(one);
  std::sort(names.begin(), names.end());
  const std::string near = NearestName(name, names);
  check.AtValue(path, code,
                {absl::StrCat("unknown ", what, " `", name, "`"),
                 near.empty() ? absl::StrCat("not in `", section, "`")
                              : absl::StrCat("did you mean `", near, "`?")});
}

// An URL holds a password: it is never quoted, and its line is not shown.
void CheckUrl(Check& check, const v1::PlanDatabase& database, const std::string& path) {
  absl::string_view name = database.url();
  if (name.empty()) return;  // refused by the binder
  if (absl::ConsumePrefix(&name, kSecret)) {
    if (IsName(std::string(name))) return;
    check.AtValue(path, kBadValue,
                  {absl::StrCat("`", database.url(), "` does not name a secret"),
                   "letters, digits and _.-", "write it like `secret:MEDIA_DATABASE_URL`"});
    return;
  }
  const bool sqlite = database.kind() == v1::DatabaseTarget::SQLITE;
  if (sqlite && (name[0] == '/' || name.substr(0, 2) == "{{")) return;
  Problem problem = check.source.At(
      check.source.Value(path), kBadValue,
      {sqlite ? "the `url` of a database of SQLite is a path or a secret"
              : "the `url` of a database is a secret",
       "", "write `secret:NAME`, and the URL into /etc/slipway/secrets/NAME on its host"});
  problem.source_line.clear();
  check.problems.push_back(std::move(problem));
}

void CheckInvariants(Check& check, const std::string& text, const std::string& path) {
  if (text.empty()) return;
  const std::size_t star = text.find('*');
  const bool good = text.ends_with(".sql") && text[0] != '/' &&
                    absl::StrCat("/", text).find("/../") == std::string::npos &&
                    (star == std::string::npos || (star > 0 && text.substr(star - 1) == "/*.sql"));
  if (good) return;
  check.AtValue(path, kBadValue,
                {absl::StrCat("`", text, "` does not name SQL files of the release"),
                 "write it like `db/invariants/*.sql`"});
}

void CheckOne(Check& check, const std::string& name, const v1::PlanDatabase& database) {
  const std::string path = absl::StrCat("database.", name);
  if (!IsName(name)) {
    check.AtKey(path, kBadName,
                {absl::StrCat("`", name, "` cannot be a name"), "letters, digits and _.-"});
  }
  CheckUrl(check, database, path + ".url");
  for (int i = 0; i < database.used_by_size(); ++i) {
    CheckKnown(check, check.plan.groups(), database.used_by(i),
               absl::StrCat(path, ".used_by[", i, "]"), kUnknownGroup, "group", "groups");
  }
  const std::string& folder = database.migrations();
  if (!folder.empty() && (folder[0] == '/' || folder.ends_with("/") ||
                          absl::StrCat("/", folder, "/").find("/../") != std::string::npos)) {
    check.AtValue(path + ".migrations", kBadValue,
                  {absl::StrCat("`", folder, "` is not a folder in the release"),
                   "write it like `db/migrations`"});
  }
  CheckInvariants(check, database.invariants(), path + ".invariants");
  for (int i = 0; i < database.fingerprint().ignore_size(); ++i) {
    const std::string& column = database.fingerprint().ignore(i);
    const std::size_t dot = column.find('.');
    if (dot != std::string::npos && dot > 0 && dot + 1 < column.size()) continue;
    check.AtValue(absl::StrCat(path, ".fingerprint.ignore[", i, "]"), kBadValue,
                  {absl::StrCat("`", column, "` is not a column"), "write it like `table.column`"});
  }
}

void CheckMigrate(Check& check, const v1::Migrate& migrate, bool batched, const std::string& path) {
  const auto found = check.plan.database().find(migrate.database());
  if (found == check.plan.database().end()) return;
  if (found->second.migrations().empty()) {
    check.AtKey(
        path, kBadValue,
        {absl::StrCat("database `", migrate.database(), "` has no `migrations`"),
         "what is to be applied?",
         "name the folder of the release in `database:`, like `migrations: db/migrations`"});
  }
  // A value of `quiet` that is refused reads as none; the planner looks again.
  if (migrate.rehearse() == v1::Migrate::INPLACE && !check.source.Has(path + ".quiet")) {
    check.AtValue(path + ".rehearse", kBadValue,
                  {"a rehearsal on the database itself needs `quiet`",
                   "others write to it meanwhile", "add `quiet: stop`, or rehearse on a copy"});
  }
  if (migrate.quiet() == v1::Migrate::STOP && batched) {
    check.AtValue(
        path + ".quiet", kBadValue,
        {"`quiet: stop` in a batched phase", "all who use the database are stopped at once",
         "migrate in a stepwise phase, before the batches"});
  }
  if (migrate.quiet() == v1::Migrate::STOP && found->second.used_by().empty()) {
    check.AtValue(path + ".quiet", kBadValue,
                  {absl::StrCat("nothing says who uses database `", migrate.database(), "`"),
                   "whom to stop?", "add `used_by: [GROUP]` to it in `database:`"});
  }
}

}  // namespace

void CheckDatabases(Check& check) {
  for (const auto& [name, database] : check.plan.database()) CheckOne(check, name, database);
  std::map<std::string, Span> migrated;
  for (int p = 0; p < check.plan.phases_size(); ++p) {
    const v1::PlanPhase& phase = check.plan.phases(p);
    for (int s = 0; s < phase.steps_size(); ++s) {
      const v1::Action& action = phase.steps(s).action();
      if (!action.has_backup() && !action.has_migrate()) continue;
      const std::string path = absl::StrCat("phases[", p, "].steps[", s, "].", ActionKey(action));
      const std::string& name =
          action.has_backup() ? action.backup().database() : action.migrate().database();
      if (name.empty()) continue;  // refused by the binder
      CheckKnown(check, check.plan.database(), name, path + ".database", kUnknownDatabase,
                 "database", "database");
      if (!action.has_migrate()) continue;
      CheckMigrate(check, action.migrate(), !phase.hosts().empty(), path);
      const auto [first, fresh] =
          migrated.try_emplace(name, check.source.Value(path + ".database"));
      if (fresh) continue;
      check.AtValue(path + ".database", kDuplicateName,
                    {absl::StrCat("database `", name, "` is migrated twice"),
                     absl::StrCat("the first time in line ", first->second.line)});
    }
  }
}

}  // namespace slipway::plan
