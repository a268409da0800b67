// A controller's and an agent's half of a session on loopback, with recorders where the cores are.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agent/session/controller_session.h"
#include "common/mutex.h"
#include "common/tls/authority.h"
#include "common/tls/client_config.h"
#include "controller/rpc/agent_sessions.h"

namespace slipway::test {

// Events as lines of text; tests wait for a line.
class Record {
 public:
  void Add(std::string line) ABSL_LOCKS_EXCLUDED(mu_);
  // The number of lines equal to `line` reaches `times` within thirty seconds.
  bool Await(const std::string& line, int times = 1) ABSL_LOCKS_EXCLUDED(mu_);
  int Count(const std::string& line) const ABSL_LOCKS_EXCLUDED(mu_);
  std::string Text() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  int CountLocked(const std::string& line) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  mutable Mutex mu_;
  CondVar changed_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mu_);
};

// The place of the runner pool.
class RecordedEvents final : public controller::SessionEvents {
 public:
  explicit RecordedEvents(Record& record) : record_(record) {}
  void Attached(const HostId& host) override { record_.Add("attached " + host.text); }
  void Lost(const HostId& host) override { record_.Add("lost " + host.text); }
  void Answered(const Answer& answer) override { record_.Add("answered " + ToString(answer.id)); }
  void Refused(const CommandId& id, bool again, const std::string& text) override {
    record_.Add("refused " + ToString(id) + (again ? " again " : " ") + text);
  }
  void Sighted(const HostId& host, const Observed&) override {
    record_.Add("sighted " + host.text);
  }
  void Witnessed(const HostId& host, const RolloutId& rollout, const Fence& fence) override {
    record_.Add("witnessed " + host.text + " " + rollout.text + " " + std::to_string(fence.epoch));
  }

 private:
  Record& record_;
};

// The place of the registry: who may come in.
class OpenGate final : public controller::HostGate {
 public:
  absl::Status Admit(const HostId& host, std::string_view) override;
  void Retire(const HostId& host);

 private:
  Mutex mu_;
  std::set<HostId> retired_ ABSL_GUARDED_BY(mu_);
};

// The controller's half, listening until it is destroyed.
class ControllerHalf {
 public:
  // `port` 0: the kernel's choice.
  ControllerHalf(const tls::Authority& authority, const controller::SessionTiming& timing,
                 int port = 0);
  ~ControllerHalf();

  std::string address() const { return "localhost:" + std::to_string(port_); }
  int port() const { return port_; }
  Record& record() { return record_; }
  OpenGate& gate() { return gate_; }
  controller::FleetView& view() { return view_; }
  controller::AgentSessions& sessions() { return *sessions_; }
  const tls::PeerVerifier& verifier() const { return verifier_; }

 private:
  Record record_;
  RecordedEvents events_{record_};
  OpenGate gate_;
  controller::FleetView view_;
  const tls::PeerVerifier verifier_;
  const controller::Authorizer authorizer_;
  std::unique_ptr<controller::AgentSessions> sessions_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

// The agent's half.
class AgentHalf final : public agent::SessionHandler {
 public:
  AgentHalf(const std::string& address, const tls::KeyMaterial& material,
            std::string agent_id = "a-1", const agent::AgentTiming& timing = {});
  ~AgentHalf() override { session_.Stop(); }

  agent::ControllerSession& session() { return session_; }
  Record& record() { return record_; }

  void FillHello(v1::Hello& hello) override;
  void Connected() override { record_.Add("connected"); }
  void Disconnected() override { record_.Add("disconnected"); }
  void Received(const Command& command, const std::string& nonce) override;
  void Acknowledged(const CommandId& id) override { record_.Add("acknowledged " + ToString(id)); }
  void Closed(const RolloutId& rollout) override { record_.Add("closed " + rollout.text); }
  void OutputWanted(const v1::OutputRequest& request) override;
  void Rejected(const absl::Status& why) override;

 private:
  const std::string agent_id_;
  Record record_;
  agent::ControllerSession session_;
};

// A fresh authority below the test's temporary folder.
tls::Authority FreshAuthority();
tls::KeyMaterial MaterialFor(const tls::Authority& authority, tls::Kind kind,
                             const std::string& name, const std::vector<std::string>& hosts = {});

}  // namespace slipway::test
