#include "controller/journal/postgres_query.h"

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace slipway::controller {

PostgresQuery& PostgresQuery::Int(std::int64_t value) {
  parameters_.push_back(absl::StrCat(value));
  return *this;
}

PostgresQuery& PostgresQuery::Text(std::string_view value) {
  parameters_.emplace_back(value);
  return *this;
}

PostgresQuery& PostgresQuery::Blob(std::string_view value) {
  parameters_.push_back(PostgresBytes(value));
  return *this;
}

absl::Status PostgresQuery::Run() {
  SLIPWAY_ASSIGN_OR_RETURN(rows_, transaction_.Query(sql_, parameters_));
  row_ = -1;
  return absl::OkStatus();
}

absl::StatusOr<bool> PostgresQuery::Next() {
  if (row_ < -1) SLIPWAY_RETURN_IF_ERROR(Run());
  return ++row_ < rows_.size();
}

absl::Status PostgresTransaction::CheckLease() {
  if (!id_.empty()) return absl::OkStatus();
  SLIPWAY_ASSIGN_OR_RETURN(const PostgresRows rows,
                           connection_.Query("SELECT pg_current_xact_id()::text FROM lease"
                                             " WHERE epoch = $1 AND holder = $2 FOR KEY SHARE",
                                             {lease_.epoch(), lease_.holder()}));
  if (rows.size() == 0) return lease_.Lost();
  id_ = rows.At(0, 0);
  return absl::OkStatus();
}

absl::StatusOr<PostgresRows> PostgresTransaction::Query(
    const char* sql, const std::vector<std::string>& parameters) {
  if (!std::string_view(sql).starts_with("SELECT")) SLIPWAY_RETURN_IF_ERROR(CheckLease());
  return connection_.Query(sql, parameters);
}

}  // namespace slipway::controller
