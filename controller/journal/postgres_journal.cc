#include "controller/journal/postgres_journal.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "controller/journal/chain.h"
#include "controller/journal/lease_check.h"

namespace slipway::controller {
namespace {

// How much one transaction reads: appends wait behind it.
constexpr int kPageRecords = 2048;

// A row of table rollouts.
struct Standing {
  std::string number;
  std::uint64_t epoch = 0;
  std::uint64_t next = 1;
  std::string head;  // octets
};

absl::StatusOr<ChainHead> ReadHead(const RolloutId& rollout, std::string_view octets) {
  ChainHead head;
  if (octets.size() != head.size()) {
    return absl::DataLossError(absl::StrCat("journal of rollout ", rollout.text,
                                            " is damaged: a head has ", octets.size(), " octets"));
  }
  std::copy(octets.begin(), octets.end(), head.begin());
  return head;
}

absl::StatusOr<std::optional<Standing>> Find(PostgresTransaction& transaction,
                                             const RolloutId& rollout) {
  PostgresQuery query =
      transaction.Prepare("SELECT number, epoch, next, head FROM rollouts WHERE id = ?");
  query.Text(rollout.text);
  SLIPWAY_ASSIGN_OR_RETURN(const bool found, query.Next());
  if (!found) return std::nullopt;
  return Standing{query.TextAt(0), query.UintAt(1), query.UintAt(2), query.BlobAt(3)};
}

// One pass over a rollout's events, a page a transaction, up to where it stood at the first page.
class Reader {
 public:
  Reader(PostgresDatabase& database, const RolloutId& rollout, std::uint64_t first)
      : database_(database), rollout_(rollout), at_(std::max<std::uint64_t>(first, 1)) {}

  absl::StatusOr<std::vector<Record>> All() {
    SLIPWAY_RETURN_IF_ERROR(Begin());
    std::vector<Record> records;
    if (!standing_) return records;
    ChainVerifier verifier(rollout_, at_ - 1, start_);
    while (at_ < standing_->next) {
      SLIPWAY_RETURN_IF_ERROR(ReadPage());
      for (int row = 0; row < page_.size(); ++row) {
        Record record{page_.UintAt(row, 0), page_.UintAt(row, 1), page_.BlobAt(row, 2), ""};
        SLIPWAY_RETURN_IF_ERROR(
            verifier.Check(record.sequence, record.epoch, record.bytes, page_.BlobAt(row, 3)));
        record.head = ToHex(verifier.head());
        records.push_back(std::move(record));
      }
      if (page_.size() == 0) break;
      at_ = records.back().sequence + 1;
    }
    SLIPWAY_RETURN_IF_ERROR(verifier.CheckEnd(standing_->next, standing_->head));
    return records;
  }

 private:
  // Where the rollout stands now, and the head before the first event that is asked for.
  absl::Status Begin() {
    return database_.Run([this](PostgresTransaction& transaction) -> absl::Status {
      SLIPWAY_ASSIGN_OR_RETURN(standing_, Find(transaction, rollout_));
      if (!standing_) return absl::OkStatus();
      at_ = std::min(at_, standing_->next);
      start_ = FirstHead(rollout_);
      if (at_ == 1) return absl::OkStatus();
      SLIPWAY_ASSIGN_OR_RETURN(
          const PostgresRows rows,
          transaction.connection().Query("SELECT head FROM events"
                                         " WHERE rollout = $1 AND sequence = $2",
                                         {standing_->number, absl::StrCat(at_ - 1)}));
      if (rows.size() == 0) return ChainVerifier(rollout_, at_ - 2, start_).CheckEnd(at_, "");
      SLIPWAY_ASSIGN_OR_RETURN(start_, ReadHead(rollout_, rows.BlobAt(0, 0)));
      return absl::OkStatus();
    });
  }

  absl::Status ReadPage() {
    return database_.Run([this](PostgresTransaction& transaction) -> absl::Status {
      SLIPWAY_ASSIGN_OR_RETURN(
          page_, transaction.connection().Query(
                     "SELECT sequence, epoch, bytes, head FROM events WHERE rollout = $1"
                     " AND sequence >= $2 AND sequence < $3 ORDER BY sequence LIMIT $4",
                     {standing_->number, absl::StrCat(at_), absl::StrCat(standing_->next),
                      absl::StrCat(kPageRecords)}));
      return absl::OkStatus();
    });
  }

  PostgresDatabase& database_;
  const RolloutId& rollout_;
  std::uint64_t at_;
  std::optional<Standing> standing_;
  ChainHead start_{};
  PostgresRows page_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresJournal>> PostgresJournal::Open(PostgresDatabase& database) {
  std::unique_ptr<PostgresJournal> journal(new PostgresJournal(database));
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<RolloutId> rollouts, journal->List());
  for (const RolloutId& rollout : rollouts) {
    SLIPWAY_RETURN_IF_ERROR(journal->Read(rollout, 1).status());
  }
  return journal;
}

absl::StatusOr<Lease> PostgresJournal::AcquireIn(PostgresTransaction& transaction,
                                                 const RolloutId& rollout) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::optional<Standing> standing, Find(transaction, rollout));
  if (!standing) {
    // Only the holder of the store writes here, so that nobody takes the same number.
    SLIPWAY_RETURN_IF_ERROR(
        transaction
            .Prepare(
                "INSERT INTO rollouts (number, id, epoch, next, head)"
                " SELECT coalesce(max(number), 0) + 1, ?1, 1, 1, CAST(?2 AS bytea) FROM rollouts")
            .Text(rollout.text)
            .Blob(Octets(FirstHead(rollout)))
            .Run());
    return Lease{1, 1, ""};
  }
  SLIPWAY_ASSIGN_OR_RETURN(const ChainHead head, ReadHead(rollout, standing->head));
  SLIPWAY_RETURN_IF_ERROR(transaction.Prepare("UPDATE rollouts SET epoch = epoch + 1 WHERE id = ?")
                              .Text(rollout.text)
                              .Run());
  return Lease{standing->epoch + 1, standing->next, standing->next == 1 ? "" : ToHex(head)};
}

absl::Status PostgresJournal::AppendIn(PostgresTransaction& transaction,
                                       const PostgresAppend& append) {
  SLIPWAY_RETURN_IF_ERROR(transaction.CheckLease());
  SLIPWAY_ASSIGN_OR_RETURN(
      const std::vector<absl::Status> statuses,
      AppendTogether(transaction.connection(), transaction.lease(), {&append}));
  return statuses.front();
}

absl::StatusOr<Lease> PostgresJournal::Acquire(const RolloutId& rollout) {
  Lease lease;
  SLIPWAY_RETURN_IF_ERROR(database_.Run([&](PostgresTransaction& transaction) -> absl::Status {
    SLIPWAY_ASSIGN_OR_RETURN(lease, AcquireIn(transaction, rollout));
    return absl::OkStatus();
  }));
  return lease;
}

absl::Status PostgresJournal::Append(const RolloutId& rollout, Lease& lease,
                                     const std::vector<std::string>& records) {
  const std::vector<Record> chained = Chained(rollout, lease, records);
  SLIPWAY_RETURN_IF_ERROR(database_.Append({rollout, lease, chained}));
  if (chained.empty()) return absl::OkStatus();
  lease.next = chained.back().sequence + 1;
  lease.head = chained.back().head;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Record>> PostgresJournal::Read(const RolloutId& rollout,
                                                          std::uint64_t first) {
  return Reader(database_, rollout, first).All();
}

absl::StatusOr<std::vector<RolloutId>> PostgresJournal::List() {
  std::vector<RolloutId> rollouts;
  SLIPWAY_RETURN_IF_ERROR(database_.Run([&](PostgresTransaction& transaction) -> absl::Status {
    rollouts.clear();
    PostgresQuery query =
        transaction.Prepare("SELECT id FROM rollouts WHERE next > 1 ORDER BY number");
    SLIPWAY_ASSIGN_OR_RETURN(bool more, query.Next());
    while (more) {
      rollouts.push_back({query.TextAt(0)});
      SLIPWAY_ASSIGN_OR_RETURN(more, query.Next());
    }
    return absl::OkStatus();
  }));
  return rollouts;
}

}  // namespace slipway::controller
