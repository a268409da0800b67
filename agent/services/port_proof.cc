#include "agent/services/port_proof.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/services/exec_spec.h"
#include "common/process/ports.h"
#include "common/process/proc.h"

namespace slipway::agent {
namespace {

std::string NameOf(pid_t pid) {
  const std::string executable = ExecutableOf(pid);
  const auto service = EnvironmentOf(pid, "SLIPWAY_SERVICE");
  std::string text =
      absl::StrCat("pid ", pid, " ", executable.empty() ? CommandLineOf(pid) : executable, ", ");
  if (EnvironmentOf(pid, kExecMark) && service) return absl::StrCat(text, "service ", *service);
  return text + "which slipway did not start";
}

}  // namespace

absl::Status ProvePortFree(std::uint16_t port) {
  for (const Listener& listener : ListenersOn(port)) {
    const std::vector<pid_t> owners = OwnersOf(listener);
    return absl::FailedPreconditionError(absl::StrCat(
        "port ", port, " belongs to ",
        owners.empty() ? "a process that this agent may not look at" : NameOf(owners.front())));
  }
  return absl::OkStatus();
}

absl::Status ProvePortFreeOrOurs(std::uint16_t port, const std::vector<pid_t>& ours) {
  std::set<pid_t> family(ours.begin(), ours.end());
  for (const pid_t pid : ours) {
    for (const ProcessStat& process : Descendants(pid)) family.insert(process.pid);
  }
  for (const Listener& listener : ListenersOn(port)) {
    const std::vector<pid_t> owners = OwnersOf(listener);
    const bool known = std::any_of(owners.begin(), owners.end(),
                                   [&](pid_t owner) { return family.count(owner) != 0; });
    if (!known) return ProvePortFree(port);
  }
  return absl::OkStatus();
}

absl::Status ProveNobodyRuns(const std::string& path, const std::string& known_runs,
                             const std::vector<pid_t>& known) {
  for (const ProcessStat& process : AllProcesses()) {
    const std::string executable = ExecutableOf(process.pid);
    if (executable != path && executable != path + " (deleted)") continue;
    const auto mark = EnvironmentOf(process.pid, kExecMark);
    if (mark && absl::StartsWith(*mark, known_runs)) continue;
    if (std::find(known.begin(), known.end(), process.pid) != known.end()) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("pid ", process.pid, " still executes ", executable));
  }
  return absl::OkStatus();
}

}  // namespace slipway::agent
