// The parts of the controller whose calls are counted, as what they are: each passes everything on.
#pragma once

#include <string>
#include <vector>

#include "common/clock.h"
#include "controller/fleet/session_events.h"
#include "controller/metrics/instruments.h"
#include "controller/registry/store.h"
#include "controller/runner/rollout_runner.h"

namespace slipway::controller {

// Thread-safe, as what is beneath. All that is named here outlives the object.
class MeteredJournal final : public Journal {
 public:
  MeteredJournal(Journal& beneath, const Clock& clock, Instruments& instruments)
      : beneath_(beneath), clock_(clock), instruments_(instruments) {}

  absl::StatusOr<Lease> Acquire(const RolloutId& rollout) override {
    return beneath_.Acquire(rollout);
  }
  absl::Status Append(const RolloutId& rollout, Lease& lease,
                      const std::vector<std::string>& records) override;
  absl::StatusOr<std::vector<Record>> Read(const RolloutId& rollout, std::uint64_t first) override {
    return beneath_.Read(rollout, first);
  }
  absl::StatusOr<std::vector<RolloutId>> List() override { return beneath_.List(); }

 private:
  Journal& beneath_;
  const Clock& clock_;
  Instruments& instruments_;
};

// As MeteredJournal. A new rollout's first record counts as an append, too.
class MeteredStore final : public Store {
 public:
  MeteredStore(Store& beneath, const Clock& clock, Instruments& instruments)
      : beneath_(beneath),
        clock_(clock),
        instruments_(instruments),
        journal_(beneath.journal(), clock, instruments) {}

  Journal& journal() override { return journal_; }
  Registry& registry() override { return beneath_.registry(); }
  absl::StatusOr<Lease> CreateRollout(const NewRollout& rollout) override;
  std::string Trouble() const override { return beneath_.Trouble(); }

 private:
  Store& beneath_;
  const Clock& clock_;
  Instruments& instruments_;
  MeteredJournal journal_;
};

// What agents say.
class MeteredEvents final : public SessionEvents {
 public:
  MeteredEvents(SessionEvents& beneath, Instruments& instruments)
      : beneath_(beneath), instruments_(instruments) {}

  void Attached(const HostId& host) override {
    instruments_.Attached(host);
    beneath_.Attached(host);
  }
  void Lost(const HostId& host) override {
    instruments_.Lost();
    beneath_.Lost(host);
  }
  void Answered(const Answer& answer) override {
    instruments_.Answered(answer.verdict);
    beneath_.Answered(answer);
  }
  void Refused(const CommandId& id, bool again, const std::string& text) override {
    beneath_.Refused(id, again, text);
  }
  void Sighted(const HostId& host, const Observed& observed) override {
    beneath_.Sighted(host, observed);
  }
  void Witnessed(const HostId& host, const RolloutId& rollout, const Fence& fence) override {
    beneath_.Witnessed(host, rollout, fence);
  }

 private:
  SessionEvents& beneath_;
  Instruments& instruments_;
};

// What they are told.
class MeteredOutbound final : public Outbound {
 public:
  MeteredOutbound(Outbound& beneath, Instruments& instruments)
      : beneath_(beneath), instruments_(instruments) {}

  void Send(const HostId& host, Command command) override {
    instruments_.Sent();
    beneath_.Send(host, std::move(command));
  }
  void Acknowledge(const HostId& host, const CommandId& id) override {
    beneath_.Acknowledge(host, id);
  }
  void Closed(const HostId& host, const RolloutId& rollout) override {
    beneath_.Closed(host, rollout);
  }

 private:
  Outbound& beneath_;
  Instruments& instruments_;
};

}  // namespace slipway::controller
