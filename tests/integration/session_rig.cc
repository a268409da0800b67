#include "tests/integration/session_rig.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/clock.h"
#include "common/tls/credentials.h"
#include "common/tls/key.h"
#include "common/tls/verify.h"
#include "slipway/v1/agent_session.pb.h"

namespace slipway::test {

void Record::Add(std::string line) {
  MutexLock lock(mu_);
  lines_.push_back(std::move(line));
  changed_.NotifyAll();
}

int Record::CountLocked(const std::string& line) const {
  return static_cast<int>(std::count(lines_.begin(), lines_.end(), line));
}

int Record::Count(const std::string& line) const {
  MutexLock lock(mu_);
  return CountLocked(line);
}

bool Record::Await(const std::string& line, int times) {
  const absl::Duration deadline = SystemClock().Monotonic() + absl::Seconds(30);
  MutexLock lock(mu_);
  while (CountLocked(line) < times) {
    const absl::Duration left = deadline - SystemClock().Monotonic();
    if (left <= absl::ZeroDuration()) return false;
    changed_.WaitFor(mu_, left);
  }
  return true;
}

std::string Record::Text() const {
  MutexLock lock(mu_);
  std::string text;
  for (const auto& line : lines_) text += line + "\n";
  return text;
}

absl::Status OpenGate::Admit(const HostId& host, std::string_view) {
  MutexLock lock(mu_);
  if (retired_.count(host) != 0) return absl::PermissionDeniedError(host.text + " is retired");
  return absl::OkStatus();
}

void OpenGate::Retire(const HostId& host) {
  MutexLock lock(mu_);
  retired_.insert(host);
}

ControllerHalf::ControllerHalf(const tls::Authority& authority,
                               const controller::SessionTiming& timing, int port)
    : verifier_(*tls::PeerVerifier::Create(authority.anchors())),
      authorizer_(verifier_, gate_, SystemClock()),
      sessions_(std::make_unique<controller::AgentSessions>(
          controller::AgentSessions::Ports{authorizer_, view_, events_, SystemClock()}, timing)) {
  auto credentials = tls::MutualServerCredentials(
      MaterialFor(authority, tls::Kind::controller, "main", {"localhost"}));
  authorizer_.Guard(*credentials);
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:" + std::to_string(port), std::move(credentials), &port_);
  sessions_->AddTo(builder);
  server_ = builder.BuildAndStart();
  sessions_->Start();
}

ControllerHalf::~ControllerHalf() {
  sessions_->BeginShutdown();
  server_->Shutdown(
      gpr_time_add(gpr_now(GPR_CLOCK_REALTIME), gpr_time_from_seconds(2, GPR_TIMESPAN)));
  sessions_->Join();
}

AgentHalf::AgentHalf(const std::string& address, const tls::KeyMaterial& material,
                     std::string agent_id, const agent::AgentTiming& timing)
    : agent_id_(std::move(agent_id)), session_(address, material, timing, SystemClock(), *this) {
  session_.Start();
}

void AgentHalf::FillHello(v1::Hello& hello) {
  hello.set_agent_version("test");
  hello.set_agent_id(agent_id_);
  hello.set_boot_id("boot-1");
  auto* witness = hello.add_witnesses();
  witness->set_rollout("ro-1");
  witness->set_epoch(7);
}

void AgentHalf::Received(const Command& command, const std::string& nonce) {
  record_.Add("received " + ToString(command.id) + (command.nonce == nonce ? "" : " wrong nonce"));
}

void AgentHalf::OutputWanted(const v1::OutputRequest& request) {
  record_.Add(request.cancel() ? "output cancelled" : "output wanted " + request.id());
  if (request.cancel()) return;
  v1::OutputChunk chunk;
  chunk.set_request(request.request());
  chunk.set_data("first lines");
  session_.Output(chunk);
}

void AgentHalf::Rejected(const absl::Status& why) {
  record_.Add("rejected " + std::string(why.message()));
}

tls::Authority FreshAuthority() {
  std::string pattern = testing::TempDir() + "/session_XXXXXX";
  return *tls::Authority::Create(::mkdtemp(pattern.data()), "fleet.test", SystemClock().Now());
}

tls::KeyMaterial MaterialFor(const tls::Authority& authority, tls::Kind kind,
                             const std::string& name, const std::vector<std::string>& hosts) {
  const std::string key = *tls::MakeKey();
  return {authority.anchors().root_pem,
          *authority.IssueLeaf(kind, name, hosts, *tls::PublicKeyOf(key), SystemClock().Now()),
          key};
}

}  // namespace slipway::test
