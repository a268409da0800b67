#include "tests/sim/coverage.h"

#include <iterator>

#include "absl/strings/str_cat.h"

namespace slipway::sim {
namespace {

// In the order of Rare.
constexpr const char* kNames[] = {
    "agent crashed before write",
    "agent crashed in write",
    "agent crashed before sync",
    "agent crashed after sync",
    "agent killed",
    "agent sync failed",
    "agent log compacted",
    "agent used reserve",
    "machine rebooted",
    "tail was torn",
    "command came twice",
    "later attempt waited",
    "command outlived rollout",
    "cancelled",
    "probe adopted",
    "probe succeeded",
    "probe not applied",
    "probe unknown",
    "unstarted after restart",
    "refused other session",
    "refused stale epoch",
    "refused closed rollout",
    "refused old attempt",
    "refused no space",
    "message lost",
    "message doubled",
    "message late",
    "partitioned",
    "controller crashed before append",
    "controller crashed after append",
    "append in doubt",
    "controller disk full",
    "controller crashed in write",
    "controller lost power",
    "controller log was torn",
    "controller sync failed",
    "taken over",
    "zombie sent",
    "zombie append refused",
    "verb refused",
    "turned back by itself",
    "turned back by person",
    "host undone alone",
    "host tripped",
    "brake",
    "called person",
    "gate approved",
    "gate rejected",
    "gate passed",
    "noted",
    "outcome unknown",
    "outcome unreachable",
    "outcome timed out",
    "resolved late",
    "retried",
    "skipped",
    "finished succeeded",
    "finished rolled back",
    "finished needs person",
    "finished aborted",
    "waits for person",
};
static_assert(std::size(kNames) == kRareCount);

}  // namespace

const char* NameOf(Rare rare) {
  return kNames[static_cast<std::size_t>(rare)];
}

std::string Table(const Coverage& coverage) {
  std::string table;
  for (std::size_t i = 0; i < kRareCount; ++i) {
    const Rare rare = static_cast<Rare>(i);
    absl::StrAppend(&table, absl::Dec(coverage.hits(rare), absl::kSpacePad10), "  ", NameOf(rare),
                    "\n");
  }
  return table;
}

}  // namespace slipway::sim
