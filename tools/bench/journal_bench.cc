// How fast the journal takes appends and gives a history back.
//
// usage: journal_bench [FOLDER|URL [WRITERS]]   FOLDER: where a SQLite database is made, and
// removed again; its disk is what is measured. URL: a PostgreSQL store, prepared and empty; it
// keeps what was written. WRITERS: only so many at once, and nothing else. Prints one line a
// figure. Each append is one record of 120 bytes, durable when it returns; writers are threads,
// each with a rollout of its own.

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "controller/journal/postgres_journal.h"
#include "controller/journal/postgres_url.h"
#include "controller/journal/sqlite_journal.h"

namespace slipway::controller {
namespace {

constexpr int kRecordBytes = 120;
constexpr int kHistory = 200'000;
constexpr int kAppends = 32'000;

void Print(const std::string& name, std::size_t records, absl::Duration took) {
  const double seconds = absl::ToDoubleSeconds(took);
  std::printf("%-28s %9zu records  %7.3f s  %10.0f records/s\n", name.c_str(), records, seconds,
              static_cast<double>(records) / seconds);
}

[[noreturn]] void Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

template <typename T>
T OrFail(absl::StatusOr<T> value) {
  if (!value.ok()) Fail(value.status());
  return *std::move(value);
}

void AppendWith(Journal& journal, int writers, int appends) {
  const absl::Duration start = SystemClock().Monotonic();
  std::vector<std::thread> threads;
  for (int w = 0; w < writers; ++w) {
    threads.emplace_back([&journal, writers, appends, w] {
      const RolloutId rollout{absl::StrCat("ro-", writers, "-", w)};
      Lease lease = OrFail(journal.Acquire(rollout));
      const std::vector<std::string> record = {std::string(kRecordBytes, 'x')};
      for (int i = 0; i < appends; ++i) {
        if (absl::Status s = journal.Append(rollout, lease, record); !s.ok()) Fail(s);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Print(absl::StrCat("append, ", writers, " writers"), static_cast<std::size_t>(writers * appends),
        SystemClock().Monotonic() - start);
}

// A history as a rollout over many hosts leaves it: batches of 500 records.
void History(Journal& journal) {
  const RolloutId rollout{"ro-history"};
  Lease lease = OrFail(journal.Acquire(rollout));
  const std::vector<std::string> batch(500, std::string(kRecordBytes, 'x'));
  absl::Duration start = SystemClock().Monotonic();
  for (int i = 0; i < kHistory / 500; ++i) {
    if (absl::Status s = journal.Append(rollout, lease, batch); !s.ok()) Fail(s);
  }
  Print("append, batches of 500", kHistory, SystemClock().Monotonic() - start);
  start = SystemClock().Monotonic();
  const std::size_t read = OrFail(journal.Read(rollout, 1)).size();
  Print("read and verify the chain", read, SystemClock().Monotonic() - start);
}

int InPostgres(const std::string& url, int writers) {
  const PostgresUrl parsed = OrFail(ParsePostgresUrl(url));
  PostgresOptions options;
  options.address.conninfo = parsed.conninfo;
  const auto database = OrFail(PostgresDatabase::Open(options));
  const auto journal = OrFail(PostgresJournal::Open(*database));
  if (writers > 0) {
    AppendWith(*journal, writers, kAppends / writers);
  } else {
    AppendWith(*journal, 1, 1'000);
    AppendWith(*journal, 8, 1'000);
    AppendWith(*journal, 64, 500);
    AppendWith(*journal, 256, 200);
    History(*journal);
  }
  return 0;
}

int InSqlite(const std::string& path, int writers) {
  SqliteOptions options;
  options.path = path;
  {
    const auto database = OrFail(SqliteDatabase::Open(options));
    const auto journal = OrFail(SqliteJournal::Open(*database));
    if (writers > 0) {
      AppendWith(*journal, writers, kAppends / writers);
      return 0;
    }
    AppendWith(*journal, 1, 5'000);
    AppendWith(*journal, 8, 5'000);
    AppendWith(*journal, 64, 1'000);
    AppendWith(*journal, 256, 500);
    History(*journal);
  }
  const absl::Duration start = SystemClock().Monotonic();
  const auto database = OrFail(SqliteDatabase::Open(options));
  (void)OrFail(SqliteJournal::Open(*database));
  Print("open: check all of it", kHistory + 5'000 * (1 + 8) + 1'000 * 64 + 500 * 256,
        SystemClock().Monotonic() - start);
  return 0;
}

int Main(int argc, char** argv) {
  const std::string where = argc > 1 ? argv[1] : "/tmp";
  const int writers = argc > 2 ? std::atoi(argv[2]) : 0;
  if (IsPostgresUrl(where)) return InPostgres(where, writers);
  std::string folder = absl::StrCat(where, "/journal-bench-XXXXXX");
  if (mkdtemp(folder.data()) == nullptr) {
    std::perror(folder.c_str());
    return 1;
  }
  const int status = InSqlite(folder + "/slipway.db", writers);
  std::filesystem::remove_all(folder);
  return status;
}

}  // namespace
}  // namespace slipway::controller

int main(int argc, char** argv) {
  return slipway::controller::Main(argc, argv);
}
