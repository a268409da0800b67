#include "tests/sim/journal_store.h"

#include <utility>

#include "common/status_macros.h"

namespace slipway::sim {
namespace {

// Small, so that logs are moved into the database while something happens.
constexpr int kCheckpointPages = 60;

}  // namespace

class SqliteStore::InStep final : public controller::Journal {
 public:
  InStep(controller::SqliteDatabase& database, controller::Journal& journal)
      : database_(database), journal_(journal) {}

  absl::StatusOr<controller::Lease> Acquire(const RolloutId& rollout) override {
    auto lease = journal_.Acquire(rollout);
    AwaitThread();
    return lease;
  }
  absl::Status Append(const RolloutId& rollout, controller::Lease& lease,
                      const std::vector<std::string>& records) override {
    const absl::Status appended = journal_.Append(rollout, lease, records);
    AwaitThread();
    return appended;
  }
  absl::StatusOr<std::vector<controller::Record>> Read(const RolloutId& rollout,
                                                       std::uint64_t first) override {
    return journal_.Read(rollout, first);
  }
  absl::StatusOr<std::vector<RolloutId>> List() override { return journal_.List(); }

 private:
  void AwaitThread() {
    database_.Run([](controller::SqliteConnection&) { return absl::OkStatus(); }).IgnoreError();
  }

  controller::SqliteDatabase& database_;
  controller::Journal& journal_;
};

absl::StatusOr<controller::Journal*> SqliteStore::Open() {
  controller::SqliteOptions options;
  options.path = "slipway.db";
  options.vfs = disk_.vfs();
  options.on_lost_fsync = [this](const absl::Status&) {
    lost_fsync_ = true;  // the process ends itself
    disk_.Kill();
  };
  options.checkpoint_pages = kCheckpointPages;
  SLIPWAY_ASSIGN_OR_RETURN(database_, controller::SqliteDatabase::Open(std::move(options)));
  SLIPWAY_ASSIGN_OR_RETURN(journal_, controller::SqliteJournal::Open(*database_));
  in_step_ = std::make_unique<InStep>(*database_, *journal_);
  return in_step_.get();
}

void SqliteStore::Close(bool power_cut) {
  disk_.Kill();  // a process that dies tidies nothing up
  in_step_.reset();
  journal_.reset();
  database_.reset();
  disk_.Restart(power_cut);
  lost_fsync_ = false;
}

}  // namespace slipway::sim
