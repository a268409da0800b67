// The real program beside a controller that answers what the test says.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "slipway/v1/artifact.pb.h"
#include "slipway/v1/fleet.pb.h"
#include "slipway/v1/rollout.pb.h"
#include "tests/cli/fake_controller.h"
#include "tests/cli/program.h"

namespace slipway::cli {

inline v1::Rollout RolloutIn(v1::Rollout::State state, std::uint64_t sequence = 1) {
  v1::Rollout rollout;
  rollout.set_id("ro-M4TZ7K");
  rollout.set_plan("shop");
  rollout.set_environment("staging");
  rollout.set_version("2.4.0");
  rollout.add_previous_versions("2.3.1");
  rollout.set_state(state);
  rollout.set_sequence(sequence);
  for (const char* name : {"web-1", "web-2"}) {
    auto* host = rollout.add_hosts();
    host->set_name(name);
    host->set_connected(true);
    host->set_standing(state == v1::Rollout::SUCCEEDED ? "new" : "old");
  }
  return rollout;
}

class CliTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/slipway-cli-XXXXXX";
    dir_ = mkdtemp(name);
    std::ofstream(dir_ + "/plan.yaml") << "plan: 1\n";
    script_.get = [this](const std::string&) { return now_; };
    script_.create = [this](const v1::CreateRolloutRequest&) { return now_; };
    script_.steer = [this](const std::string&, const v1::SteerRequest&) { return now_; };
    script_.hosts = [](const std::string&) { return v1::ListHostsResponse(); };
    controller_ = FakeController::Start(dir_, script_);
    ASSERT_NE(controller_, nullptr);
  }
  void TearDown() override {
    controller_.reset();
    std::filesystem::remove_all(dir_);
  }

  int Run(const std::vector<std::string>& arguments) {
    Program program(arguments, controller_->environment());
    const int code = program.Wait();
    output_ = program.output();
    return code;
  }
  int Deploy(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"deploy", dir_ + "/plan.yaml", "--version", "2.4.0"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Run(arguments);
  }
  // The rollout starts, and the watch brings it into `end`.
  int DeployThatEnds(const v1::Rollout& end, std::vector<std::string> more = {}) {
    now_ = RolloutIn(v1::Rollout::RUNNING);
    v1::RolloutUpdate update;
    *update.mutable_rollout() = end;
    update.mutable_rollout()->set_sequence(9);
    script_.updates = {update};
    return Deploy(std::move(more));
  }

  std::string dir_, output_;
  absl::StatusOr<v1::Rollout> now_ = RolloutIn(v1::Rollout::RUNNING);
  Script script_;
  std::unique_ptr<FakeController> controller_;
};

}  // namespace slipway::cli
