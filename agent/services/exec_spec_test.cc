#include "agent/services/exec_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>

#include "common/fs/test_directory.h"

namespace slipway::agent {
namespace {

TEST(ExecSpec, RoundTripKeepsEveryField) {
  const TestDirectory folder;
  const ExecSpec spec{.argv = {"/bin/x", "", "a=b\nc"},
                      .env = {"A=1", "B="},
                      .cwd = "/tmp",
                      .user = "media",
                      .exclusive = "/run/lock",
                      .log = "/var/log/x",
                      .log_bytes_max = 123,
                      .log_keep = 7,
                      .deadline = absl::Seconds(3),
                      .grace = absl::Milliseconds(5),
                      .processes_max = 17};
  ASSERT_TRUE(WriteSpec(folder.path(), spec).ok());
  const auto read = ReadSpec(folder.path());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, spec);
}

TEST(ExecSpec, RecordsRoundTrip) {
  const TestDirectory folder;
  const ExecRunning running{.shim = {12, 34, "boot"},
                            .child = {13, 56, "boot"},
                            .since = absl::FromUnixMillis(1'700'000'000'123)};
  ASSERT_TRUE(WriteRunning(folder.path(), running).ok());
  EXPECT_EQ(ReadRunning(folder.path()).value(), running);

  const ExecExit exit{.refused = "no such file",
                      .code = 3,
                      .signal = 9,
                      .timed_out = true,
                      .leftovers = 2,
                      .at = absl::FromUnixMillis(1'700'000'000'456)};
  ASSERT_TRUE(ReserveExit(folder.path()).ok());
  ASSERT_TRUE(WriteExit(folder.path(), exit).ok());
  EXPECT_EQ(ReadExit(folder.path()).value(), exit);
}

TEST(ExecSpec, AbsentIsNotFoundAndNonsenseIsDataLoss) {
  const TestDirectory folder;
  EXPECT_EQ(ReadExit(folder.path()).status().code(), absl::StatusCode::kNotFound);
  for (const std::string nonsense : {"code=1", "what=1", "no equals"}) {
    std::ofstream(folder.path() + "/exit")
        << nonsense << (nonsense == "code=1" ? "" : std::string(1, '\0'));
    EXPECT_EQ(ReadExit(folder.path()).status().code(), absl::StatusCode::kDataLoss) << nonsense;
  }
}

TEST(ExecSpec, DescriptionsReadLikeSentences) {
  EXPECT_EQ(Describe({.code = 3}), "exited with status 3");
  EXPECT_EQ(Describe({.signal = SIGKILL, .timed_out = true}),
            "was ended by SIGKILL after its time was up");
  EXPECT_EQ(Describe({.refused = "cannot execute /x: No such file"}),
            "could not be started: cannot execute /x: No such file");
}

}  // namespace
}  // namespace slipway::agent
