#include "agent/program_proof.h"

#include <gtest/gtest.h>

#include "common/fs/test_directory.h"

namespace slipway::agent {
namespace {

constexpr char kNew[] = "/p/releases/2-ab/bin/slipway-agent";
constexpr absl::Duration kStart = absl::Hours(5);
constexpr absl::Duration kLong = absl::Hours(1);

class ProgramProofTest : public testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) {
    folder_.Write("program/" + name, text);
  }
  std::string Proven() const { return folder_.Read("program/proven"); }
  std::string dir() const { return folder_.path(); }

  TestDirectory folder_;
};

TEST_F(ProgramProofTest, AttachingProvesAProgramDurably) {
  Write("proven", "/usr/bin/slipway-agent\n");
  Write("tries", std::string("1 ") + kNew + "\n");
  ProgramProof proof(dir(), kNew, kStart);
  EXPECT_TRUE(proof.Look(false, kStart).ok());
  EXPECT_EQ(Proven(), "/usr/bin/slipway-agent\n");
  EXPECT_TRUE(proof.Look(true, kStart).ok());
  EXPECT_EQ(Proven(), std::string(kNew) + "\n");
}

TEST_F(ProgramProofTest, ANewProgramThatDoesNotAttachGivesUp) {
  Write("tries", std::string("1 ") + kNew + "\n");
  ProgramProof proof(dir(), kNew, kStart);
  EXPECT_TRUE(proof.Look(false, kStart + absl::Seconds(119)).ok());
  EXPECT_EQ(proof.Look(false, kStart + absl::Seconds(120)).code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST_F(ProgramProofTest, AProvenProgramWaitsForItsControllerForEver) {
  Write("proven", std::string(kNew) + "\n");
  Write("tries", std::string("1 ") + kNew + "\n");
  ProgramProof proof(dir(), kNew, kStart);
  EXPECT_TRUE(proof.Look(false, kStart + kLong).ok());
}

TEST_F(ProgramProofTest, OneThatWasAttachedOnceWaitsForEverToo) {
  Write("tries", std::string("1 ") + kNew + "\n");
  ProgramProof proof(dir(), kNew, kStart);
  EXPECT_TRUE(proof.Look(true, kStart).ok());
  EXPECT_TRUE(proof.Look(false, kStart + kLong).ok());
}

TEST_F(ProgramProofTest, AProgramThatNoRolloutBroughtHasNoLimit) {
  Write("tries", std::string("3 ") + kNew + "\n");
  ProgramProof proof(dir(), "/usr/bin/slipway-agent", kStart);
  EXPECT_TRUE(proof.Look(false, kStart + kLong).ok());
}

}  // namespace
}  // namespace slipway::agent
