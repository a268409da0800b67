#include <gtest/gtest.h>

#include "controller/fleet/fleet_view.h"
#include "controller/fleet/output_stream.h"

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
