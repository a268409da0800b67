#include "agent/actions/database_step.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "agent/actions/binding.h"
#include "agent/actions/hook_order.h"
#include "agent/database/postgres_url.h"
#include "agent/health/host_room.h"
#include "common/fs/directory.h"
#include "common/status_macros.h"
#include "common/template.h"
#include "common/wire/proto_time.h"
#include "slipway/v1/action.pb.h"

namespace slipway::agent {
namespace {

constexpr char kSecret[] = "secret:";

// "ro-M4TZ7K/f2.3/db-1/1" as the name of a file.
std::string FileName(const CommandId& id) {
  return absl::StrReplaceAll(ToString(id), {{"/", "_"}});
}

// A name of the plan, which becomes part of a path.
absl::Status CheckName(absl::string_view what, absl::string_view name) {
  const bool plain =
      !name.empty() && name[0] != '.' && std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return absl::ascii_isalnum(c) || c == '_' || c == '-' || c == '.';
      });
  if (plain) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("\"", name, "\" cannot be the name of a ", what));
}

// What the plan says, or what the secret that it names holds.
absl::StatusOr<std::string> UrlOf(const ActionContext& ctx, const v1::DatabaseTarget& target) {
  absl::string_view name = target.url();
  if (!absl::ConsumePrefix(&name, kSecret)) return Render(target.url(), ctx.vars);
  SLIPWAY_RETURN_IF_ERROR(CheckName("secret", name));
  return ReadSecret(absl::StrCat(ctx.databases.secrets, "/", name));
}

DatabaseLimits LimitsOf(const v1::DatabaseTarget& target) {
  DatabaseLimits limits;
  if (target.has_lock_timeout()) limits.lock = FromProto(target.lock_timeout());
  if (target.has_statement_timeout()) limits.statement = FromProto(target.statement_timeout());
  return limits;
}

absl::Status OpenPostgres(const ActionContext& ctx, const v1::DatabaseTarget& target,
                          const std::string& url, DatabaseStep& step) {
  SLIPWAY_ASSIGN_OR_RETURN(const PostgresAddress address, ReadPostgresUrl(url));
  SLIPWAY_ASSIGN_OR_RETURN(
      step.secret,
      TmpfsFile::Write(ctx.databases.memory, absl::StrCat(ctx.id.rollout.text, "_", target.name()),
                       address.service));
  step.database = MakePostgresDatabase({.service_file = step.secret->path(),
                                        .database = address.database,
                                        .ignore = {target.ignore().begin(), target.ignore().end()},
                                        .limits = LimitsOf(target)});
  return absl::OkStatus();
}

absl::Status OpenSqlite(const v1::DatabaseTarget& target, const std::string& path,
                        DatabaseStep& step) {
  if (path.empty() || path[0] != '/') {
    return absl::InvalidArgumentError(
        absl::StrCat("the file of database ", target.name(), " needs an absolute path"));
  }
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    return absl::NotFoundError(absl::StrCat("database ", target.name(), " is not at ", path));
  }
  step.database = MakeSqliteDatabase({.path = path,
                                      .ignore = {target.ignore().begin(), target.ignore().end()},
                                      .limits = LimitsOf(target)});
  return absl::OkStatus();
}

}  // namespace

std::string RolloutFolder(const ActionContext& ctx) {
  return absl::StrCat(ctx.databases.folder, "/rollouts/", ctx.id.rollout.text);
}

absl::StatusOr<DatabaseStep> OpenDatabaseStep(ActionContext& ctx, const v1::DatabaseTarget& target,
                                              NewParts fresh) {
  SLIPWAY_RETURN_IF_ERROR(CheckName("database", target.name()));
  DatabaseStep step;
  SLIPWAY_ASSIGN_OR_RETURN(const std::string url, UrlOf(ctx, target));
  SLIPWAY_RETURN_IF_ERROR(target.kind() == v1::DatabaseTarget::SQLITE
                              ? OpenSqlite(target, url, step)
                              : OpenPostgres(ctx, target, url, step));
  step.rollout = RolloutFolder(ctx);
  step.backup = {.folder = absl::StrCat(ctx.databases.folder, "/backups/", target.name()),
                 .name = FileName(ctx.id),
                 .database = target.name()};
  for (const std::string& folder : {ctx.databases.folder, step.rollout}) {
    SLIPWAY_RETURN_IF_ERROR(Directory::OpenOrMake(folder, 0700).status());
  }
  // A migration under way is no question of patience: it ends, or its time is up.
  SLIPWAY_ASSIGN_OR_RETURN(
      step.parts,
      HookParts::Open(absl::StrCat(step.rollout, "/", FileName(ctx.id)), ctx.hooks, ctx.id,
                      ctx.output, ctx.deadline, {.stopping = ctx.stopping}, fresh));
  return step;
}

AttemptEnd EndDatabaseStep(const ActionContext& ctx, const DatabaseStep& step,
                           const absl::StatusOr<std::string>& done) {
  const bool cut = absl::IsCancelled(done.status());
  if (step.secret && !(cut && ctx.stopping())) step.secret->Remove();
  if (done.ok()) return Succeeded(*done);
  const std::string message(done.status().message());
  if (cut)
    return {Verdict::not_applied, absl::StrCat("it goes on with another attempt: ", message)};
  if (absl::IsUnknown(done.status())) return {Verdict::unknown, message};
  return FromStatus(done.status());
}

std::string PathOf(const BackupOrder& order, const std::string& name) {
  return absl::StrCat(order.folder, "/", name, ".dump");
}

absl::Status CheckTables(const v1::DatabaseTarget& target, const Fingerprint& fingerprint) {
  for (const std::string& table : target.tables()) {
    if (fingerprint.tables.contains(table)) continue;
    return absl::FailedPreconditionError(absl::StrCat("database ", target.name(), " has no table ",
                                                      table, ", which the plan names"));
  }
  return absl::OkStatus();
}

std::string Counted(const Fingerprint& fingerprint) {
  return absl::StrCat(fingerprint.tables.size(), " tables with ", fingerprint.rows(), " rows");
}

std::string Described(const BackupRecord& record) {
  return absl::StrCat(AsSize(record.bytes), ", ", record.digest, ", ", record.kind, " ",
                      record.server, ", ", Counted(record.fingerprint), ", proved by restoring it");
}

void ForgetDatabases(const std::string& folder, const RolloutId& rollout) {
  std::error_code ignored;
  std::filesystem::remove_all(absl::StrCat(folder, "/rollouts/", rollout.text), ignored);
}

}  // namespace slipway::agent
