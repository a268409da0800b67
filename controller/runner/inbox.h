// What waits for one rollout's worker. Bounded: presence and sightings keep the newest word of each
// host, the rest has a limit.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/model/command.h"
#include "common/mutex.h"
#include "controller/engine/input.h"

namespace slipway::controller {

// A verb and the caller who waits for its verdict.
class VerbCall {
 public:
  VerbCall(engine::Verb verb, std::vector<HostId> hosts)
      : verb_(std::move(verb)), hosts_(std::move(hosts)) {}

  const engine::Verb& verb() const { return verb_; }
  const std::vector<HostId>& hosts() const { return hosts_; }

  // The first answer counts.
  void Answer(absl::Status verdict) {
    MutexLock lock(mu_);
    if (!verdict_) verdict_ = std::move(verdict);
    answered_.NotifyAll();
  }
  absl::Status Wait() {
    MutexLock lock(mu_);
    while (!verdict_) answered_.Wait(mu_);
    return *verdict_;
  }

 private:
  const engine::Verb verb_;
  const std::vector<HostId> hosts_;
  Mutex mu_;
  CondVar answered_;
  std::optional<absl::Status> verdict_ ABSL_GUARDED_BY(mu_);
};

// Thread-safe.
class Inbox {
 public:
  struct Trip {
    HostId host;
    std::string reason;
  };
  using Message = std::variant<Answer, Trip, std::shared_ptr<VerbCall>>;

  // In the order in which they are to be decided: an answer that came before its host was lost is
  // heard before the loss.
  struct Batch {
    std::vector<Message> messages;
    std::map<HostId, Observed> sightings;
    std::map<HostId, bool> presence;  // attached (true) or lost
  };

  explicit Inbox(std::size_t limit) : limit_(limit) {}

  // False: full or closed. Agents send an unacknowledged answer again, people are told.
  [[nodiscard]] bool Push(Message message);
  void SetPresence(const HostId& host, bool attached);
  void SetSighting(const HostId& host, Observed observed);
  // Everything that waits, after at most `timeout`.
  Batch Take(absl::Duration timeout);
  void Close();
  bool closed() const;

 private:
  const std::size_t limit_;
  mutable Mutex mu_;
  CondVar arrived_;
  Batch batch_ ABSL_GUARDED_BY(mu_);
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace slipway::controller
