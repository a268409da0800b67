// Hosts for the runner's tests: they do what they are told, once, and say so as often as asked.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/mutex.h"
#include "controller/engine/engine.h"
#include "controller/runner/rollout_runner.h"

namespace slipway::controller {

inline constexpr char kApp[] = "/srv/media";
inline constexpr char kOld[] = "sha256:old";
inline constexpr char kNew[] = "sha256:new";

inline HostId TestHost(int number) {
  return {"web-" + std::to_string(number)};
}

// A rollout over `hosts` hosts: a canary, then everybody else; each stages, switches and checks.
engine::Planned TestPlan(int hosts, absl::Time at);

// Thread-safe.
class TestFleet final : public Outbound {
 public:
  void Send(const HostId& host, Command command) override;
  void Acknowledge(const HostId& host, const CommandId& id) override;
  void Closed(const HostId& host, const RolloutId& rollout) override;

  // What agents have to say since the last call. The same command sent twice gives two equal
  // answers and one effect.
  std::vector<Answer> TakeAnswers();
  // The same, waiting for at most `timeout` when there is none.
  std::vector<Answer> WaitForAnswers(absl::Duration timeout);

  // The step of this name fails on this host.
  void Break(const HostId& host, const std::string& payload);
  int sent() const;
  // How often each command had its effect.
  std::map<std::string, int> effects() const;
  std::set<std::string> acknowledged() const;
  std::set<HostId> closed() const;

 private:
  Answer Run(const HostId& host, const Command& command) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable Mutex mu_;
  CondVar arrived_;
  std::vector<Answer> waiting_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, Answer> answered_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, int> effects_ ABSL_GUARDED_BY(mu_);
  std::map<HostId, std::string> release_ ABSL_GUARDED_BY(mu_);
  std::set<std::pair<HostId, std::string>> broken_ ABSL_GUARDED_BY(mu_);
  std::set<std::string> acknowledged_ ABSL_GUARDED_BY(mu_);
  std::set<HostId> closed_ ABSL_GUARDED_BY(mu_);
  int sent_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace slipway::controller
