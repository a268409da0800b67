#include "agent/state/output_spool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "common/fs/test_directory.h"

namespace slipway::agent {
namespace {

CommandId Id(int attempt) {
  return {.rollout = {"ro-1"}, .batch = 2, .step = 3, .host = {"web-1"}, .attempt = attempt};
}

TEST(OutputArchive, SaidIsReadByCommand) {
  const TestDirectory folder;
  const auto archive = *OutputArchive::Open(folder.path() + "/output");
  const auto spool = *archive->SpoolOf(Id(1));
  spool->Say("hello");
  spool->Write("world");
  EXPECT_EQ(archive->Read(Id(1), 0, 100)->bytes, "hello\nworld");
  EXPECT_EQ(archive->Read(Id(1), 6, 100)->bytes, "world");
  EXPECT_EQ(spool->Tail(3), "rld");
  EXPECT_EQ(archive->Read(Id(2), 0, 100).status().code(), absl::StatusCode::kNotFound);
}

TEST(OutputArchive, SpoolGoesOnAfterARestart) {
  const TestDirectory folder;
  const auto archive = *OutputArchive::Open(folder.path());
  (*archive->SpoolOf(Id(1)))->Say("before");
  (*archive->SpoolOf(Id(1)))->Say("after");
  EXPECT_EQ(archive->Read(Id(1), 0, 100)->bytes, "before\nafter\n");
}

TEST(OutputArchive, ForgottenRolloutLeavesNothing) {
  const TestDirectory folder;
  const auto archive = *OutputArchive::Open(folder.path());
  (*archive->SpoolOf(Id(1)))->Say("x");
  archive->Forget({"ro-1"});
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(OutputArchive, HostileIdStaysInside) {
  EXPECT_EQ(RolloutFolder({"../../etc"}), "_.._.._etc");
  CommandId id = Id(1);
  id.host.text = "../x";
  EXPECT_EQ(CommandFolder(id).find('/'), std::string::npos);
}

}  // namespace
}  // namespace slipway::agent
