// Carries commands out: decodes the payload, gives an action its world, and reports how it ended.
//
// The chores of every action are done here, once: variables, deadline, output, cancellation, what
// the host looks like afterwards. Deduplication and durability are the core's.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agent/actions/action.h"
#include "agent/runner/ports.h"
#include "agent/state/output_spool.h"
#include "common/clock.h"
#include "common/model/command.h"
#include "common/mutex.h"

namespace slipway::agent {

// The host that actions act on. All of it outlives the runner.
struct ActionHost {
  const Clock& clock;
  ServiceManager& services;
  HostReleases& releases;
  HookRunner& hooks;
  ContentSource& content;
  OutputArchive& output;
  std::function<const Action*(const v1::Task&)> find;  // FindAction
  std::function<Observed()> observe;                   // what the host looks like now
  std::function<std::optional<absl::Duration>()> clock_offset = [] { return std::nullopt; };
  DatabasePlaces databases = {};
  // The machine is on its way down. Asked of each attempt that did not succeed: what ends meanwhile
  // says nothing about a release.
  std::function<bool()> goes_down = [] { return false; };
};

// Where results go. Called on the runner's threads, one call for each Start and each Probe, unless
// the runner was stopped or the machine goes down: then the next process of the agent probes.
struct ActionResults {
  std::function<void(Answer)> ended;
  std::function<void(Answer)> probed;
  std::function<void(const CommandId&, std::string_view text, std::uint64_t done,
                     std::uint64_t total)>
      progress;
};

// Thread-safe. `threads` commands run at once; others wait their turn.
class ActionRunner final : public Executor {
 public:
  ActionRunner(ActionHost host, ActionResults results, int threads = 4);
  // As Stop.
  ~ActionRunner() override;

  void Start(const Command& command) override;
  void Probe(const Command& command, bool rebooted) override;
  void Cancel(const CommandId& id) override;

  // Tells running actions that the agent stops, and waits for them: seconds at most, for children
  // go on without us. Nothing is reported any more. May repeat.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Job {
    Command command;
    bool probe = false;
    bool cancelled = false;
  };

  void Enqueue(Command command, bool probe) ABSL_LOCKS_EXCLUDED(mu_);
  void Work() ABSL_LOCKS_EXCLUDED(mu_);
  void Carry(Job& job) ABSL_LOCKS_EXCLUDED(mu_);
  AttemptEnd RunAction(const Job& job, OutputSpool& output);
  bool Stopping() const ABSL_LOCKS_EXCLUDED(mu_);
  bool Cancelled(const Job& job) const ABSL_LOCKS_EXCLUDED(mu_);

  const ActionHost host_;
  const ActionResults results_;
  mutable Mutex mu_;
  CondVar wake_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::deque<std::shared_ptr<Job>> waiting_ ABSL_GUARDED_BY(mu_);
  std::vector<std::shared_ptr<Job>> running_ ABSL_GUARDED_BY(mu_);
  std::vector<std::thread> threads_;
};

// `text` as UTF-8 without control characters but newline and tab: what came from a program may be
// anything, and goes over the wire and to terminals.
std::string Printable(std::string_view text);

}  // namespace slipway::agent
