#include "controller/rpc/request_once.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "common/manual_clock.h"
#include "controller/registry/memory_store.h"

namespace slipway::controller {
namespace {

using Remembers = RequestOnce::Remembers;

class RequestOnceTest : public testing::Test {
 protected:
  absl::StatusOr<std::string> Call(const std::string& id, const std::string& method = "Pause") {
    return once_.Run(method, id, Remembers::here, [this]() -> absl::StatusOr<std::string> {
      const int call = ++calls_;
      if (fails_) return absl::UnavailableError("storage");
      return "answer " + std::to_string(call);
    });
  }

  ManualClock clock_;
  MemoryStore store_;
  RequestOnce once_{store_.registry(), clock_};
  std::atomic<int> calls_ = 0;
  bool fails_ = false;
};

TEST_F(RequestOnceTest, RepetitionGetsTheFirstAnswer) {
  EXPECT_EQ(Call("a").value_or("?"), "answer 1");
  EXPECT_EQ(Call("a").value_or("?"), "answer 1");
  EXPECT_EQ(Call("b").value_or("?"), "answer 2");
  EXPECT_EQ(Call("a", "Resume").value_or("?"), "answer 3") << "another method, another call";
}

TEST_F(RequestOnceTest, FailedCallMayBeTriedAgain) {
  fails_ = true;
  EXPECT_EQ(Call("a").status().code(), absl::StatusCode::kUnavailable);
  fails_ = false;
  EXPECT_EQ(Call("a").value_or("?"), "answer 2");
}

TEST_F(RequestOnceTest, ManyAtOnceAreOneCall) {
  std::vector<std::thread> threads;
  std::atomic<int> same = 0;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] { same += Call("a").value_or("?") == "answer 1"; });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(same, 16);
  EXPECT_EQ(calls_, 1);
}

TEST_F(RequestOnceTest, CallWithoutIdIsRefused) {
  EXPECT_EQ(Call("").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Call(std::string(200, 'x')).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(calls_, 0);
}

}  // namespace
}  // namespace slipway::controller
