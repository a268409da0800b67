// The plans that are delivered, against the release that is delivered.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "absl/strings/str_replace.h"
#include "common/artifact/release_file.h"
#include "common/plan/plan_file.h"
#include "common/plan/render_problems.h"
#include "controller/planner/planner.h"
#include "controller/planner/preview.h"
#include "slipway/v1/plan.pb.h"
#include "slipway/v1/rollout.pb.h"

namespace slipway::controller {
namespace {

std::string ReadDeployed(const std::string& name) {
  const char* root = std::getenv("SLIPWAY_SOURCE_DIR");
  const std::string path =
      std::string(root == nullptr ? "." : root) + "/deploy/media-repository/" + name;
  std::ifstream in(path);
  EXPECT_TRUE(in.good()) << path;
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

v1::Release DeployedRelease() {
  v1::Release release;
  const ReleaseFileContent read = ReadReleaseFile(
      "release.yaml",
      absl::StrReplaceAll(ReadDeployed("release/release.yaml.in"), {{"@VERSION@", "2.0.0"}}),
      release);
  EXPECT_EQ(plan::RenderProblems(read.problems, plan::Colour::none), "");
  release.set_digest("sha256:new");
  return release;
}

std::vector<PlanHost> SixAgents() {
  std::vector<PlanHost> hosts;
  for (int i = 1; i <= 6; ++i) {
    const std::string number = std::to_string(i);
    hosts.push_back({.id = {"media-" + number},
                     .labels = {{"role", "backend"},
                                {"root", "/var/demo/" + number},
                                {"port", "1808" + number}},
                     .address = "127.0.0.1"});
  }
  return hosts;
}

class DeployedPlan : public testing::TestWithParam<const char*> {};

TEST_P(DeployedPlan, CompilesForSixHostsAndCanGoBackFromEveryStep) {
  const plan::LoadedPlan loaded = plan::LoadPlan(GetParam(), ReadDeployed(GetParam()));
  ASSERT_EQ(plan::RenderProblems(loaded.problems, plan::Colour::none), "");
  const CompiledPlan compiled =
      CompilePlan(*loaded.plan, loaded.source, DeployedRelease(), SixAgents(), {});
  ASSERT_EQ(plan::RenderProblems(compiled.problems, plan::Colour::none), "");
  EXPECT_EQ(compiled.targets.size(), 6U);
  const v1::RolloutPreview preview =
      PreviewOf(*loaded.plan, DeployedRelease(), compiled, engine::Forward(compiled.plan, 1));
  EXPECT_GE(preview.batches_size(), 5);
  for (const v1::PreviewFailure& failure : preview.if_failed()) {
    EXPECT_FALSE(failure.point_of_no_return()) << failure.step();
  }
}

INSTANTIATE_TEST_SUITE_P(All, DeployedPlan, testing::Values("quickstart.yaml", "staging.yaml"),
                         [](const auto& info) {
                           return std::string(info.param, std::string(info.param).find('.'));
                         });

}  // namespace
}  // namespace slipway::controller
