#include "agent/health/health_monitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/actions/test_host.h"
#include "agent/health/health_codec.h"
#include "slipway/v1/agent_session.pb.h"

namespace slipway::agent {
namespace {

using testing::HasSubstr;

class HealthMonitorTest : public testing::Test {
 protected:
  Version App() { return monitor_.Observe().at(host_.app()); }
  // As if the process had been started from somewhere else.
  void RunFrom(const std::string& dir) {
    ASSERT_TRUE(host_.services.Start({.id = host_.shop(), .release_dir = dir, .argv = {"x"}}).ok());
  }

  TestHost host_;
  HealthMonitor monitor_{host_.clock, host_.releases(), host_.services};
};

TEST_F(HealthMonitorTest, AppWithoutServicesIsWellWhenItIsThere) {
  EXPECT_EQ(App(), (Version{host_.digest("1.0"), "", "1.0", true}));
  ASSERT_TRUE(host_.releases().SwitchTo(host_.app(), "").ok());
  EXPECT_EQ(App(), (Version{"", "", "", false}));
}

TEST_F(HealthMonitorTest, RunningIsWhatTheProcessWasStartedFrom) {
  host_.RunShop("1.0");
  EXPECT_EQ(App(), (Version{host_.digest("1.0"), host_.digest("1.0"), "1.0", true}));
  ASSERT_TRUE(host_.releases().SwitchTo(host_.app(), host_.digest("2.0")).ok());
  EXPECT_EQ(App().on_disk, host_.digest("2.0"));
  EXPECT_EQ(App().running, host_.digest("1.0")) << "switching starts nothing";
}

TEST_F(HealthMonitorTest, ProcessFromElsewhereIsUnproven) {
  RunFrom("/opt/old");
  EXPECT_EQ(App().running, "unproven");
}

TEST_F(HealthMonitorTest, DeadServiceMakesItsAppUnhealthy) {
  host_.RunShop("1.0");
  host_.services.Die(host_.shop());
  EXPECT_EQ(App(), (Version{host_.digest("1.0"), "", "1.0", false}));
  const HostHealth health = monitor_.Look();
  ASSERT_EQ(health.services.size(), 1u);
  EXPECT_EQ(health.services[0].detail, "was ended by SIGKILL");
}

TEST_F(HealthMonitorTest, ServiceThatDoesNotAnswerIsUnhealthyWithItsReason) {
  ASSERT_TRUE(
      host_.services
          .Start({.id = host_.shop(),
                  .release_dir = *host_.releases().ReleaseDir(host_.app(), host_.digest("1.0")),
                  .argv = {"bin/shop"},
                  .tcp = "127.0.0.1:1"})
          .ok());
  EXPECT_FALSE(App().healthy);
  const HostHealth health = monitor_.Look();
  EXPECT_FALSE(health.services[0].healthy);
  EXPECT_THAT(health.services[0].detail, HasSubstr("127.0.0.1:1"));
}

TEST_F(HealthMonitorTest, LookMeasuresTheHost) {
  const HostHealth health = monitor_.Look();
  EXPECT_GT(health.memory_bytes, health.memory_available_bytes);
  EXPECT_GT(health.memory_available_bytes, 0u);
  ASSERT_FALSE(health.disks.empty());
  EXPECT_EQ(health.disks[0].path, "/");
  EXPECT_GT(health.disks[0].total_bytes, health.disks[0].free_bytes);
  EXPECT_EQ(health.clock, host_.clock.Now());
  EXPECT_LE(monitor_.Look().cpu_permille, 1000u);
}

TEST_F(HealthMonitorTest, ChangeIsReportedBeforeTheTenSecondsAreOver) {
  Mutex mu;
  CondVar cv;
  int reports = 0;
  HostHealth last;
  host_.RunShop("1.0");
  monitor_.Start([&](const HostHealth& health) {
    MutexLock lock(mu);
    ++reports;
    last = health;
    cv.NotifyAll();
  });
  {
    MutexLock lock(mu);
    while (reports < 1) ASSERT_TRUE(cv.WaitFor(mu, absl::Seconds(20)));
    EXPECT_TRUE(last.services[0].healthy);
  }
  host_.services.Die(host_.shop());  // the clock stands still: only a change can be the reason
  MutexLock lock(mu);
  while (reports < 2) ASSERT_TRUE(cv.WaitFor(mu, absl::Seconds(20)));
  EXPECT_FALSE(last.services[0].healthy);
}

TEST_F(HealthMonitorTest, ReportCarriesEverything) {
  host_.RunShop("1.0");
  const HostHealth health = monitor_.Look();
  v1::HealthReport report;
  Encode(health, report);
  EXPECT_EQ(report.apps().at(host_.app()).running(), host_.digest("1.0"));
  EXPECT_TRUE(report.apps().at(host_.app()).healthy());
  ASSERT_EQ(report.services_size(), 1);
  EXPECT_EQ(report.services(0).name(), "shop");
  EXPECT_EQ(report.services(0).state(), v1::ServiceHealth::RUNNING);
  EXPECT_EQ(report.services(0).pid(), health.services[0].status.pid);
  EXPECT_EQ(report.services(0).rss_bytes(), health.services[0].status.rss_bytes);
  EXPECT_TRUE(report.services(0).has_since());
  EXPECT_EQ(report.disks_size(), static_cast<int>(health.disks.size()));
  EXPECT_EQ(report.memory_bytes(), health.memory_bytes);
  EXPECT_TRUE(report.has_clock());
}

}  // namespace
}  // namespace slipway::agent
