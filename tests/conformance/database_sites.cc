#include "tests/conformance/database_sites.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "agent/database/postgres_url.h"
#include "agent/database/secret.h"
#include "tests/postgres/postgres_server.h"

namespace slipway::agent {
namespace {

class SqliteSite final : public DatabaseSite {
 public:
  SqliteSite() : path_(folder / "live.db") {
    Execute("PRAGMA journal_mode = WAL");
    database_ = MakeSqliteDatabase({.path = path_, .ignore = {"visits.at"}});
  }
  const Database& database() const override { return *database_; }
  std::string Url() const override { return path_; }
  void Execute(const std::string& sql) override {
    sqlite3* raw = nullptr;
    EXPECT_EQ(sqlite3_open(path_.c_str(), &raw), SQLITE_OK);
    sqlite3_busy_timeout(raw, 20'000);
    char* why = nullptr;
    EXPECT_EQ(sqlite3_exec(raw, sql.c_str(), nullptr, nullptr, &why), SQLITE_OK)
        << sql << ": " << (why != nullptr ? why : "");
    sqlite3_free(why);
    sqlite3_close(raw);
  }
  std::vector<std::string> Copies() override {
    std::vector<std::string> copies;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with("scratch.db") || name.find("slipway-side") != std::string::npos) {
        copies.push_back(name);
      }
    }
    return copies;
  }

 private:
  const std::string path_;
  std::unique_ptr<Database> database_;
};

class PostgresSite final : public DatabaseSite {
 public:
  PostgresSite() : name_(Server().EmptyDatabase()) {
    // Owns the database and may make others: no superuser is needed.
    Administer("postgres", absl::StrCat("ALTER DATABASE ", name_, " OWNER TO dba"));
    const auto address = ReadPostgresUrl(Url());
    EXPECT_TRUE(address.ok()) << address.status();
    const auto file = TmpfsFile::Write(Secrets(), "service", address->service);
    EXPECT_TRUE(file.ok()) << file.status();
    file_ = file->path();
    database_ =
        MakePostgresDatabase({.service_file = file_, .database = name_, .ignore = {"visits.at"}});
  }
  ~PostgresSite() override {
    std::filesystem::remove_all(Secrets());
    for (const std::string& name : Named(absl::StrCat("datname LIKE '%", name_, "%'"))) {
      Administer("postgres", absl::StrCat("DROP DATABASE ", name, " WITH (FORCE)"));
    }
    for (const std::string& name : Copies()) {
      Administer("postgres", absl::StrCat("DROP DATABASE ", name, " WITH (FORCE)"));
    }
  }
  const Database& database() const override { return *database_; }
  std::string Url() const override {
    return absl::StrCat("postgresql://dba:", kCanary, "@localhost:", Server().port(), "/", name_,
                        "?hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert=", Server().dir(),
                        "/server.crt");
  }
  void Execute(const std::string& sql) override { Administer(name_, "SET ROLE dba; " + sql); }
  std::vector<std::string> Copies() override { return Named("datname LIKE 'slipway\\_s%'"); }

 private:
  std::string Secrets() const {
    return absl::StrCat("/dev/shm/slipway-conformance-", ::getpid(), "-", name_);
  }
  static test::PostgresServer& Server() {
    static const bool ready = [] {
      const auto made = test::PostgresServer::Shared().Run(
          "postgres", "postgres",
          absl::StrCat("CREATE ROLE dba LOGIN CREATEDB PASSWORD '", kCanary, "'"));
      EXPECT_TRUE(made.ok()) << made.status();
      return true;
    }();
    static_cast<void>(ready);
    return test::PostgresServer::Shared();
  }
  static std::vector<std::string> Named(const std::string& condition) {
    std::vector<std::string> names;
    const auto rows =
        Server().Run("postgres", "postgres", "SELECT datname FROM pg_database WHERE " + condition);
    EXPECT_TRUE(rows.ok()) << rows.status();
    if (!rows.ok()) return names;
    for (int row = 0; row < rows->size(); ++row) names.emplace_back(rows->At(row, 0));
    return names;
  }
  static void Administer(const std::string& database, const std::string& sql) {
    const auto done = Server().Run("postgres", database, sql);
    EXPECT_TRUE(done.ok()) << sql << ": " << done.status();
  }

  const std::string name_;
  std::string file_;
  std::unique_ptr<Database> database_;
};

}  // namespace

DatabaseSite::DatabaseSite()
    : launcher_({SLIPWAY_EXEC_SHIM}),
      hooks_(*HookRunner::Open(folder / "hooks", launcher_, SystemClock())),
      archive_(*OutputArchive::Open(folder / "output")) {}

std::unique_ptr<Parts> DatabaseSite::Sequence(int n, HookWatch watch) {
  ids_.push_back(std::make_unique<CommandId>(CommandId{
      .rollout = {"ro-1"}, .step = static_cast<std::uint16_t>(n), .host = {"db-1"}, .attempt = 1}));
  spools_.push_back(*archive_->SpoolOf(*ids_.back()));
  return *HookParts::Open(absl::StrCat(folder.path(), "/sequence", n), *hooks_, *ids_.back(),
                          *spools_.back(), SystemClock().Monotonic() + absl::Minutes(3),
                          std::move(watch));
}

std::string DatabaseSite::Said(int n) const {
  const auto spool = archive_->SpoolOf(
      {.rollout = {"ro-1"}, .step = static_cast<std::uint16_t>(n), .host = {"db-1"}, .attempt = 1});
  return spool.ok() ? (*spool)->Tail(1 << 16) : "";
}

std::vector<DatabaseKind> DatabaseKinds() {
  return {{"sqlite", [] { return std::make_unique<SqliteSite>(); }},
          {"postgres", [] { return std::make_unique<PostgresSite>(); }}};
}

}  // namespace slipway::agent
