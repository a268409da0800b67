#include "tests/conformance/journal_backends.h"

#include <cstdlib>
#include <filesystem>

#include "controller/journal/memory_journal.h"
#include "controller/journal/sqlite_journal.h"
#include "gtest/gtest.h"

namespace slipway::controller {
namespace {

// Memory has nothing to close.
class MemoryHome final : public JournalHome {
 public:
  Journal* Open() override { return &journal_; }

 private:
  MemoryJournal journal_;
};

class SqliteHome final : public JournalHome {
 public:
  SqliteHome() {
    std::string folder = testing::TempDir() + "slipway-journal-XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) ADD_FAILURE() << "no folder " << folder;
    folder_ = folder;
  }
  ~SqliteHome() override {
    Close();
    std::filesystem::remove_all(folder_);
  }

  Journal* Open() override {
    Close();
    auto database = SqliteDatabase::Open({folder_ / "slipway.db", "", nullptr});
    if (!database.ok()) {
      ADD_FAILURE() << database.status();
      return nullptr;
    }
    database_ = *std::move(database);
    auto journal = SqliteJournal::Open(*database_);
    if (!journal.ok()) {
      ADD_FAILURE() << journal.status();
      return nullptr;
    }
    journal_ = *std::move(journal);
    return journal_.get();
  }

 private:
  void Close() {
    journal_.reset();
    database_.reset();
  }

  std::filesystem::path folder_;
  std::unique_ptr<SqliteDatabase> database_;
  std::unique_ptr<SqliteJournal> journal_;
};

}  // namespace

std::vector<JournalBackend> JournalBackends() {
  return {{"memory", [] { return std::make_unique<MemoryHome>(); }},
          {"sqlite", [] { return std::make_unique<SqliteHome>(); }}};
}

}  // namespace slipway::controller
