#include "tools/swarm/swarm.h"

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <atomic>
#include <deque>
#include <thread>
#include <utility>

#include "common/log.h"
#include "common/status_macros.h"
#include "common/tls/credentials.h"
#include "tools/swarm/plaintext.h"

namespace slipway::swarm {
namespace {

constexpr absl::Duration kSweep = absl::Milliseconds(10);
// Between two looks at the time.
constexpr int kEventsAtOnce = 256;

// The first of the two certificates.
std::string LeafOf(const Member& member) {
  constexpr std::string_view kEnd = "-----END CERTIFICATE-----\n";
  const std::string& pem = member.trust.certificate_pem;
  return pem.substr(0, pem.find(kEnd) + kEnd.size());
}

gpr_timespec After(absl::Duration duration) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_micros(absl::ToInt64Microseconds(duration), GPR_TIMESPAN));
}

}  // namespace

class Swarm::Thread final : public Ground {
 public:
  Thread(const Behaviour& behaviour, const Clock& clock, Tally& tally)
      : behaviour_(behaviour), clock_(clock), tally_(tally) {}
  ~Thread() override;

  absl::Status Add(const Member& member, const std::string& address, absl::Duration first);
  void Start() {
    thread_ = std::thread([this] { Run(); });
  }

  grpc::CompletionQueue& queue() override { return queue_; }
  const Clock& clock() const override { return clock_; }
  Tally& tally() override { return tally_; }
  void Wake(SwarmAgent& agent) override { awake_.push_back(&agent); }
  void Begin(SwarmAgent& agent, const CommandId& command) override {
    running_.push_back({clock_.Monotonic() + behaviour_.takes, &agent, command});
  }

 private:
  struct Running {
    absl::Duration until;
    SwarmAgent* agent;
    CommandId command;
  };

  void Run();
  void Serve(absl::Duration until);
  void Work();
  void Sweep(absl::Duration now);
  bool Over();

  const Behaviour behaviour_;
  const Clock& clock_;
  Tally& tally_;
  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<SwarmAgent>> agents_;
  std::vector<SwarmAgent*> awake_;
  std::deque<Running> running_;  // all take equally long: in order of their ends
  std::size_t first_ = 0;        // agent that the next sweep looks at first
  bool held_ = false;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

Swarm::Thread::~Thread() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

absl::Status Swarm::Thread::Add(const Member& member, const std::string& address,
                                absl::Duration first) {
  auto credentials = behaviour_.plain ? PlaintextChannelCredentials(LeafOf(member))
                                      : tls::MutualChannelCredentials(member.trust);
  SLIPWAY_ASSIGN_OR_RETURN(auto agent,
                           SwarmAgent::Make(member, address, std::move(credentials), first, *this));
  agents_.push_back(std::move(agent));
  return absl::OkStatus();
}

void Swarm::Thread::Run() {
  absl::Duration next = clock_.Monotonic();
  bool told = false;
  while (!told || !Over()) {
    const absl::Duration now = clock_.Monotonic();
    if (stopping_ && !std::exchange(told, true)) {
      for (const auto& agent : agents_) agent->uplink().Stop();
    }
    if (now >= next) {
      Sweep(now);
      next = now + kSweep;
    }
    const bool soon = !held_ && !running_.empty();
    Serve(soon ? std::min(next, running_.front().until) : next);
    Work();
  }
}

bool Swarm::Thread::Over() {
  for (const auto& agent : agents_) {
    if (!agent->uplink().gone()) return false;
  }
  return true;
}

// What the queue has, once something is there or it is time.
void Swarm::Thread::Serve(absl::Duration until) {
  auto due = After(until - clock_.Monotonic());
  void* tag = nullptr;
  bool ok = false;
  for (int i = 0; i < kEventsAtOnce; ++i) {
    if (queue_.AsyncNext(&tag, &ok, due) != grpc::CompletionQueue::GOT_EVENT) return;
    agent::Uplink::OnTag(tag, ok);
    if (!awake_.empty()) due = gpr_inf_past(GPR_CLOCK_MONOTONIC);
  }
}

void Swarm::Thread::Work() {
  const absl::Duration now = clock_.Monotonic();
  // Looked at before each round of ends, so that nothing ends once the file is there.
  held_ =
      !running_.empty() && !behaviour_.hold.empty() && ::access(behaviour_.hold.c_str(), F_OK) == 0;
  while (!held_ && !running_.empty() && running_.front().until <= now) {
    const Running over = std::move(running_.front());
    running_.pop_front();
    over.agent->End(over.command);
  }
  const std::vector<SwarmAgent*> awake = std::exchange(awake_, {});
  for (SwarmAgent* const agent : awake) {
    const absl::Status pumped = agent->Pump();
    if (!pumped.ok()) log::Error("an agent's log failed", {{"why", pumped.ToString()}});
  }
}

// Each turn begins the dials behind those of the last one, so that nobody waits for ever.
void Swarm::Thread::Sweep(absl::Duration now) {
  int dialling = 0;
  for (const auto& agent : agents_) dialling += agent->uplink().dialling() ? 1 : 0;
  std::size_t next = first_;
  for (std::size_t i = 0; i < agents_.size(); ++i) {
    const std::size_t at = (first_ + i) % agents_.size();
    SwarmAgent& agent = *agents_[at];
    agent.ReportWhenDue(now);
    agent.BeatWhenDue(now, behaviour_.beat);
    const bool waits = agent.uplink().waiting();
    if (waits && dialling >= behaviour_.dials_at_once) continue;
    agent.uplink().KeepTime();
    if (!waits || !agent.uplink().dialling()) continue;
    ++dialling;
    next = at + 1;
  }
  first_ = next;
}

Swarm::Swarm() = default;
Swarm::~Swarm() = default;

absl::StatusOr<std::unique_ptr<Swarm>> Swarm::Start(const std::vector<Member>& members,
                                                    const std::string& address,
                                                    const Behaviour& behaviour,
                                                    const Clock& clock) {
  std::unique_ptr<Swarm> swarm(new Swarm());
  for (int t = 0; t < behaviour.threads; ++t) {
    swarm->threads_.push_back(std::make_unique<Thread>(behaviour, clock, swarm->tally_));
  }
  const absl::Duration now = clock.Monotonic();
  for (std::size_t i = 0; i < members.size(); ++i) {
    const absl::Duration first =
        now + absl::Seconds(static_cast<double>(i) / behaviour.dials_per_second);
    SLIPWAY_RETURN_IF_ERROR(
        swarm->threads_[i % swarm->threads_.size()]->Add(members[i], address, first));
  }
  for (const auto& thread : swarm->threads_) thread->Start();
  return swarm;
}

}  // namespace slipway::swarm
