#include "tools/slipway/command.h"

namespace slipway::cli {
namespace {

const Option kReason{"reason", "TEXT", "why; kept in the journal and shown to everybody"};
const Option kHosts{"hosts", "A,B", "only these hosts"};
const Option kTimeout{"timeout", "D",
                      "stop waiting after this long (30s, 10m); the rollout goes on"};
const Option kDetach{"detach", "", "do not wait for the end"};
const Option kNoWait{"no-wait-approval", "", "leave with 13 instead of waiting for a person"};
const Argument kRollout{"ROLLOUT"};
const Argument kMaybeRollout{"ROLLOUT", false};

std::vector<Command> DeployCommands() {
  return {
      {"deploy",
       "Deploy",
       "roll a release out, and wait for the end",
       {{"PLAN"}},
       {{"release", "NAME", "the release: name@version, version, or digest"},
        {"version", "V", "the same, by version alone"},
        {"set", "K=V", "set a variable of the plan", true},
        {"hosts", "EXPR", "narrow every group: role=web,zone!=b"},
        {"accept-unproven", "V", "a rollback may go to V where it never ran healthily", true},
        {"dry-run", "", "show what would happen, on which host, in which order; change nothing"},
        kReason,
        {"ticket", "ID", "where it was agreed"},
        kDetach,
        kTimeout,
        kNoWait},
       RunDeploy,
       "Ctrl-C leaves and never stops the rollout; `slipway abort` does."},
      {"pause",
       "Deploy",
       "start nothing new; hosts that are being changed finish",
       {kRollout},
       {kReason, {"now", "", "do not even let those finish"}},
       RunPause},
      {"resume", "Deploy", "go on", {kRollout}, {kReason}, RunResume},
      {"abort",
       "Deploy",
       "end it and leave the fleet as it is",
       {kRollout},
       {kReason,
        {"rollback", "", "roll back instead of leaving it"},
        {"now", "", "do not let started hosts finish"},
        {"yes-leave-mixed", "", "needed during a rollback"}},
       RunAbort},
      {"retry",
       "Deploy",
       "try failed or undecided hosts again",
       {kRollout},
       {kHosts, kReason},
       RunRetry},
      {"skip", "Deploy", "go on without these hosts", {kRollout}, {kHosts, kReason}, RunSkip},
      {"rollback",
       "Deploy",
       "bring the whole fleet back",
       {kRollout},
       {kReason, {"now", "", "do not let started hosts finish"}, kDetach, kTimeout, kNoWait},
       RunRollback},
  };
}

std::vector<Command> LookCommands() {
  return {
      {"status", "Look", "what runs, what is broken", {kMaybeRollout}, {}, RunStatus},
      {"watch",
       "Look",
       "follow a rollout to its end; the newest when none is named",
       {kMaybeRollout},
       {kTimeout, kNoWait},
       RunWatch},
      {"logs",
       "Look",
       "what the steps of a rollout printed",
       {kRollout, {"HOST", false}},
       {{"phase", "P", "only this phase"},
        {"step", "S", "only this step"},
        {"failed", "", "only what failed"},
        {"follow", "", "keep following", false, 'f'},
        {"raw", "", "unescaped; refused on a terminal"}},
       RunLogs},
      {"history",
       "Look",
       "rollouts, newest first",
       {},
       {{"plan", "NAME", "only of this plan"}, {"limit", "N", "at most so many (20)"}},
       RunHistory},
      {"fleet status",
       "Look",
       "hosts, what they run, exceptions first",
       {{"EXPR", false}},
       {{"all", "", "healthy hosts too"}},
       RunFleetStatus},
      {"host show", "Look", "one host", {{"HOST"}}, {}, RunHostShow},
  };
}

std::vector<Command> AdministrationCommands() {
  const Option reason{"reason", "TEXT", "why"};
  return {
      {"release build",
       "Releases and plans",
       "run the build steps of release.yaml and seal the tree",
       {{"DIR"}},
       {},
       RunReleaseBuild},
      {"release push",
       "Releases and plans",
       "seal and send what the controller does not have",
       {{"DIR"}},
       {},
       RunReleasePush},
      {"release list", "Releases and plans", "newest first", {{"NAME", false}}, {}, RunReleaseList},
      {"release show", "Releases and plans", "one release", {{"RELEASE"}}, {}, RunReleaseShow},
      {"plan validate",
       "Releases and plans",
       "check a plan file; every mistake with its place",
       {{"PLAN"}},
       {},
       RunPlanValidate},
      {"plan show",
       "Releases and plans",
       "a plan with every default filled in",
       {{"PLAN"}},
       {},
       RunPlanShow},
      {"host cordon",
       "Hosts",
       "keep a host out of new rollouts",
       {{"HOST"}},
       {reason},
       RunHostCordon},
      {"host uncordon", "Hosts", "let it take part again", {{"HOST"}}, {reason}, RunHostUncordon},
      {"host retire",
       "Hosts",
       "take a host out for good",
       {{"HOST"}},
       {reason},
       RunHostRetire,
       "Its certificate is of no use from then on and its session is cut; what runs on it goes "
       "on.\n"
       "Asks for the name of the host, unless --yes is given. A host that a rollout holds is "
       "kept."},
      {"agent enroll",
       "Hosts",
       "make a single-use token for a new host",
       {{"HOST"}},
       {{"label", "K=V", "label of the host", true},
        {"lifetime", "D", "how long the token is good (10m)"},
        {"token-file", "FILE", "write the token there (0600) instead of printing it"}},
       RunAgentEnroll},
      {"agent list", "Hosts", "agents, versions, connections", {}, {}, RunAgentList},
      {"version", "", "version of this program", {}, {}, RunVersion},
      {"help",
       "",
       "this overview, a command, or: exit-codes, environment, output",
       {{"TOPIC", false, true}},
       {},
       RunHelp},
  };
}

}  // namespace

const std::vector<Command>& CommandTable() {
  static const std::vector<Command> table = [] {
    std::vector<Command> all = DeployCommands();
    for (auto&& more : {LookCommands(), AdministrationCommands()}) {
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  }();
  return table;
}

const std::vector<Option>& GlobalOptions() {
  static const std::vector<Option> options = {
      {"config", "FILE", "client configuration (SLIPWAY_CONFIG)"},
      {"controller", "ADDR", "host:port, instead of the configured one (SLIPWAY_CONTROLLER)"},
      {"output", "FORMAT", "text or json", false, 'o'},
      {"color", "WHEN", "auto, always, never"},
      {"ascii", "", "no characters beyond ASCII"},
      {"quiet", "", "results only", false, 'q'},
      {"verbose", "", "also each attempt issued and each host seen", false, 'v'},
      {"yes", "", "do not ask", false, 'y'},
      {"no-input", "", "never ask; fail instead"},
  };
  return options;
}

std::string Invocation::Value(std::string_view name, std::string_view fallback) const {
  const auto it = values_.find(std::string(name));
  return it == values_.end() ? std::string(fallback) : it->second.back();
}

std::vector<std::string> Invocation::Values(std::string_view name) const {
  const auto it = values_.find(std::string(name));
  return it == values_.end() ? std::vector<std::string>() : it->second;
}

}  // namespace slipway::cli
