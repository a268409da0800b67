// What lies under the controller's processes: a journal that they share, or SQLite on a disk of
// one of them at a time.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "controller/journal/memory_journal.h"
#include "controller/journal/sqlite_journal.h"
#include "tests/sim/journal_disk.h"

namespace slipway::sim {

class JournalStore {
 public:
  virtual ~JournalStore() = default;

  // For a process that starts. Errors as of SqliteDatabase::Open and SqliteJournal::Open.
  virtual absl::StatusOr<controller::Journal*> Open() = 0;
  // Its process is dead. `power_cut`: its machine went down too.
  virtual void Close(bool power_cut) = 0;
  // The process died within an operation of the disk, or of one that failed.
  virtual bool crashed() const = 0;
  // The disk, where there is one: only one process at a time can use it.
  virtual JournalDisk* disk() = 0;
};

// Appends are durable or not, as a whole: the form in which several processes share a journal.
class SharedStore final : public JournalStore {
 public:
  absl::StatusOr<controller::Journal*> Open() override { return &journal_; }
  void Close(bool) override {}
  bool crashed() const override { return false; }
  JournalDisk* disk() override { return nullptr; }

 private:
  controller::MemoryJournal journal_;
};

// The real journal, database and SQLite on a disk in memory.
class SqliteStore final : public JournalStore {
 public:
  explicit SqliteStore(std::uint64_t seed) : disk_(seed) {}
  ~SqliteStore() override { Close(false); }

  absl::StatusOr<controller::Journal*> Open() override;
  void Close(bool power_cut) override;
  bool crashed() const override { return disk_.crashed() || lost_fsync_; }
  JournalDisk* disk() override { return &disk_; }

 private:
  // Waits after each append for what the database's thread does behind it (a checkpoint), so that
  // one seed stays one run.
  class InStep;

  JournalDisk disk_;
  bool lost_fsync_ = false;
  std::unique_ptr<controller::SqliteDatabase> database_;
  std::unique_ptr<controller::SqliteJournal> journal_;
  std::unique_ptr<controller::Journal> in_step_;
};

}  // namespace slipway::sim
