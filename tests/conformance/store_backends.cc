#include "tests/conformance/store_backends.h"

#include <cstdlib>
#include <filesystem>

#include "controller/registry/memory_store.h"
#include "controller/registry/postgres_store.h"
#include "controller/registry/sqlite_store.h"
#include "gtest/gtest.h"
#include "tests/postgres/postgres_server.h"

namespace slipway::controller {
namespace {

// Memory has nothing to close.
class MemoryHome final : public StoreHome {
 public:
  Store* Open() override { return &store_; }

 private:
  MemoryStore store_;
};

class SqliteHome final : public StoreHome {
 public:
  SqliteHome() {
    std::string folder = testing::TempDir() + "slipway-store-XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) ADD_FAILURE() << "no folder " << folder;
    folder_ = folder;
  }
  ~SqliteHome() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  Store* Open() override {
    store_.reset();
    auto store = SqliteStore::Open({folder_ / "slipway.db", "", nullptr});
    if (store.ok()) {
      store_ = *std::move(store);
    } else {
      ADD_FAILURE() << store.status();
    }
    return store_.get();
  }

 private:
  std::filesystem::path folder_;
  std::unique_ptr<SqliteStore> store_;
};

class PostgresHome final : public StoreHome {
 public:
  PostgresHome() : server_(test::PostgresServer::Shared()), database_(server_.NewDatabase()) {}
  ~PostgresHome() override {
    store_.reset();
    server_.DropDatabase(database_);
  }

  Store* Open() override {
    store_.reset();
    auto store = PostgresStore::Open(server_.Options(database_));
    if (store.ok()) {
      store_ = *std::move(store);
    } else {
      ADD_FAILURE() << store.status() << server_.Log();
    }
    return store_.get();
  }

 private:
  test::PostgresServer& server_;
  const std::string database_;
  std::unique_ptr<PostgresStore> store_;
};

}  // namespace

std::vector<StoreBackend> StoreBackends() {
  return {{"memory", [] { return std::make_unique<MemoryHome>(); }},
          {"sqlite", [] { return std::make_unique<SqliteHome>(); }},
          {"postgres", [] { return std::make_unique<PostgresHome>(); }}};
}

}  // namespace slipway::controller
