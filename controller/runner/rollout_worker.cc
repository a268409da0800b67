#include "controller/runner/rollout_worker.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/overloaded.h"
#include "common/status_macros.h"
#include "controller/runner/outcome_of_rollout.h"

namespace slipway::controller {
namespace {

// The storage may heal; everything else is for a person or for another controller.
bool MayHeal(const absl::Status& status) {
  return absl::IsResourceExhausted(status) || absl::IsUnavailable(status);
}

}  // namespace

RolloutWorker::RolloutWorker(const WorkerHouse& house, RolloutId id,
                             std::unique_ptr<RolloutRunner> runner, Calls calls)
    : house_(house),
      id_(std::move(id)),
      calls_(std::move(calls)),
      inbox_(house.options.inbox_limit),
      feed_(id_, house.options.feed_limit, runner == nullptr ? 1 : runner->lease().next),
      runner_(std::move(runner)),
      backoff_(house.options.retry_least) {
  if (runner_ == nullptr) return;
  StartEngineTime(runner_->state().now);
  Publish();
}

RolloutWorker::~RolloutWorker() {
  Stop();
  if (thread_.joinable()) thread_.join();
  TurnAway(inbox_.Take(absl::ZeroDuration()));
}

void RolloutWorker::Start() {
  thread_ = std::thread([this] { Loop(); });
}

void RolloutWorker::Loop() {
  while (!inbox_.closed() && !done()) {
    if (runner_ == nullptr && !Recover()) {
      TurnAway(inbox_.Take(backoff_));
      backoff_ = std::min(2 * backoff_, house_.options.retry_most);
      continue;
    }
    if (runner_->state().finished && Settle()) break;
    Inbox::Batch batch = inbox_.Take(WaitTime());
    if (inbox_.closed()) {
      TurnAway(batch);
      break;
    }
    Step(std::move(batch));
    PublishWhenDue();
  }
  // Whoever still comes is turned away by a closed inbox.
  inbox_.Close();
  TurnAway(inbox_.Take(absl::ZeroDuration()));
  feed_.Close();
}

bool RolloutWorker::Recover() {
  auto runner = RolloutRunner::Recover(id_, house_.holder, house_.store.journal(), house_.out);
  if (!runner.ok()) {
    Refused(runner.status());
    return false;
  }
  runner_ = *std::move(runner);
  backoff_ = house_.options.retry_least;
  first_batch_ = true;
  StartEngineTime(runner_->state().now);
  feed_.SkipTo(runner_->lease().next);
  SetTrouble("");
  Publish();
  log::Info(
      "rollout taken up",
      {{"rollout", id_.text}, {"epoch", runner_->lease().epoch}, {"next", runner_->lease().next}});
  calls_.attach_known(*this);
  return true;
}

void LogEnd(const RolloutId& id, const std::vector<engine::Event>& events) {
  const auto* end = events.empty() ? nullptr : std::get_if<engine::Finished>(&events.back());
  if (end != nullptr) log::Info("rollout ended", {{"rollout", id.text}, {"as", end->text}});
}

void RolloutWorker::Step(Inbox::Batch batch) {
  Calling calls;
  const std::vector<engine::Input> inputs = InputsOf(batch, calls);
  if (inputs.empty()) return;
  std::vector<absl::Status> verdicts;
  const absl::Status pumped = runner_->Pump(inputs, verdicts);
  if (!pumped.ok()) {
    Refused(pumped);
    for (const auto& [input, call] : calls) call->Answer(pumped);
    return;
  }
  first_batch_ = false;
  unpublished_ = true;
  if (!runner_->last_events().empty()) {
    feed_.Publish(runner_->last_first_sequence(), runner_->last_events());
    LogEnd(id_, runner_->last_events());
    house_.options.appended(runner_->state(), runner_->last_events());
  }
  // Readers who were told that their verb counts find it in the view.
  if (!calls.empty()) Publish();
  for (const auto& [input, call] : calls) call->Answer(verdicts[input]);
}

std::vector<engine::Input> RolloutWorker::InputsOf(const Inbox::Batch& batch, Calling& calls) {
  const absl::Time now = EngineNow();
  std::vector<engine::Input> inputs;
  const auto add = [&inputs](std::optional<engine::Input> input) {
    if (input) inputs.push_back(*std::move(input));
  };
  for (const Inbox::Message& message : batch.messages) {
    std::visit(Overloaded{[&](const Answer& answer) { add(InputOf(answer, now)); },
                          [&](const Inbox::Trip& trip) { add(InputOf(trip, now)); },
                          [&](const std::shared_ptr<VerbCall>& call) {
                            std::optional<engine::Input> verb = InputOf(*call, now);
                            if (!verb) return;
                            calls.emplace_back(inputs.size(), call);
                            inputs.push_back(*std::move(verb));
                          }},
               message);
  }
  for (const auto& [host, observed] : batch.sightings) {
    if (const auto ix = runner_->Find(host)) inputs.push_back(engine::Sighted{now, *ix, observed});
  }
  for (const auto& [host, attached] : batch.presence) {
    const auto ix = runner_->Find(host);
    if (!ix) continue;
    inputs.push_back(attached ? engine::Input(engine::Attached{now, *ix})
                              : engine::Input(engine::Lost{now, *ix}));
  }
  const auto wake = engine::NextWake(runner_->state(), runner_->presence());
  if (first_batch_ || (wake && *wake <= now)) inputs.push_back(engine::Tick{now});
  return inputs;
}

std::optional<engine::Input> RolloutWorker::InputOf(const Answer& answer, absl::Time now) {
  const auto host = runner_->Find(answer.id.host);
  if (!host) return std::nullopt;
  return engine::Reported{now,
                          {answer.id.course, answer.id.batch, answer.id.step, *host},
                          answer.id.attempt,
                          answer.verdict,
                          answer.message,
                          answer.excerpt,
                          answer.observed};
}

std::optional<engine::Input> RolloutWorker::InputOf(const Inbox::Trip& trip, absl::Time now) {
  const auto host = runner_->Find(trip.host);
  if (!host) return std::nullopt;
  return engine::Tripped{now, *host, trip.reason};
}

std::optional<engine::Input> RolloutWorker::InputOf(VerbCall& call, absl::Time now) {
  engine::Verb verb = call.verb();
  verb.now = now;
  for (const HostId& host : call.hosts()) {
    const auto ix = runner_->Find(host);
    if (!ix) {
      call.Answer(
          absl::NotFoundError(absl::StrCat("rollout ", id_.text, " has no host ", host.text)));
      return std::nullopt;
    }
    verb.hosts.push_back(*ix);
  }
  return verb;
}

// The runner is dead: what it decided and did not write never happened.
void RolloutWorker::Refused(const absl::Status& status) {
  runner_.reset();
  if (MayHeal(status)) {
    SetTrouble(absl::StrCat("storage: ", status.message()));
    log::Warn("rollout waits for its storage",
              {{"rollout", id_.text}, {"error", status.ToString()}});
    return;
  }
  log::Error("rollout is not driven here any more",
             {{"rollout", id_.text}, {"error", status.ToString()}});
  SetTrouble(std::string(status.message()));
  MutexLock lock(mu_);
  done_ = true;
}

void RolloutWorker::TurnAway(const Inbox::Batch& batch) {
  for (const Inbox::Message& message : batch.messages) {
    const auto* call = std::get_if<std::shared_ptr<VerbCall>>(&message);
    if (call != nullptr) (*call)->Answer(NotDriven());
    // It came between the rollout's end and the closing of the inbox: nothing can change any more,
    // and its agent is not to keep it.
    const auto* answer = std::get_if<Answer>(&message);
    if (answer == nullptr || !over_) continue;
    house_.out.Acknowledge(answer->id.host, answer->id);
    house_.out.Closed(answer->id.host, id_);
  }
}

absl::Status RolloutWorker::NotDriven() const {
  MutexLock lock(mu_);
  if (!done_) {
    return absl::UnavailableError(absl::StrCat("rollout ", id_.text, " is not driven now",
                                               trouble_.empty() ? "" : ": ", trouble_,
                                               "; try again"));
  }
  return absl::FailedPreconditionError(
      trouble_.empty()
          ? absl::StrCat("rollout ", id_.text,
                         " is over; deploy again, with --hosts for some of its hosts only")
          : absl::StrCat("rollout ", id_.text, " is not driven here: ", trouble_));
}

bool RolloutWorker::Settle() {
  const engine::State& state = runner_->state();
  Registry& registry = house_.store.registry();
  absl::Status settled = registry.PutWanted(WantedAfter(id_, state));
  settled.Update(registry.ReleaseLocks(id_));
  if (!settled.ok()) {
    SetTrouble(absl::StrCat("storage: ", settled.message()));
    return false;
  }
  SetTrouble("");
  Publish();
  const std::shared_ptr<const RolloutView> last = View();
  over_ = true;
  calls_.over(*last);
  MutexLock lock(mu_);
  done_ = true;
  return true;
}

void RolloutWorker::PublishWhenDue() {
  if (runner_ == nullptr || !unpublished_) return;
  if (house_.clock.Monotonic() >= publish_at_ || runner_->state().finished) Publish();
}

void RolloutWorker::Publish() {
  const absl::Duration start = house_.clock.Monotonic();
  const bool first = [this] {
    MutexLock lock(mu_);
    return !hosts_.has_value();
  }();
  std::set<HostId> hosts;
  if (first) {
    for (const engine::Target& host : runner_->state().hosts) hosts.insert(host.id);
  }
  auto view = std::make_shared<const RolloutView>(
      RolloutView{id_, runner_->state(), runner_->presence(), runner_->lease().next - 1,
                  runner_->lease().epoch, Trouble()});
  unpublished_ = false;
  const absl::Duration end = house_.clock.Monotonic();
  publish_at_ = end + (end - start) / house_.options.publishing_share;
  MutexLock lock(mu_);
  if (first) hosts_ = std::move(hosts);
  view_ = std::move(view);
}

std::shared_ptr<const RolloutView> RolloutWorker::View() const {
  MutexLock lock(mu_);
  return view_;
}

bool RolloutWorker::Concerns(const HostId& host) const {
  MutexLock lock(mu_);
  return !hosts_ || hosts_->contains(host);
}

std::string RolloutWorker::Trouble() const {
  MutexLock lock(mu_);
  return trouble_;
}

bool RolloutWorker::done() const {
  MutexLock lock(mu_);
  return done_;
}

void RolloutWorker::Halt(std::string reason) {
  SetTrouble(std::move(reason));
  {
    MutexLock lock(mu_);
    done_ = true;
  }
  inbox_.Close();
}

// Readers see at once why a rollout stands still; its state is as it was.
void RolloutWorker::SetTrouble(std::string trouble) {
  MutexLock lock(mu_);
  if (trouble_ == trouble) return;
  trouble_ = std::move(trouble);
  if (view_ == nullptr) return;
  RolloutView view = *view_;
  view.trouble = trouble_;
  view_ = std::make_shared<const RolloutView>(std::move(view));
}

void RolloutWorker::StartEngineTime(absl::Time last_journaled) {
  engine_base_ = last_journaled;
  monotonic_base_ = house_.clock.Monotonic();
}

absl::Time RolloutWorker::EngineNow() const {
  return engine_base_ + (house_.clock.Monotonic() - monotonic_base_);
}

absl::Duration RolloutWorker::WaitTime() const {
  if (first_batch_) return absl::ZeroDuration();
  absl::Duration wait = house_.options.longest_wait;
  if (const auto wake = engine::NextWake(runner_->state(), runner_->presence())) {
    wait = std::min(wait, *wake - EngineNow());
  }
  if (unpublished_) wait = std::min(wait, publish_at_ - house_.clock.Monotonic());
  return std::max(wait, absl::ZeroDuration());
}

}  // namespace slipway::controller
