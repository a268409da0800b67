#include "controller/rpc/fleet_convert.h"

#include <gtest/gtest.h>

#include "slipway/v1/agent_session.pb.h"
#include "slipway/v1/fleet.pb.h"

namespace slipway::controller {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

HostRecord Record() {
  HostRecord record;
  record.id = {"web-1"};
  record.labels = {{"role", "web"}};
  return record;
}

LiveHost Connected(const std::string& on_disk, const std::string& running) {
  auto health = std::make_shared<v1::HealthReport>();
  auto& app = (*health->mutable_apps())["/srv/media"];
  app.set_on_disk(on_disk);
  app.set_running(running);
  LiveHost live;
  live.connected = true;
  live.last_seen = kNow;
  live.health = health;
  live.labels = std::make_shared<Labels>(Labels{{"role", "db"}, {"zone", "a"}});
  return live;
}

v1::Host Of(const HostFacts& facts) {
  v1::Host host;
  Convert(facts, host);
  return host;
}

TEST(FleetConvert, StateSaysWhetherTheHostWasEverSeenAndIsThereNow) {
  HostRecord record = Record();
  EXPECT_EQ(Of({.record = record}).state(), v1::Host::ENROLLED);
  record.last_seen = kNow;
  EXPECT_EQ(Of({.record = record}).state(), v1::Host::SILENT);
  LiveHost live = Connected("a", "a");
  EXPECT_EQ(Of({.record = record, .live = &live}).state(), v1::Host::CONNECTED);
  live.connected = false;
  EXPECT_EQ(Of({.record = record, .live = &live}).state(), v1::Host::SILENT);
  live.conflict = "two machines";
  EXPECT_EQ(Of({.record = record, .live = &live}).state(), v1::Host::QUARANTINED);
}

TEST(FleetConvert, OperatorsLabelsWinOverTheAgentsOwn) {
  const HostRecord record = Record();
  const LiveHost live = Connected("a", "a");
  const v1::Host host = Of({.record = record, .live = &live});
  EXPECT_EQ(host.labels().at("role"), "web");
  EXPECT_EQ(host.labels().at("zone"), "a");
}

TEST(FleetConvert, DriftIsAnotherReleaseOnDiskOrAnotherThatRuns) {
  const HostRecord record = Record();
  const Wanted wanted{{"web-1"}, "/srv/media", "sha256:a", "1.0.0", {"ro-1"}};
  const struct {
    std::string on_disk, running;
    bool drift;
  } table[] = {{"sha256:a", "sha256:a", false},
               {"sha256:a", "", false},
               {"sha256:b", "sha256:b", true},
               {"sha256:a", "sha256:b", true}};
  for (const auto& row : table) {
    const LiveHost live = Connected(row.on_disk, row.running);
    const HostFacts facts{.record = record, .live = &live, .wanted = {&wanted, 1}};
    const v1::Host host = Of(facts);
    ASSERT_EQ(host.apps_size(), 1);
    EXPECT_EQ(host.apps(0).drift(), row.drift) << row.on_disk << " " << row.running;
    EXPECT_EQ(IsException(facts), row.drift);
  }
}

TEST(FleetConvert, HostThatNeverReportedHasNoDrift) {
  const HostRecord record = Record();
  const Wanted wanted{{"web-1"}, "/srv/media", "sha256:a", "1.0.0", {"ro-1"}};
  EXPECT_FALSE(Of({.record = record, .wanted = {&wanted, 1}}).apps(0).drift())
      << "nobody has looked";
}

TEST(FleetConvert, ReleaseThatTheHostDoesNotEvenHaveIsDrift) {
  const HostRecord record = Record();
  const Wanted wanted{{"web-1"}, "/srv/other", "sha256:a", "1.0.0", {"ro-1"}};
  const LiveHost live = Connected("sha256:a", "sha256:a");
  const HostFacts facts{.record = record, .live = &live, .wanted = {&wanted, 1}};
  EXPECT_TRUE(IsHealthy(facts));
  EXPECT_TRUE(IsException(facts));
  EXPECT_FALSE(IsException({.record = record, .live = &live}));
}

TEST(FleetConvert, OnlyAConnectedHostWithWellServicesIsHealthy) {
  HostRecord record = Record();
  LiveHost live = Connected("a", "a");
  EXPECT_TRUE(IsHealthy({.record = record, .live = &live}));
  live.health = nullptr;
  EXPECT_TRUE(IsHealthy({.record = record, .live = &live})) << "nothing ill was reported";
  auto health = std::make_shared<v1::HealthReport>();
  health->add_services()->set_healthy(false);
  live.health = health;
  EXPECT_FALSE(IsHealthy({.record = record, .live = &live}));
  EXPECT_TRUE(IsConnected({.record = record, .live = &live}));
  health->mutable_services(0)->set_healthy(true);
  EXPECT_FALSE(IsException({.record = record, .live = &live}));
  record.cordon = Cordon{"ops", "disk", kNow};
  EXPECT_TRUE(IsException({.record = record, .live = &live}));
  record.cordon.reset();
  live.connected = false;
  EXPECT_FALSE(IsHealthy({.record = record, .live = &live}));
  EXPECT_TRUE(IsException({.record = record, .live = &live}));
  EXPECT_TRUE(IsException({.record = record})) << "never seen";
}

}  // namespace
}  // namespace slipway::controller
