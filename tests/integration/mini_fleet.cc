#include "tests/integration/mini_fleet.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "common/artifact/release_push.h"
#include "common/artifact/seal.h"
#include "common/clock.h"
#include "common/plan/problem.h"
#include "common/tls/credentials.h"
#include "common/tls/pem_file.h"
#include "slipway/v1/artifact.pb.h"

namespace slipway::test {
namespace {

std::string FreshDir() {
  std::string pattern = testing::TempDir() + "/mini_fleet_XXXXXX";
  return ::mkdtemp(pattern.data());
}

// A call that waits for a controller that is not there yet.
void Patiently(grpc::ClientContext& context) {
  context.set_wait_for_ready(true);
  context.set_deadline(
      gpr_time_add(gpr_now(GPR_CLOCK_REALTIME), gpr_time_from_seconds(20, GPR_TIMESPAN)));
}

}  // namespace

std::string MiniFleet::Program(const std::string& name) {
  const char* binaries = std::getenv("SLIPWAY_BINARY_DIR");
  return std::string(binaries == nullptr ? "build/dev" : binaries) + "/bin/" + name;
}

MiniFleet::MiniFleet(std::vector<std::string> controller_flags)
    : dir_(FreshDir()), controller_flags_(std::move(controller_flags)) {
  RunProgram({Program("slipway-controller"), "init", "--dir", dir_ + "/controller", "--name",
              "localhost", "--operator", "alice", "--listen-operators", "127.0.0.1:0",
              "--listen-agents", "127.0.0.1:0", "--listen-enrolment", "127.0.0.1:0"},
             dir_ + "/controller.log");
  StartController();
  const std::string person = dir_ + "/controller/operators/alice/";
  const auto channel = Channel(Endpoint("operators"), person + "ca.pem", person + "operator.pem",
                               person + "operator.key");
  rollouts_ = v1::RolloutService::NewStub(channel);
  fleet_ = v1::FleetService::NewStub(channel);
}

std::vector<std::string> MiniFleet::Wrapped(const std::string& name,
                                            std::vector<std::string> argv) const {
  const auto wrapper = wrappers_.find(name);
  if (wrapper != wrappers_.end()) {
    argv.insert(argv.begin(), wrapper->second.begin(), wrapper->second.end());
  }
  return argv;
}

void MiniFleet::SpawnController() {
  std::vector<std::string> argv = {Program("slipway-controller"), "run", "--dir",
                                   dir_ + "/controller"};
  argv.insert(argv.end(), controller_flags_.begin(), controller_flags_.end());
  for (const std::string name : {"operators", "agents", "enrolment"}) {
    const std::string endpoint = Endpoint(name);
    if (!endpoint.empty()) ports_[name] = endpoint.substr(endpoint.rfind(':') + 1);
    if (!ports_.contains(name)) continue;  // the first time
    argv.push_back("--listen-" + name);
    argv.push_back("127.0.0.1:" + ports_[name]);
  }
  ::unlink((dir_ + "/controller/endpoints.json").c_str());
  controller_ = std::make_unique<Process>(Wrapped("controller", argv), dir_ + "/controller.log");
}

void MiniFleet::StartController() {
  SpawnController();
  EXPECT_TRUE(Await([&] { return !Endpoint("enrolment").empty(); })) << Logs();
}

void MiniFleet::KillController() {
  controller_->Signal(SIGKILL);
  controller_->Wait();
}

std::string MiniFleet::Endpoint(const std::string& name) const {
  const auto json =
      nlohmann::json::parse(ContentOf(dir_ + "/controller/endpoints.json"), nullptr, false);
  return json.is_object() ? json.value(name, "") : "";
}

std::shared_ptr<grpc::Channel> MiniFleet::Channel(const std::string& address, const std::string& ca,
                                                  const std::string& certificate,
                                                  const std::string& key) const {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 200);
  return grpc::CreateCustomChannel(
      address,
      tls::MutualChannelCredentials({ContentOf(ca), ContentOf(certificate), ContentOf(key)}),
      arguments);
}

std::string MiniFleet::MakeToken(const std::string& host) {
  v1::CreateEnrolmentTokenRequest request;
  request.set_request_id("token-" + std::to_string(++requests_));
  request.set_host(host);
  (*request.mutable_labels())["role"] = "web";
  v1::CreateEnrolmentTokenResponse response;
  grpc::ClientContext context;
  Patiently(context);
  const grpc::Status status = fleet_->CreateEnrolmentToken(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  const std::string path = dir_ + "/token-" + host;
  EXPECT_TRUE(tls::WriteFile(path, response.token(), tls::kPrivate).ok());
  return path;
}

bool MiniFleet::Enrol(const std::string& host) {
  return RunProgram({Program("slipway-agent"), "enroll", "--token-file", MakeToken(host), "--dir",
                     AgentDir(host)},
                    dir_ + "/" + host + ".log") == 0;
}

void MiniFleet::StartAgent(const std::string& host) {
  agents_[host] = std::make_unique<Process>(
      Wrapped(host, {Program("slipway-agent"), "run", "--dir", AgentDir(host)}),
      dir_ + "/" + host + ".log");
}

bool MiniFleet::StartAgents(int count) {
  for (int i = 1; i <= count; ++i) {
    const std::string host = "web-" + std::to_string(i);
    if (!Enrol(host)) return false;
    StartAgent(host);
  }
  return std::all_of(agents_.begin(), agents_.end(), [&](const auto& agent) {
    return AwaitHost(agent.first, v1::Host::CONNECTED);
  });
}

bool MiniFleet::PushRelease(const std::string& version) {
  const std::string dir = dir_ + "/release-" + version;
  ::mkdir(dir.c_str(), 0700);
  ::mkdir((dir + "/files").c_str(), 0700);
  const bool written =
      tls::WriteFile(dir + "/files/note", "nothing " + version + "\n", tls::kPublic).ok() &&
      tls::WriteFile(dir + "/release.yaml",
                     "release: 1\nname: nothing\nversion: " + version +
                         "\ncomponents:\n  files: { path: files/ }\n",
                     tls::kPublic)
          .ok();
  EXPECT_TRUE(written);
  return written && Push(dir);
}

bool MiniFleet::Push(const std::string& release) {
  std::vector<plan::Problem> problems;
  const auto sealed = SealRelease(release, {}, &problems);
  if (!sealed.ok()) {
    ADD_FAILURE() << sealed.status();
    return false;
  }
  const std::string person = dir_ + "/controller/operators/alice/";
  v1::ReleaseInfo made;
  const auto pushed =
      slipway::PushRelease(Channel(Endpoint("operators"), person + "ca.pem",
                                   person + "operator.pem", person + "operator.key"),
                           *sealed, {SystemClock()}, made);
  EXPECT_TRUE(pushed.ok()) << pushed.status();
  return pushed.ok();
}

grpc::Status MiniFleet::Deploy(const std::string& plan, v1::Rollout& rollout,
                               const std::string& version) {
  v1::CreateRolloutRequest request;
  request.set_request_id("deploy-" + std::to_string(++requests_));
  request.set_plan(plan);
  request.set_plan_path("plan.yaml");
  request.set_release("nothing@" + version);
  grpc::ClientContext context;
  Patiently(context);
  return rollouts_->CreateRollout(&context, request, &rollout);
}

v1::Rollout MiniFleet::Get(const std::string& rollout) {
  v1::GetRolloutRequest request;
  request.set_id(rollout);
  grpc::ClientContext context;
  Patiently(context);
  v1::Rollout response;
  rollouts_->GetRollout(&context, request, &response);
  return response;
}

v1::Host MiniFleet::Host(const std::string& name) {
  v1::GetHostRequest request;
  request.set_name(name);
  grpc::ClientContext context;
  Patiently(context);
  v1::Host response;
  fleet_->GetHost(&context, request, &response);
  return response;
}

bool MiniFleet::Await(const std::function<bool()>& holds, absl::Duration patience) {
  const absl::Duration deadline = SystemClock().Monotonic() + patience;
  while (!holds()) {
    if (SystemClock().Monotonic() > deadline) return false;
    SystemClock().Sleep(absl::Milliseconds(20));
  }
  return true;
}

bool MiniFleet::AwaitRollout(const std::string& rollout,
                             const std::function<bool(const v1::Rollout&)>& holds) {
  return Await([&] { return holds(Get(rollout)); });
}

bool MiniFleet::AwaitHost(const std::string& host, v1::Host::State state) {
  return Await([&] { return Host(host).state() == state; });
}

bool MiniFleet::AwaitUnlocked(const std::string& host) {
  return Await([&] { return Host(host).locked_by().empty(); });
}

bool MiniFleet::AwaitDegraded(const std::string& words) {
  return Await([&] {
    v1::ListRolloutsResponse response;
    grpc::ClientContext context;
    Patiently(context);
    if (!rollouts_->ListRollouts(&context, {}, &response).ok()) return false;
    return words.empty() ? response.degraded().empty() : response.degraded().starts_with(words);
  });
}

std::string MiniFleet::Logs() const {
  std::string text = ContentOf(dir_ + "/controller.log");
  for (const auto& [host, process] : agents_) text += ContentOf(dir_ + "/" + host + ".log");
  return text;
}

}  // namespace slipway::test
