#include "tests/conformance/store_backends.h"

#include <cstdlib>
#include <filesystem>

#include "controller/registry/memory_store.h"
#include "controller/registry/sqlite_store.h"
#include "gtest/gtest.h"

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

}  // namespace

std::vector<StoreBackend> StoreBackends() {
  return {{"memory", [] { return std::make_unique<MemoryHome>(); }},
          {"sqlite", [] { return std::make_unique<SqliteHome>(); }}};
}

}  // namespace slipway::controller
