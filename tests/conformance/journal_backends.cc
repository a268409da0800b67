#include "tests/conformance/journal_backends.h"

#include "controller/journal/memory_journal.h"

namespace slipway::controller {
namespace {

// Memory has nothing to close.
class MemoryHome final : public JournalHome {
 public:
  Journal* Open() override { return &journal_; }

 private:
  MemoryJournal journal_;
};

}  // namespace

std::vector<JournalBackend> JournalBackends() {
  return {{"memory", [] { return std::make_unique<MemoryHome>(); }}};
}

}  // namespace slipway::controller
