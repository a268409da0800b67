// The stores that the conformance suites ask.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "controller/registry/store.h"

namespace slipway::controller {

// A place where a store is kept, fresh for each test.
class StoreHome {
 public:
  virtual ~StoreHome() = default;
  // Opens the store, closing it first if it is open; the pointer before it is dead then.
  virtual Store* Open() = 0;
};

struct StoreBackend {
  std::string name;
  std::function<std::unique_ptr<StoreHome>()> make;
};

std::vector<StoreBackend> StoreBackends();

}  // namespace slipway::controller
