#include "controller/journal/postgres_url.h"

#include <libpq-fe.h>

#include <map>
#include <memory>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "controller/journal/lib_pq.h"
#include "controller/journal/postgres_connection.h"

namespace slipway::controller {
namespace {

using Values = std::map<std::string, std::string>;

absl::StatusOr<Values> Parse(const std::string& url) {
  SLIPWAY_RETURN_IF_ERROR(LoadLibPq());
  char* complaint = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(url.c_str(), &complaint), PQconninfoFree);
  const std::unique_ptr<char, decltype(&PQfreemem)> freed(complaint, PQfreemem);
  // The complaint repeats what it did not understand, which may be a password.
  if (options == nullptr) {
    return absl::InvalidArgumentError(
        "not a PostgreSQL URL; write postgresql://ROLE@HOST:PORT/DATABASE?setting=value");
  }
  Values values;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) values[option->keyword] = option->val;
  }
  return values;
}

std::string Shown(const Values& values) {
  const auto value = [&](const char* key, const char* otherwise) {
    const auto found = values.find(key);
    return found == values.end() ? std::string(otherwise) : found->second;
  };
  const std::string user = value("user", "");
  return absl::StrCat(user.empty() ? "" : user + " at ", value("host", "localhost"), ":",
                      value("port", "5432"), "/", value("dbname", user.c_str()));
}

}  // namespace

bool IsPostgresUrl(std::string_view text) {
  return text.starts_with("postgresql://") || text.starts_with("postgres://");
}

absl::StatusOr<PostgresUrl> ParsePostgresUrl(const std::string& url) {
  if (!IsPostgresUrl(url)) {
    return absl::InvalidArgumentError(
        absl::StrCat("not a store: \"", url, "\"; write postgresql://ROLE@HOST:PORT/DATABASE"));
  }
  auto parsed = Parse(url);
  if (!parsed.ok()) return parsed.status();
  Values& values = *parsed;
  if (values.contains("password") || values.contains("sslpassword")) {
    return absl::InvalidArgumentError(
        "the store's URL holds a password, which others can read in command lines and settings; "
        "take it out and change it, and name a file with --store-password-file or passfile=");
  }
  PostgresUrl result;
  const auto [mode, unnamed] = values.try_emplace("sslmode", "verify-full");
  if (!unnamed && mode->second != "verify-full") {
    result.warning = absl::StrCat("sslmode=", mode->second,
                                  ": the database server does not have to prove who it is; whoever "
                                  "answers in its place can forge the journal");
  }
  values.try_emplace("target_session_attrs", "read-write");
  values.try_emplace("application_name", "slipway-controller");
  // A machine that vanished is noticed also while nothing is sent.
  values.try_emplace("tcp_user_timeout", "15000");
  values.try_emplace("keepalives_idle", "10");
  for (const auto& [key, value] : values) {
    absl::StrAppend(&result.conninfo, result.conninfo.empty() ? "" : " ", key, "=",
                    ConninfoValue(value));
  }
  result.shown = Shown(values);
  return result;
}

}  // namespace slipway::controller
