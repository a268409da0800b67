// slipway-swarm: thousands of agents in one process, for tests and benchmarks.
#include <signal.h>
#include <time.h>

#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "common/clock.h"
#include "common/flags.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "common/tls/credentials.h"
#include "tools/swarm/members.h"
#include "tools/swarm/swarm.h"

namespace slipway::swarm {
namespace {

constexpr char kUsage[] =
    "usage: slipway-swarm --controller DIR --hosts N [--prefix NAME] [--label KEY=VALUE...]\n"
    "                     [--takes DURATION] [--hold FILE] [--beat DURATION] [--threads N]\n"
    "                     [--dials-per-second N] [--for DURATION] [--plain]\n"
    "\n"
    "Enrols N hosts at the controller in DIR, which must not run yet, says so, waits until it\n"
    "listens, and then is N agents. They do nothing for --takes (0) and say that it went well, "
    "but\n"
    "not while FILE exists. A line of JSON tells how they do, whenever that changes. Ends by "
    "SIGTERM\n"
    "or after --for (10m). --plain: without TLS, at a benchmark's own listener.\n";
// A process may have 20,000 files open.
constexpr int kHostsMax = 15'000;
constexpr absl::Duration kLook = absl::Milliseconds(50);

struct Flags {
  Order order;
  Behaviour behaviour;
  absl::Duration for_ = absl::Minutes(10);
};

absl::Status Bad(const std::string& flag) {
  return absl::InvalidArgumentError(absl::StrCat("--", flag, " is missing or not good\n", kUsage));
}

absl::Status TakeDuration(const CommandLine& line, const std::string& flag, absl::Duration& out) {
  if (!line.Has(flag)) return absl::OkStatus();
  if (!absl::ParseDuration(line.Get(flag), &out) || out < absl::ZeroDuration()) return Bad(flag);
  return absl::OkStatus();
}

absl::Status TakeCount(const CommandLine& line, const std::string& flag, int max, int& out) {
  if (!line.Has(flag)) return absl::OkStatus();
  if (!absl::SimpleAtoi(line.Get(flag), &out) || out < 1 || out > max) return Bad(flag);
  return absl::OkStatus();
}

absl::StatusOr<Flags> ReadFlags(const CommandLine& line) {
  Flags flags;
  flags.order.controller_dir = line.Get("controller");
  flags.order.prefix = line.Get("prefix", "swarm");
  flags.behaviour.plain = line.Has("plain");
  flags.behaviour.hold = line.Get("hold");
  SLIPWAY_RETURN_IF_ERROR(TakeCount(line, "hosts", kHostsMax, flags.order.hosts));
  if (flags.order.controller_dir.empty() || flags.order.hosts == 0) return Bad("controller");
  for (const std::string& label : line.All("label")) {
    const std::pair<std::string, std::string> pair = absl::StrSplit(label, absl::MaxSplits('=', 1));
    if (pair.first.empty()) return Bad("label");
    flags.order.labels.insert(pair);
  }
  int dials = 1000;
  SLIPWAY_RETURN_IF_ERROR(TakeCount(line, "dials-per-second", 1'000'000, dials));
  flags.behaviour.dials_per_second = dials;
  SLIPWAY_RETURN_IF_ERROR(TakeCount(line, "threads", 16, flags.behaviour.threads));
  SLIPWAY_RETURN_IF_ERROR(TakeDuration(line, "takes", flags.behaviour.takes));
  SLIPWAY_RETURN_IF_ERROR(TakeDuration(line, "beat", flags.behaviour.beat));
  SLIPWAY_RETURN_IF_ERROR(TakeDuration(line, "for", flags.for_));
  return flags;
}

std::string Line(const Tally& tally) {
  return absl::StrCat(
      "\"attached\": ", tally.attached.load(), ", \"welcomes\": ", tally.welcomes.load(),
      ", \"started\": ", tally.started.load(), ", \"acknowledged\": ", tally.acknowledged.load(),
      ", \"beats\": ", tally.beats.load(), ", \"rejected\": ", tally.rejected.load());
}

void Tell(absl::Duration since, const std::string& line) {
  std::printf("{\"seconds\": %.3f, %s}\n", absl::ToDoubleSeconds(since), line.c_str());
  std::fflush(stdout);
}

absl::Status Run(const CommandLine& line, const sigset_t& end) {
  const Clock& clock = SystemClock();
  SLIPWAY_ASSIGN_OR_RETURN(const Flags flags, ReadFlags(line));
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<Member> members, Enrol(flags.order, clock));
  const Endpoints endpoints(flags.order.controller_dir);
  std::printf("{\"enrolled\": %d}\n", flags.order.hosts);
  std::fflush(stdout);
  SLIPWAY_ASSIGN_OR_RETURN(const std::string address,
                           endpoints.AwaitAgents(absl::Minutes(1), clock));
  SLIPWAY_ASSIGN_OR_RETURN(const auto swarm,
                           Swarm::Start(members, address, flags.behaviour, clock));
  const absl::Duration start = clock.Monotonic();
  const timespec look = absl::ToTimespec(kLook);
  std::string said;
  while (clock.Monotonic() - start < flags.for_) {
    const bool over = sigtimedwait(&end, nullptr, &look) > 0;
    std::string now = Line(swarm->tally());
    if (now != said) Tell(clock.Monotonic() - start, now);
    said = std::move(now);
    if (over) break;
  }
  return absl::OkStatus();
}

int Main(const std::vector<std::string>& arguments) {
  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  sigaddset(&end, SIGINT);
  pthread_sigmask(SIG_BLOCK, &end, nullptr);
  log::Init("slipway-swarm", log::Level::error);
  tls::LogThroughUs();
  const auto line = ParseCommandLine(arguments,
                                     {"controller", "hosts", "prefix", "label", "takes", "hold",
                                      "beat", "threads", "dials-per-second", "for"},
                                     {"plain"});
  const absl::Status status = line.ok() ? Run(*line, end) : line.status();
  if (status.ok()) return 0;
  std::fprintf(stderr, "slipway-swarm: %s\n", std::string(status.message()).c_str());
  return absl::IsInvalidArgument(status) ? 2 : 1;
}

}  // namespace
}  // namespace slipway::swarm

int main(int argc, char** argv) {
  // As the agent does.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return slipway::swarm::Main(std::vector<std::string>(argv + 1, argv + argc));
}
