#include "controller/rpc/releases_in_use.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/manual_clock.h"
#include "controller/registry/memory_store.h"
#include "controller/rpc/rollout_convert.h"
#include "controller/runner/test_fleet.h"
#include "slipway/v1/agent_session.pb.h"

namespace slipway::controller {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Key;
using testing::Not;
using testing::Pair;

class ReleasesInUseTest : public testing::Test {
 protected:
  ReleasesInUse Find() {
    auto found = FindReleasesInUse(pool_, view_, store_.registry());
    EXPECT_TRUE(found.ok()) << found.status();
    return found.ok() ? *found : ReleasesInUse();
  }

  ManualClock clock_;
  MemoryStore store_;
  TestFleet fleet_;
  FleetView view_;
  RunnerPool pool_{store_, clock_, fleet_, "holder"};
};

TEST_F(ReleasesInUseTest, OpenRolloutNeedsWhereItGoesAndWhereItComesFrom) {
  engine::Planned planned = TestPlan(2, clock_.Now());
  RolloutDescription description;
  description.digest = kNew;
  planned.description = EncodeDescription(description);
  NewRollout rollout;
  rollout.id = {"ro-1"};
  rollout.who = "lena";
  rollout.at = clock_.Now();
  ASSERT_TRUE(pool_.Create(std::move(rollout), std::move(planned)).ok());
  EXPECT_THAT(Find(), AllOf(Contains(Pair(kNew, HasSubstr("ro-1"))),
                            Contains(Pair(kOld, HasSubstr("ro-1")))));
  engine::Verb abort;
  abort.kind = engine::Verb::Kind::abort;
  abort.at_once = true;
  ASSERT_TRUE(pool_.Steer({"ro-1"}, abort, {}).ok());
  EXPECT_THAT(Find(), AllOf(Not(Contains(Key(kNew))), Not(Contains(Key(kOld))))) << "it is over";
}

TEST_F(ReleasesInUseTest, HostsNeedWhatTheyHaveAndWhatTheyShouldHave) {
  auto health = std::make_shared<v1::HealthReport>();
  (*health->mutable_apps())["/srv/media"].set_on_disk("sha256:disk");
  (*health->mutable_apps())["/srv/media"].set_running("sha256:memory");
  LiveHost gone;
  gone.health = health;
  view_.Recall({"web-1"}, gone);
  ASSERT_TRUE(
      store_.registry().PutWanted({{{"web-2"}, "/srv/media", "sha256:drift", "1", {"ro-1"}}}).ok());
  EXPECT_THAT(Find(), AllOf(Contains(Pair("sha256:disk", "is on web-1")),
                            Contains(Pair("sha256:memory", "is on web-1")),
                            Contains(Pair("sha256:drift", "is wanted on web-2"))));
}

}  // namespace
}  // namespace slipway::controller
