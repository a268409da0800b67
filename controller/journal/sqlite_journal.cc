#include "controller/journal/sqlite_journal.h"

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
constexpr std::size_t kPageRecords = 2048;
constexpr std::size_t kPageBytes = 4 << 20;

// A row of table rollouts.
struct Standing {
  std::int64_t number = 0;
  std::uint64_t epoch = 0;
  std::uint64_t next = 1;
  ChainHead head{};
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

absl::StatusOr<std::optional<Standing>> Find(SqliteConnection& connection,
                                             const RolloutId& rollout) {
  SqliteQuery query =
      connection.Prepare("SELECT number, epoch, next, head FROM rollouts WHERE id = ?");
  query.Text(rollout.text);
  SLIPWAY_ASSIGN_OR_RETURN(const bool found, query.Next());
  if (!found) return std::nullopt;
  SLIPWAY_ASSIGN_OR_RETURN(const ChainHead head, ReadHead(rollout, query.At(3)));
  return Standing{query.IntAt(0), query.UintAt(1), query.UintAt(2), head};
}

std::string ShownHead(std::uint64_t next, const ChainHead& head) {
  return next == 1 ? std::string() : ToHex(head);
}

// One pass over a rollout's records, a page a transaction, up to where it stood at the first page.
class Reader {
 public:
  Reader(SqliteDatabase& database, const RolloutId& rollout, std::uint64_t first)
      : database_(database), rollout_(rollout), at_(std::max<std::uint64_t>(first, 1)) {}

  absl::StatusOr<std::vector<Record>> All() {
    SLIPWAY_RETURN_IF_ERROR(Begin());
    std::vector<Record> records;
    if (!standing_) return records;
    ChainVerifier verifier(rollout_, at_ - 1, start_);
    while (at_ < standing_->next) {
      SLIPWAY_RETURN_IF_ERROR(ReadPage());
      for (Stored& stored : page_) {
        SLIPWAY_RETURN_IF_ERROR(verifier.Check(stored.record.sequence, stored.record.epoch,
                                               stored.record.bytes, stored.head));
        stored.record.head = ToHex(verifier.head());
        records.push_back(std::move(stored.record));
      }
      if (page_.empty()) break;
      at_ = records.back().sequence + 1;
    }
    SLIPWAY_RETURN_IF_ERROR(verifier.CheckEnd(standing_->next, Octets(standing_->head)));
    return records;
  }

 private:
  struct Stored {
    Record record;
    std::string head;
  };

  // Where the rollout stands now, and the head before the first record that is asked for.
  absl::Status Begin() {
    return database_.Run([this](SqliteConnection& connection) -> absl::Status {
      SLIPWAY_ASSIGN_OR_RETURN(standing_, Find(connection, rollout_));
      if (!standing_) return absl::OkStatus();
      at_ = std::min(at_, standing_->next);
      start_ = FirstHead(rollout_);
      if (at_ == 1) return absl::OkStatus();
      SqliteQuery query =
          connection.Prepare("SELECT head FROM records WHERE rollout = ? AND sequence = ?");
      query.Int(standing_->number).Uint(at_ - 1);
      SLIPWAY_ASSIGN_OR_RETURN(const bool found, query.Next());
      if (!found) return ChainVerifier(rollout_, at_ - 2, start_).CheckEnd(at_, "");
      SLIPWAY_ASSIGN_OR_RETURN(start_, ReadHead(rollout_, query.At(0)));
      return absl::OkStatus();
    });
  }

  absl::Status ReadPage() {
    return database_.Run([this](SqliteConnection& connection) -> absl::Status {
      page_.clear();
      SqliteQuery query = connection.Prepare(
          "SELECT sequence, epoch, bytes, head FROM records "
          "WHERE rollout = ? AND sequence >= ? AND sequence < ? ORDER BY sequence");
      query.Int(standing_->number).Uint(at_).Uint(standing_->next);
      std::size_t bytes = 0;
      SLIPWAY_ASSIGN_OR_RETURN(bool more, query.Next());
      while (more) {
        page_.push_back({{query.UintAt(0), query.UintAt(1), query.TextAt(2), ""}, query.TextAt(3)});
        bytes += page_.back().record.bytes.size();
        if (page_.size() == kPageRecords || bytes >= kPageBytes) break;
        SLIPWAY_ASSIGN_OR_RETURN(more, query.Next());
      }
      return absl::OkStatus();
    });
  }

  SqliteDatabase& database_;
  const RolloutId& rollout_;
  std::uint64_t at_;
  std::optional<Standing> standing_;
  ChainHead start_{};
  std::vector<Stored> page_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteJournal>> SqliteJournal::Open(SqliteDatabase& database) {
  std::unique_ptr<SqliteJournal> journal(new SqliteJournal(database));
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<RolloutId> rollouts, journal->List());
  for (const RolloutId& rollout : rollouts) {
    SLIPWAY_RETURN_IF_ERROR(journal->Read(rollout, 1).status());
  }
  return journal;
}

absl::StatusOr<Lease> SqliteJournal::AcquireIn(SqliteConnection& connection,
                                               const RolloutId& rollout) {
  SLIPWAY_ASSIGN_OR_RETURN(std::optional<Standing> standing, Find(connection, rollout));
  if (standing) {
    SLIPWAY_RETURN_IF_ERROR(
        connection.Prepare("UPDATE rollouts SET epoch = epoch + 1 WHERE number = ?")
            .Int(standing->number)
            .Run());
    return Lease{standing->epoch + 1, standing->next, ShownHead(standing->next, standing->head)};
  }
  const ChainHead head = FirstHead(rollout);
  SLIPWAY_RETURN_IF_ERROR(
      connection.Prepare("INSERT INTO rollouts (id, epoch, next, head) VALUES (?, 1, 1, ?)")
          .Text(rollout.text)
          .Blob(Octets(head))
          .Run());
  return Lease{1, 1, ""};
}

absl::Status SqliteJournal::AppendIn(SqliteConnection& connection, const RolloutId& rollout,
                                     const Lease& lease, const std::vector<Record>& records) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::optional<Standing> standing, Find(connection, rollout));
  if (!standing) return NoLease(rollout);
  if (standing->epoch != lease.epoch || standing->next != lease.next ||
      ShownHead(standing->next, standing->head) != lease.head) {
    return LeaseLost(rollout, lease, standing->epoch, standing->next);
  }
  if (records.empty()) return absl::OkStatus();
  ChainHead head{};
  for (const Record& record : records) {
    head = HeadOf(rollout, record.head);
    SLIPWAY_RETURN_IF_ERROR(
        connection
            .Prepare("INSERT INTO records (rollout, sequence, epoch, bytes, head) "
                     "VALUES (?, ?, ?, ?, ?)")
            .Int(standing->number)
            .Uint(record.sequence)
            .Uint(record.epoch)
            .Blob(record.bytes)
            .Blob(Octets(head))
            .Run());
  }
  return connection.Prepare("UPDATE rollouts SET next = ?, head = ? WHERE number = ?")
      .Uint(records.back().sequence + 1)
      .Blob(Octets(head))
      .Int(standing->number)
      .Run();
}

absl::StatusOr<Lease> SqliteJournal::Acquire(const RolloutId& rollout) {
  Lease lease;
  SLIPWAY_RETURN_IF_ERROR(database_.Run([&](SqliteConnection& connection) -> absl::Status {
    SLIPWAY_ASSIGN_OR_RETURN(lease, AcquireIn(connection, rollout));
    return absl::OkStatus();
  }));
  return lease;
}

absl::Status SqliteJournal::Append(const RolloutId& rollout, Lease& lease,
                                   const std::vector<std::string>& records) {
  const std::vector<Record> chained = Chained(rollout, lease, records);
  SLIPWAY_RETURN_IF_ERROR(database_.Run(
      [&](SqliteConnection& connection) { return AppendIn(connection, rollout, lease, chained); }));
  if (chained.empty()) return absl::OkStatus();
  lease.next = chained.back().sequence + 1;
  lease.head = chained.back().head;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Record>> SqliteJournal::Read(const RolloutId& rollout,
                                                        std::uint64_t first) {
  return Reader(database_, rollout, first).All();
}

absl::StatusOr<std::vector<RolloutId>> SqliteJournal::List() {
  std::vector<RolloutId> rollouts;
  SLIPWAY_RETURN_IF_ERROR(database_.Run([&](SqliteConnection& connection) -> absl::Status {
    rollouts.clear();
    SqliteQuery query =
        connection.Prepare("SELECT id FROM rollouts WHERE next > 1 ORDER BY number");
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
