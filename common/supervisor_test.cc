#include "common/supervisor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "common/manual_clock.h"

namespace slipway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A service manager as far as its socket goes.
class SupervisorTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(::mkdtemp(folder_), nullptr);
    path_ = std::string(folder_) + "/notify";
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ASSERT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ::setenv("NOTIFY_SOCKET", path_.c_str(), 1);
  }
  void TearDown() override {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
    ::close(socket_);
    ::unlink(path_.c_str());
    ::rmdir(folder_);
  }
  std::vector<std::string> Heard() const {
    std::vector<std::string> heard;
    char buffer[512];
    for (ssize_t n = 0; (n = ::recv(socket_, buffer, sizeof buffer, 0)) > 0;) {
      heard.emplace_back(buffer, static_cast<std::size_t>(n));
    }
    return heard;
  }

  ManualClock clock_;
  char folder_[32] = "/tmp/supervisor.XXXXXX";
  std::string path_;
  int socket_ = -1;
};

TEST_F(SupervisorTest, ItsLifeIsTold) {
  const Supervisor supervisor(clock_);
  supervisor.Ready("listening");
  supervisor.Status("3 hosts");
  supervisor.Stopping();
  EXPECT_THAT(Heard(), ElementsAre("READY=1\nSTATUS=listening", "STATUS=3 hosts",
                                   "STOPPING=1\nSTATUS=going down"));
}

TEST_F(SupervisorTest, ChildrenCannotSpeakInOurName) {
  ::setenv("WATCHDOG_USEC", "1000000", 1);
  const Supervisor supervisor(clock_);
  EXPECT_EQ(::getenv("NOTIFY_SOCKET"), nullptr);
  EXPECT_EQ(::getenv("WATCHDOG_USEC"), nullptr);
}

TEST_F(SupervisorTest, ALoopThatTurnsOftenIsReportedFourTimesInTheInterval) {
  ::setenv("WATCHDOG_USEC", "20000000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  Supervisor supervisor(clock_);
  for (int turn = 0; turn < 200; ++turn) {
    supervisor.Alive();
    clock_.Advance(absl::Milliseconds(100));
  }
  EXPECT_THAT(Heard(), ElementsAre("WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"));
}

TEST_F(SupervisorTest, AWatchdogOfAnotherProcessIsNotOurs) {
  ::setenv("WATCHDOG_USEC", "20000000", 1);
  ::setenv("WATCHDOG_PID", "1", 1);
  Supervisor supervisor(clock_);
  supervisor.Alive();
  EXPECT_THAT(Heard(), IsEmpty());
}

TEST_F(SupervisorTest, WithoutAServiceManagerNothingIsSaid) {
  ::unsetenv("NOTIFY_SOCKET");
  ::setenv("WATCHDOG_USEC", "1000000", 1);
  Supervisor supervisor(clock_);
  supervisor.Ready("listening");
  supervisor.Alive();
  EXPECT_THAT(Heard(), IsEmpty());
}

}  // namespace
}  // namespace slipway
