#include "controller/journal/postgres_append.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "controller/journal/chain.h"
#include "controller/journal/lease_check.h"

namespace slipway::controller {
namespace {

// `held` is empty when this process does not drive the store any more: nothing moves then. A row
// without text says that it is held.
constexpr char kAppend[] =
    "WITH held AS ("
    "  SELECT 1 FROM lease WHERE epoch = $1::bigint AND holder = $2 FOR KEY SHARE"
    "), moved AS ("
    "  UPDATE rollouts r SET next = a.new_next, head = a.new_head"
    "  FROM unnest($3::text[], $4::bigint[], $5::bigint[], $6::bytea[], $7::bigint[], $8::bytea[])"
    "    AS a (id, epoch, next, head, new_next, new_head), held"
    "  WHERE r.id = a.id AND r.epoch = a.epoch AND r.next = a.next AND r.head = a.head"
    "  RETURNING r.id, r.number"
    "), added AS ("
    "  INSERT INTO events (rollout, sequence, epoch, bytes, head)"
    "  SELECT m.number, e.sequence, e.epoch, e.bytes, e.head"
    "  FROM unnest($9::text[], $10::bigint[], $11::bigint[], $12::bytea[], $13::bytea[])"
    "    AS e (id, sequence, epoch, bytes, head) JOIN moved m ON m.id = e.id"
    ") SELECT id FROM moved UNION ALL SELECT '' FROM held";

std::string HeadBytes(const RolloutId& rollout, const std::string& head) {
  return PostgresBytes(Octets(HeadOf(rollout, head)));
}

// The columns of the two tables that kAppend unfolds.
struct Columns {
  PostgresArray id, epoch, next, head, new_next, new_head;
  PostgresArray event_id, event_sequence, event_epoch, event_bytes, event_head;

  void Add(const PostgresAppend& append) {
    const bool none = append.records.empty();
    const std::string& last = none ? append.lease.head : append.records.back().head;
    id.Add(append.rollout.text);
    epoch.Add(append.lease.epoch);
    next.Add(append.lease.next);
    head.Add(HeadBytes(append.rollout, append.lease.head));
    new_next.Add(append.lease.next + append.records.size());
    new_head.Add(HeadBytes(append.rollout, last));
    for (const Record& record : append.records) {
      event_id.Add(append.rollout.text);
      event_sequence.Add(record.sequence);
      event_epoch.Add(record.epoch);
      event_bytes.Add(PostgresBytes(record.bytes));
      event_head.Add(HeadBytes(append.rollout, record.head));
    }
  }
};

absl::Status WhyRefused(PostgresConnection& connection, const PostgresAppend& append) {
  SLIPWAY_ASSIGN_OR_RETURN(
      const PostgresRows rows,
      connection.Query("SELECT epoch, next FROM rollouts WHERE id = $1", {append.rollout.text}));
  if (rows.size() == 0) return NoLease(append.rollout);
  return LeaseLost(append.rollout, append.lease, rows.UintAt(0, 0), rows.UintAt(0, 1));
}

}  // namespace

absl::StatusOr<std::vector<absl::Status>> AppendTogether(
    PostgresConnection& connection, const PostgresLease& store,
    const std::vector<const PostgresAppend*>& appends) {
  Columns columns;
  for (const PostgresAppend* append : appends) columns.Add(*append);
  SLIPWAY_ASSIGN_OR_RETURN(
      const PostgresRows rows,
      connection.Query(
          kAppend,
          {store.epoch(), store.holder(), columns.id.Text(), columns.epoch.Text(),
           columns.next.Text(), columns.head.Text(), columns.new_next.Text(),
           columns.new_head.Text(), columns.event_id.Text(), columns.event_sequence.Text(),
           columns.event_epoch.Text(), columns.event_bytes.Text(), columns.event_head.Text()}));
  std::set<std::string, std::less<>> moved;
  for (int row = 0; row < rows.size(); ++row) moved.emplace(rows.At(row, 0));
  if (!moved.contains("")) return store.Lost();
  std::vector<absl::Status> statuses;
  for (const PostgresAppend* append : appends) {
    const bool done = moved.contains(append->rollout.text);
    statuses.push_back(done ? absl::OkStatus() : WhyRefused(connection, *append));
  }
  return statuses;
}

// The lock waits for the backend that was executing the append when its connection broke; only the
// next statement sees what it left. Should it begin only later, the rollout has moved on or been
// acquired by then, and the append is refused.
absl::StatusOr<bool> IsAppended(PostgresConnection& connection, const PostgresAppend& append) {
  if (append.records.empty()) return false;
  const Record& last = append.records.back();
  SLIPWAY_ASSIGN_OR_RETURN(
      const PostgresRows rollout,
      connection.Query("SELECT number FROM rollouts WHERE id = $1 FOR NO KEY UPDATE",
                       {append.rollout.text}));
  if (rollout.size() == 0) return false;
  SLIPWAY_ASSIGN_OR_RETURN(
      const PostgresRows event,
      connection.Query(
          "SELECT head FROM events WHERE rollout = $1 AND sequence = $2 AND epoch = $3",
          {std::string(rollout.At(0, 0)), absl::StrCat(last.sequence), absl::StrCat(last.epoch)}));
  return event.size() == 1 && event.BlobAt(0, 0) == Octets(HeadOf(append.rollout, last.head));
}

}  // namespace slipway::controller
