// A real controller and real agents, each a process of its own, on loopback and in one folder.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "slipway/v1/fleet.grpc.pb.h"
#include "slipway/v1/rollout.grpc.pb.h"
#include "tests/integration/process.h"

namespace slipway::test {

class MiniFleet {
 public:
  static constexpr absl::Duration kPatience = absl::Seconds(40);

  // Initialises a controller and starts it, with these flags each time; ports are the kernel's
  // choice, the first time.
  explicit MiniFleet(std::vector<std::string> controller_flags = {});

  // Enrols agents "web-1" to "web-n" (label role=web), starts them, and waits until all of them
  // are connected. False: it took too long.
  bool StartAgents(int count);

  void StartController();
  // The same without waiting until it listens: it may die before.
  void SpawnController();
  void KillController();  // with KILL
  void StartAgent(const std::string& host);
  // From now on `name`, a host or "controller", is started by this command line, its own behind it.
  void Wrap(const std::string& name, std::vector<std::string> wrapper) {
    wrappers_[name] = std::move(wrapper);
  }
  Process& controller() { return *controller_; }
  Process& agent(const std::string& host) { return *agents_.at(host); }

  v1::RolloutService::Stub& rollouts() { return *rollouts_; }
  v1::FleetService::Stub& fleet() { return *fleet_; }

  // A release of one small file, "nothing" of that version, pushed once.
  bool PushRelease(const std::string& version = "1.0.0");
  // The release in this folder.
  bool Push(const std::string& release);
  // Errors as of CreateRollout.
  grpc::Status Deploy(const std::string& plan, v1::Rollout& rollout,
                      const std::string& version = "1.0.0");
  v1::Rollout Get(const std::string& rollout);
  v1::Host Host(const std::string& name);
  // Asks again until `holds`; false when it does not within `patience`.
  static bool Await(const std::function<bool()>& holds, absl::Duration patience = kPatience);
  bool AwaitRollout(const std::string& rollout,
                    const std::function<bool(const v1::Rollout&)>& holds);
  bool AwaitHost(const std::string& host, v1::Host::State state);
  // A rollout frees its hosts right after its last event.
  bool AwaitUnlocked(const std::string& host);
  // Until the controller says that it is degraded, in words that begin so; "": that it is not.
  bool AwaitDegraded(const std::string& words);

  // A client with a certificate and key of this folder's.
  std::shared_ptr<grpc::Channel> Channel(const std::string& address, const std::string& ca,
                                         const std::string& certificate,
                                         const std::string& key) const;
  std::string Endpoint(const std::string& name) const;  // "operators", "agents", "enrolment"
  const std::string& dir() const { return dir_; }
  std::string AgentDir(const std::string& host) const { return dir_ + "/" + host; }
  // A token for the host, in a file.
  std::string MakeToken(const std::string& host);
  static std::string Program(const std::string& name);
  // What the programs said; for the message of a failed test.
  std::string Logs() const;

 private:
  bool Enrol(const std::string& host);
  std::vector<std::string> Wrapped(const std::string& name, std::vector<std::string> argv) const;

  const std::string dir_;
  const std::vector<std::string> controller_flags_;
  std::unique_ptr<Process> controller_;
  std::map<std::string, std::unique_ptr<Process>> agents_;
  std::unique_ptr<v1::RolloutService::Stub> rollouts_;
  std::unique_ptr<v1::FleetService::Stub> fleet_;
  std::map<std::string, std::string> ports_;  // once they are known
  std::map<std::string, std::vector<std::string>> wrappers_;
  int requests_ = 0;
};

}  // namespace slipway::test
