#include "controller/journal/postgres_connection.h"

#include <pqxx/pqxx>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/status_macros.h"
#include "common/tls/pem_file.h"
#include "controller/journal/lib_pq.h"

namespace slipway::controller {
namespace {

absl::string_view View(std::string_view text) {
  return {text.data(), text.size()};
}

// One line without libpq's "ERROR:  " and line breaks.
std::string Words(std::string_view message) {
  std::string words = absl::StrReplaceAll(View(message), {{"ERROR:  ", ""}, {"\n", " "}});
  absl::StripTrailingAsciiWhitespace(&words);
  return words;
}

absl::StatusCode CodeOf(std::string_view state) {
  using enum absl::StatusCode;
  if (state == "53100") return kResourceExhausted;
  if (state == "42501") return kPermissionDenied;
  if (state == "42P01" || state == "3F000") return kNotFound;
  const std::string_view kind = state.substr(0, 2);
  if (kind == "22") return kInvalidArgument;
  if (kind == "40") return kAborted;
  if (kind == "XX" && state != "XX000") return kDataLoss;
  // Timeouts, locks, shutdown, too many clients, a standby.
  if (kind == "57" || kind == "55" || kind == "53" || kind == "08" || state == "25006") {
    return kUnavailable;
  }
  return kInternal;
}

// libpqxx forgets the state of some errors that it has a class for; "" is one that did not come
// from the server.
std::string StateOf(const pqxx::sql_error& error) {
  if (!error.sqlstate().empty()) return error.sqlstate();
  if (dynamic_cast<const pqxx::insufficient_privilege*>(&error) != nullptr) return "42501";
  if (dynamic_cast<const pqxx::disk_full*>(&error) != nullptr) return "53100";
  if (dynamic_cast<const pqxx::insufficient_resources*>(&error) != nullptr) return "53000";
  if (dynamic_cast<const pqxx::undefined_table*>(&error) != nullptr) return "42P01";
  if (dynamic_cast<const pqxx::data_exception*>(&error) != nullptr) return "22000";
  if (dynamic_cast<const pqxx::integrity_constraint_violation*>(&error) != nullptr) return "23000";
  if (dynamic_cast<const pqxx::syntax_error*>(&error) != nullptr) return "42601";
  if (dynamic_cast<const pqxx::feature_not_supported*>(&error) != nullptr) return "0A000";
  return "";
}

absl::Status ErrorOf(std::string_view state, std::string_view message) {
  const absl::StatusCode code = CodeOf(state);
  std::string words = absl::StrCat("PostgreSQL: ", Words(message));
  if (code == absl::StatusCode::kResourceExhausted) {
    absl::StrAppend(&words,
                    "; free disk space on the database server, the rollout goes on by "
                    "itself");
  }
  return absl::Status(code, words);
}

// `?` becomes $1, $2, … from left to right; `?3` becomes $3.
std::string Numbered(std::string_view sql) {
  std::string numbered;
  int count = 0;
  for (std::size_t i = 0; i < sql.size(); ++i) {
    if (sql[i] != '?') {
      numbered += sql[i];
      continue;
    }
    const bool named =
        i + 1 < sql.size() && absl::ascii_isdigit(static_cast<unsigned char>(sql[i + 1]));
    absl::StrAppend(&numbered, "$");
    if (!named) absl::StrAppend(&numbered, ++count);
  }
  return numbered;
}

std::string Settings(const PostgresLimits& limits) {
  return absl::StrCat(
      "SET statement_timeout = ", absl::ToInt64Milliseconds(limits.statement),
      "; SET lock_timeout = ", absl::ToInt64Milliseconds(limits.lock),
      "; SET idle_in_transaction_session_timeout = ", absl::ToInt64Milliseconds(limits.call),
      // What was acknowledged is on the disk, whatever the server's own settings say.
      "; SET synchronous_commit = on; SET client_encoding = 'UTF8'",
      "; SET standard_conforming_strings = on; SET bytea_output = 'hex'");
}

}  // namespace

struct PostgresRows::Impl {
  pqxx::result result;
};

struct PostgresConnection::Impl {
  explicit Impl(const std::string& conninfo) : connection(conninfo) {}
  pqxx::connection connection;
};

// The door: no exception of libpqxx comes past this function.
template <typename Work>
absl::StatusOr<PostgresRows> PostgresConnection::Call(Work work) {
  if (lost_) return absl::UnavailableError("the connection to PostgreSQL was lost");
  try {
    const CallGuard::Call call(guard_, impl_->connection.sock(), limit_);
    pqxx::nontransaction session(impl_->connection);
    return PostgresRows(std::make_shared<PostgresRows::Impl>(PostgresRows::Impl{work(session)}));
  } catch (const pqxx::broken_connection& error) {
    lost_ = true;
    return absl::UnavailableError(absl::StrCat("PostgreSQL: ", Words(error.what())));
  } catch (const pqxx::sql_error& error) {
    const std::string state = StateOf(error);
    lost_ = !impl_->connection.is_open() || state.empty();
    return lost_ ? absl::UnavailableError(absl::StrCat("PostgreSQL: ", Words(error.what())))
                 : ErrorOf(state, error.what());
  } catch (const pqxx::transaction_rollback& error) {
    return absl::AbortedError(absl::StrCat("PostgreSQL: ", Words(error.what())));
  } catch (const std::exception& error) {
    lost_ = true;  // libpqxx is not where we think it is
    return absl::UnavailableError(absl::StrCat("PostgreSQL: ", Words(error.what())));
  }
}

absl::StatusOr<std::unique_ptr<PostgresConnection>> PostgresConnection::Open(
    const PostgresAddress& address, const PostgresLimits& limits, CallGuard& guard) {
  SLIPWAY_RETURN_IF_ERROR(LoadLibPq());
  std::string conninfo =
      absl::StrCat(address.conninfo, " connect_timeout=", absl::ToInt64Seconds(limits.connect));
  if (!address.password_file.empty()) {
    SLIPWAY_ASSIGN_OR_RETURN(const std::string password,
                             tls::ReadPrivateFile(address.password_file));
    const absl::string_view bare = absl::StripTrailingAsciiWhitespace(password);
    absl::StrAppend(&conninfo, " password=", ConninfoValue({bare.data(), bare.size()}));
  }
  std::unique_ptr<PostgresConnection> connection;
  try {
    connection.reset(new PostgresConnection(std::make_unique<Impl>(conninfo), limits.call, guard));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    // A session made anew in silence would have other settings and no transaction.
    connection->impl_->connection.inhibit_reactivation(true);
#pragma GCC diagnostic pop
  } catch (const std::exception& error) {
    return absl::UnavailableError(
        absl::StrCat("cannot connect to PostgreSQL: ", Words(error.what())));
  }
  SLIPWAY_RETURN_IF_ERROR(connection->Execute(Settings(limits)).status());
  return connection;
}

PostgresConnection::PostgresConnection(std::unique_ptr<Impl> impl, absl::Duration limit,
                                       CallGuard& guard)
    : impl_(std::move(impl)), limit_(limit), guard_(guard) {}

PostgresConnection::~PostgresConnection() = default;

absl::StatusOr<PostgresRows> PostgresConnection::Query(const char* sql,
                                                       const std::vector<std::string>& parameters) {
  for (const std::string& parameter : parameters) {
    // libpq takes texts up to their first NUL.
    if (parameter.find('\0') != std::string::npos) {
      return absl::InvalidArgumentError("a text with a NUL octet cannot be stored; remove it");
    }
  }
  return Call([&](pqxx::nontransaction& session) {
    const auto [known, fresh] = statements_.try_emplace(sql, absl::StrCat("s", statements_.size()));
    if (fresh) impl_->connection.prepare(known->second, Numbered(sql));
    return session.exec_prepared(known->second, pqxx::prepare::make_dynamic_params(parameters));
  });
}

absl::StatusOr<PostgresRows> PostgresConnection::Execute(const std::string& script) {
  return Call([&](pqxx::nontransaction& session) { return session.exec(script); });
}

int PostgresRows::size() const {
  return impl_ == nullptr ? 0 : static_cast<int>(impl_->result.size());
}

std::string_view PostgresRows::At(int row, int column) const {
  const auto field = impl_->result[static_cast<pqxx::result_size_type>(row)]
                                  [static_cast<pqxx::row_size_type>(column)];
  return {field.c_str(), field.size()};
}

std::int64_t PostgresRows::IntAt(int row, int column) const {
  std::int64_t value = 0;
  (void)absl::SimpleAtoi(View(At(row, column)), &value);
  return value;
}

std::string PostgresRows::BlobAt(int row, int column) const {
  const std::string_view text = At(row, column);
  return text.substr(0, 2) == "\\x" ? absl::HexStringToBytes(View(text.substr(2))) : std::string();
}

std::string PostgresLiteral(std::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(View(text), {{"'", "''"}}), "'");
}

std::string ConninfoValue(std::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(View(text), {{"'", "\\'"}, {"\\", "\\\\"}}), "'");
}

std::string PostgresName(std::string_view name) {
  return absl::StrCat("\"", absl::StrReplaceAll(View(name), {{"\"", "\"\""}}), "\"");
}

std::string PostgresBytes(std::string_view octets) {
  return absl::StrCat("\\x", absl::BytesToHexString(View(octets)));
}

void PostgresArray::Add(std::string_view element) {
  absl::StrAppend(&elements_, elements_.empty() ? "\"" : ",\"",
                  absl::StrReplaceAll(View(element), {{"\\", "\\\\"}, {"\"", "\\\""}}), "\"");
}

void PostgresArray::Add(std::uint64_t element) {
  absl::StrAppend(&elements_, elements_.empty() ? "" : ",", element);
}

}  // namespace slipway::controller
