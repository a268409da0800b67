// The journals that the conformance suite asks.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "controller/journal/journal.h"

namespace slipway::controller {

// A place where a journal is kept, fresh for each test.
class JournalHome {
 public:
  virtual ~JournalHome() = default;
  // Opens the journal, closing it first if it is open; the pointer before it is dead then.
  virtual Journal* Open() = 0;
};

struct JournalBackend {
  std::string name;
  std::function<std::unique_ptr<JournalHome>()> make;
};

std::vector<JournalBackend> JournalBackends();

}  // namespace slipway::controller
