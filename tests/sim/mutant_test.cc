// Bugs put in on purpose: checkers that never find anything prove nothing.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/sim/simulation.h"

namespace slipway::sim {
namespace {

struct Case {
  const char* name;
  Mutant mutant;
  std::set<std::string> invariants;  // one of which it must break first
  std::uint64_t seeds;               // within so many seeds
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

class MutantTest : public testing::TestWithParam<Case> {};

TEST_P(MutantTest, IsFound) {
  for (std::uint64_t seed = 0; seed < GetParam().seeds; ++seed) {
    const Report report = Simulate(seed, GetParam().mutant);
    if (!report.violation) continue;
    EXPECT_TRUE(GetParam().invariants.contains(report.violation->invariant))
        << report.violation->invariant << ": " << report.violation->text;
    RecordProperty("found_at_seed", std::to_string(seed));
    return;
  }
  FAIL() << "nobody noticed within " << GetParam().seeds << " seeds";
}

INSTANTIATE_TEST_SUITE_P(
    All, MutantTest,
    testing::Values(
        Case{"ControllerSendsBeforeAppend", Mutant::controller_sends_before_append, {"I3"}, 50},
        Case{"ControllerRetriesUnknown", Mutant::controller_retries_unknown, {"I7"}, 3000},
        Case{"JournalIgnoresLease", Mutant::journal_ignores_lease, {"I5"}, 500},
        Case{"JournalForgetsAcknowledged", Mutant::journal_forgets_acknowledged, {"I1"}, 100},
        Case{"AgentForgetsDedupe", Mutant::agent_forgets_dedupe, {"I6", "I7"}, 100},
        Case{"AgentIgnoresFence", Mutant::agent_ignores_fence, {"I4"}, 3000},
        Case{"AgentRunsAgainAfterRestart", Mutant::agent_runs_again_after_restart, {"I6"}, 200},
        Case{"AgentAnswersBeforeDurable", Mutant::agent_answers_before_durable, {"I3"}, 50},
        Case{"AgentSkipsSync", Mutant::agent_skips_sync, {"I1"}, 100},
        Case{"AgentChangesItsAnswer", Mutant::agent_changes_its_answer, {"I8"}, 200},
        Case{"ControllerSleepsIn", Mutant::controller_sleeps_in, {"I23"}, 200},
        Case{"JournalDropsFractions", Mutant::journal_drops_fractions, {"I9"}, 50},
        Case{"DiskForgetsSyncs", Mutant::disk_forgets_syncs, {"I1", "I2"}, 500},
        Case{
            "AgentClaimsWantedVersion", Mutant::agent_claims_wanted_version, {"I13", "I15"}, 3000}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace slipway::sim
