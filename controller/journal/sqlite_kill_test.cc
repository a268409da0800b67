// kill -9 at any moment: what was acknowledged is there, in order, and nothing else but what was
// being appended.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <random>
#include <thread>

#include "controller/journal/sqlite_journal.h"
#include "gtest/gtest.h"

namespace slipway::controller {
namespace {

namespace fs = std::filesystem;

constexpr int kWriters = 4;
constexpr int kKills = 6;
constexpr int kBatch = 3;  // records an append

RolloutId RolloutOf(int writer) {
  return {"ro-" + std::to_string(writer)};
}

// Appends for ever; after each append the writer's number goes through the pipe.
[[noreturn]] void AppendUntilKilled(const fs::path& path, int pipe_out) {
  auto database = SqliteDatabase::Open({path, "", nullptr});
  if (!database.ok()) _exit(1);
  auto journal = SqliteJournal::Open(**database);
  if (!journal.ok()) _exit(2);
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&journal, pipe_out, w] {
      auto lease = (*journal)->Acquire(RolloutOf(w));
      while (lease.ok()) {
        const std::vector<std::string> records(kBatch,
                                               std::string(300, static_cast<char>('a' + w)));
        if (!(*journal)->Append(RolloutOf(w), *lease, records).ok()) _exit(3);
        const char name = static_cast<char>(w);
        if (write(pipe_out, &name, 1) != 1) _exit(4);
      }
      _exit(5);
    });
  }
  for (std::thread& writer : writers) writer.join();
  _exit(6);
}

// Starts a writer process, kills it after `acknowledgements` of them, and counts those that came.
std::array<int, kWriters> RunAndKill(const fs::path& path, int acknowledgements) {
  std::array<int, kWriters> acknowledged{};
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    AppendUntilKilled(path, ends[1]);
  }
  close(ends[1]);
  char name = 0;
  for (int i = 0; read(ends[0], &name, 1) == 1; ++i) {
    ++acknowledged[static_cast<std::size_t>(name)];
    if (i == acknowledgements) kill(child, SIGKILL);
  }
  close(ends[0]);
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status)) << "exit status " << WEXITSTATUS(status);
  return acknowledged;
}

TEST(SqliteKill, AcknowledgedRecordsSurviveKillAtAnyMoment) {
  std::string folder = testing::TempDir() + "slipway-kill-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const fs::path path = fs::path(folder) / "slipway.db";
  std::mt19937 random(20'261'122);
  std::array<std::size_t, kWriters> known{};
  for (int round = 0; round < kKills; ++round) {
    SCOPED_TRACE(round);
    const auto acknowledged = RunAndKill(path, static_cast<int>(random() % 40));
    const auto database = SqliteDatabase::Open({path, "", nullptr});
    ASSERT_TRUE(database.ok()) << database.status();
    const auto journal = SqliteJournal::Open(**database);
    ASSERT_TRUE(journal.ok()) << journal.status();
    for (std::size_t w = 0; w < kWriters; ++w) {
      const auto records = (*journal)->Read(RolloutOf(static_cast<int>(w)), 1);
      ASSERT_TRUE(records.ok()) << records.status();
      const std::size_t sure = known[w] + kBatch * static_cast<std::size_t>(acknowledged[w]);
      EXPECT_GE(records->size(), sure);
      // One append may have been durable and not yet acknowledged; it is whole.
      EXPECT_LE(records->size(), sure + kBatch);
      EXPECT_EQ(records->size() % kBatch, 0u);
      known[w] = records->size();
    }
  }
  fs::remove_all(folder);
}

}  // namespace
}  // namespace slipway::controller
