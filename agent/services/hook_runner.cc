#include "agent/services/hook_runner.h"

#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "agent/services/record_file.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

constexpr absl::Duration kLook = absl::Milliseconds(100);
// The shim ends the hook at its deadline by itself; when it has not after this long, we do.
constexpr absl::Duration kShimMayTake = absl::Seconds(5);
constexpr absl::Duration kKillMayTake = absl::Seconds(15);
constexpr std::uint64_t kCopyBytes = 64 << 10;
constexpr std::size_t kOutputsBytesMax = 64 << 10;

// Carries what the run said to the spool of the command.
class Copier {
 public:
  Copier(const Execution& run, OutputSpool& output) : run_(run), output_(output) {}
  void Copy() {
    while (true) {
      const SpoolPiece piece = ReadSpool(run_.dir(), at_, kCopyBytes);
      if (piece.bytes.empty()) return;
      if (piece.dropped > 0) {
        output_.Say(absl::StrCat("\n[", piece.dropped, " bytes of output were not kept]"));
      }
      output_.Write(piece.bytes);
      at_ = piece.offset + piece.bytes.size();
    }
  }

 private:
  const Execution& run_;
  OutputSpool& output_;
  std::uint64_t at_ = 0;
};

std::map<std::string, std::string> ReadOutputs(const std::string& path) {
  std::map<std::string, std::string> outputs;
  std::ifstream file(path);
  std::size_t bytes = 0;
  for (std::string line; std::getline(file, line) && bytes <= kOutputsBytesMax;) {
    bytes += line.size() + 1;
    const std::size_t equals = line.find('=');
    if (equals != std::string::npos && equals > 0) {
      outputs[line.substr(0, equals)] = line.substr(equals + 1);
    }
  }
  return outputs;
}

}  // namespace

absl::StatusOr<std::unique_ptr<HookRunner>> HookRunner::Open(std::string base,
                                                             const ExecLauncher& launcher,
                                                             const Clock& clock) {
  SLIPWAY_RETURN_IF_ERROR(MakeFolder(base));
  return std::unique_ptr<HookRunner>(new HookRunner(std::move(base), launcher, clock));
}

std::string HookRunner::DirOf(const HookOrder& order) const {
  const std::string part = order.part.empty() ? "" : "." + order.part;
  return absl::StrCat(base_, "/", RolloutFolder(order.id.rollout), "/", CommandFolder(order.id),
                      part);
}

absl::StatusOr<HookEnd> HookRunner::Run(const HookOrder& order, OutputSpool& output,
                                        const HookWatch& watch) {
  const std::string dir = DirOf(order);
  const absl::Duration left = order.deadline - clock_.Monotonic();
  if (left <= absl::ZeroDuration()) {
    return absl::DeadlineExceededError(absl::StrCat("no time was left to run ", order.argv[0]));
  }
  SLIPWAY_RETURN_IF_ERROR(MakeFolder(std::filesystem::path(dir).parent_path().string()));
  ExecSpec spec{.argv = order.argv,
                .env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                        "LANG=C.UTF-8", absl::StrCat("SLIPWAY_OUTPUTS=", dir, "/outputs")},
                .cwd = order.cwd,
                .user = order.user,
                .deadline = left == absl::InfiniteDuration() ? absl::ZeroDuration() : left,
                .grace = order.grace};
  spec.env.insert(spec.env.end(), order.env.begin(), order.env.end());
  const auto started = launcher_.Start(dir, spec);
  if (absl::IsAlreadyExists(started.status())) return Adopt(order, output, watch);
  SLIPWAY_RETURN_IF_ERROR(started.status());
  return Await(*started, order, output, watch);
}

absl::StatusOr<HookEnd> HookRunner::Adopt(const HookOrder& order, OutputSpool& output,
                                          const HookWatch& watch) {
  const Execution run(DirOf(order));
  if (run.State().kind == ExecState::Kind::not_started) {
    return absl::FailedPreconditionError("the hook was never started");
  }
  return Await(run, order, output, watch);
}

absl::StatusOr<HookEnd> HookRunner::Await(const Execution& run, const HookOrder& order,
                                          OutputSpool& output, const HookWatch& watch) const {
  Copier copier(run, output);
  absl::Status cut;
  while (cut.ok() && !run.WaitFor(kLook)) {
    copier.Copy();
    if (watch.stopping()) return absl::CancelledError("the agent stops; the hook goes on");
    if (watch.cancelled()) cut = absl::AbortedError("cancelled, since the rollout turns back");
    if (clock_.Monotonic() > order.deadline + order.grace + kShimMayTake) {
      cut = absl::DeadlineExceededError("its time was up");
    }
  }
  if (!cut.ok()) SLIPWAY_RETURN_IF_ERROR(EndRun(run, order));
  copier.Copy();
  const ExecState state = run.State();
  if (!cut.ok()) return cut;
  if (state.kind == ExecState::Kind::not_started) {
    return absl::InternalError(absl::StrCat("its shim did not come up, and ", order.argv[0],
                                            " was not run; see ", run.dir()));
  }
  if (state.kind != ExecState::Kind::exited) {
    return absl::UnknownError(absl::StrCat(order.argv[0], " ran, and nobody saw how it ended"));
  }
  if (!state.exit.refused.empty()) return absl::InternalError(state.exit.refused);
  if (state.exit.timed_out) {
    return absl::DeadlineExceededError(absl::StrCat(order.argv[0], " ", Describe(state.exit)));
  }
  return HookEnd{state.exit, ReadOutputs(run.dir() + "/outputs")};
}

absl::Status HookRunner::EndRun(const Execution& run, const HookOrder& order) const {
  run.Signal(SIGTERM);
  if (run.WaitFor(order.grace)) return absl::OkStatus();
  run.KillAll();
  if (run.WaitFor(kKillMayTake)) return absl::OkStatus();
  return absl::UnknownError(absl::StrCat(order.argv[0], " (pid ", run.State().running.child.pid,
                                         ") cannot be killed; it hangs in the kernel"));
}

void HookRunner::Forget(const RolloutId& rollout) const {
  std::error_code ignored;
  std::filesystem::remove_all(absl::StrCat(base_, "/", RolloutFolder(rollout)), ignored);
}

}  // namespace slipway::agent
