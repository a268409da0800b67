#include <gtest/gtest.h>

#include "controller/fleet/fleet_view.h"
#include "controller/fleet/last_report.h"
#include "controller/fleet/output_stream.h"
#include "slipway/v1/agent_session.pb.h"

namespace slipway::controller {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

TEST(FleetView, HostThatLeftKeepsWhatWasKnownOfItButNotWhatWasMeasured) {
  FleetView view;
  LiveHost host;
  host.connected = true;
  host.agent_version = "0.1.0";
  view.Connected({"web-1"}, host);
  view.Measured({"web-1"}, absl::Milliseconds(3));
  view.Disconnected({"web-1"}, kNow);
  const auto found = view.Find({"web-1"});
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->connected);
  EXPECT_EQ(found->agent_version, "0.1.0");
  EXPECT_EQ(found->last_seen, kNow);
  EXPECT_EQ(found->round_trip, absl::ZeroDuration());
  EXPECT_FALSE(view.Find({"web-2"}));
}

TEST(FleetView, LastReportHoldsUntilTheHostTellsMore) {
  const auto report = std::make_shared<v1::HealthReport>();
  FleetView view;
  LiveHost then;
  then.agent_version = "0.1.0";
  then.health = report;
  view.Recall({"web-1"}, then);
  LiveHost now;
  now.connected = true;
  now.agent_version = "0.2.0";
  view.Connected({"web-1"}, now);
  EXPECT_EQ(view.Find({"web-1"})->agent_version, "0.2.0");
  EXPECT_EQ(view.Find({"web-1"})->health, report);
  view.Recall({"web-1"}, then);
  EXPECT_TRUE(view.Find({"web-1"})->connected) << "what is now counts";
}

TEST(LastReport, KeepsWhatRolloutsArePlannedFrom) {
  v1::HealthReport health;
  v1::VersionMessage& media = (*health.mutable_apps())["/srv/media"];
  media.set_on_disk("sha256:a");
  media.set_running("sha256:a");
  media.set_label("2.0.0");
  health.set_load1(0.5);
  health.add_services()->set_name("media");
  v1::Facts facts;
  facts.add_addresses("10.0.0.1");
  LiveHost live;
  live.agent_version = "0.1.0";
  live.labels = std::make_shared<std::map<std::string, std::string>>(
      std::map<std::string, std::string>{{"role", "web"}});
  live.facts = std::make_shared<v1::Facts>(facts);
  EXPECT_EQ(EncodeLastReport(live), "") << "nothing of applications yet";
  live.health = std::make_shared<v1::HealthReport>(health);

  HostRecord record;
  record.id = {"web-1"};
  record.last_seen = kNow;
  record.report = EncodeLastReport(live);
  const LiveHost then = DecodeLastReport(record);
  EXPECT_FALSE(then.connected);
  EXPECT_EQ(then.last_seen, kNow);
  EXPECT_EQ(then.agent_version, "0.1.0");
  EXPECT_EQ(*then.labels, *live.labels);
  EXPECT_EQ(then.facts->addresses(0), "10.0.0.1");
  EXPECT_EQ(then.health->apps().at("/srv/media").label(), "2.0.0");
  EXPECT_EQ(then.health->services_size(), 0) << "of the moment";

  LiveHost busier = live;
  health.set_load1(7);
  busier.health = std::make_shared<v1::HealthReport>(health);
  EXPECT_EQ(EncodeLastReport(busier), EncodeLastReport(live)) << "nothing to write";
}

TEST(LastReport, UnreadableOneIsAsGoodAsNone) {
  HostRecord record;
  record.report = "\xff\xff";
  EXPECT_EQ(DecodeLastReport(record).health, nullptr);
}

TEST(OutputStream, PiecesComeInOrderAndThenTheEnd) {
  OutputStream stream;
  EXPECT_TRUE(stream.Push({"one", 0}));
  EXPECT_TRUE(stream.Push({"two", 5}));
  stream.End(absl::OkStatus());
  EXPECT_FALSE(stream.Push({"late", 0}));
  EXPECT_EQ((*stream.Next(absl::ZeroDuration()))->data, "one");
  EXPECT_EQ((*stream.Next(absl::ZeroDuration()))->dropped, 5u);
  const auto end = stream.Next(absl::ZeroDuration());
  ASSERT_TRUE(end.ok());
  EXPECT_FALSE(end->has_value());
}

TEST(OutputStream, SlowReaderLosesTheStream) {
  OutputStream stream;
  const std::string block(1 << 20, 'x');
  while (stream.Push({block, 0})) {
  }
  absl::StatusOr<std::optional<OutputStream::Piece>> next = stream.Next(absl::ZeroDuration());
  while (next.ok()) next = stream.Next(absl::ZeroDuration());
  EXPECT_EQ(next.status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(OutputStream, NothingYetIsNotTheEnd) {
  OutputStream stream;
  EXPECT_EQ(stream.Next(absl::Milliseconds(1)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace slipway::controller
