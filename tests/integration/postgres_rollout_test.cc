// A rollout over real processes whose journal lies in PostgreSQL: neither a killed controller nor a
// killed database server stops it.
#include <gtest/gtest.h>

#include "tests/integration/barrier.h"
#include "tests/integration/mini_fleet.h"
#include "tests/postgres/postgres_server.h"

namespace slipway::test {
namespace {

bool IsOver(const v1::Rollout& rollout) {
  return rollout.has_ended();
}

bool AllRun(const v1::Rollout& rollout) {
  if (rollout.hosts().empty()) return false;
  for (const v1::HostStatus& host : rollout.hosts()) {
    if (host.state() != v1::HostStatus::RUNNING) return false;
  }
  return true;
}

class PostgresRollout : public testing::Test {
 protected:
  // The tables are made as an operator makes them.
  PostgresRollout() : database_(server_.EmptyDatabase()) {
    EXPECT_EQ(RunProgram({MiniFleet::Program("slipway-controller"), "prepare-store", "--store",
                          server_.Url("slipway_owner", database_), "--service", "slipway"},
                         server_.dir() + "/prepare.log"),
              0)
        << ContentOf(server_.dir() + "/prepare.log");
  }
  std::vector<std::string> Flags() const { return {"--store", server_.Url("slipway", database_)}; }
  // Two agents in the middle of a step.
  v1::Rollout Begin(MiniFleet& fleet) {
    v1::Rollout rollout;
    EXPECT_TRUE(fleet.StartAgents(2)) << fleet.Logs();
    EXPECT_TRUE(fleet.PushRelease());
    const grpc::Status status = fleet.Deploy(barrier_.Plan(2), rollout);
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_TRUE(fleet.AwaitRollout(rollout.id(), AllRun)) << fleet.Logs();
    return rollout;
  }
  void ExpectSuccess(MiniFleet& fleet, const std::string& rollout) {
    ASSERT_TRUE(fleet.AwaitRollout(rollout, IsOver))
        << fleet.Get(rollout).DebugString() << fleet.Logs();
    EXPECT_EQ(fleet.Get(rollout).state(), v1::Rollout::SUCCEEDED) << fleet.Logs();
    EXPECT_TRUE(fleet.AwaitUnlocked("web-1"));
  }

  PostgresServer server_;
  const std::string database_;
  const Barrier barrier_;
};

TEST_F(PostgresRollout, KilledControllerGoesOnWhereItWas) {
  MiniFleet fleet(Flags());
  const v1::Rollout rollout = Begin(fleet);
  EXPECT_EQ(ContentOf(fleet.dir() + "/controller/store.db"), "");
  fleet.KillController();
  fleet.StartController();  // waits until the lease of the dead one is over
  barrier_.Open();
  ExpectSuccess(fleet, rollout.id());
  const auto events = server_.Run("slipway", database_, "SELECT count(*) FROM events");
  ASSERT_TRUE(events.ok()) << events.status();
  EXPECT_GT(events->IntAt(0, 0), 4);
}

TEST_F(PostgresRollout, KilledDatabaseIsShownAndTheRolloutGoesOnByItself) {
  MiniFleet fleet(Flags());
  const v1::Rollout rollout = Begin(fleet);
  server_.Kill();
  barrier_.Open();
  EXPECT_TRUE(fleet.AwaitDegraded("storage: ")) << fleet.Logs();
  EXPECT_FALSE(IsOver(fleet.Get(rollout.id())));
  server_.Start();
  EXPECT_TRUE(fleet.AwaitDegraded("")) << fleet.Logs();
  ExpectSuccess(fleet, rollout.id());
}

TEST_F(PostgresRollout, StoreMovesFromSqliteAndTheFleetWithIt) {
  MiniFleet fleet;
  v1::Rollout rollout = Begin(fleet);
  fleet.KillController();
  const std::string dir = fleet.dir() + "/controller";
  const std::vector<std::string> migrate = {
      MiniFleet::Program("slipway-controller"), "migrate-store", "--dir", dir, "--store",
      server_.Url("slipway", database_)};
  EXPECT_EQ(RunProgram(migrate, fleet.dir() + "/migrate.log"), 0)
      << ContentOf(fleet.dir() + "/migrate.log");
  EXPECT_EQ(RunProgram(migrate, fleet.dir() + "/again.log"), 1);
  EXPECT_NE(ContentOf(fleet.dir() + "/again.log").find("no store to move"), std::string::npos);
  fleet.StartController();  // its settings name the new store
  barrier_.Open();
  ExpectSuccess(fleet, rollout.id());
  EXPECT_EQ(ContentOf(dir + "/store.db"), "");
}

}  // namespace
}  // namespace slipway::test
