#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
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

std::vector<Command> PeopleCommands() {
  return {
      {"approve",
       "Deploy",
       "say yes to what the rollout waits for, or will wait for",
       {kRollout},
       {{"note", "TEXT", "kept with the approval"},
        {"phase", "NAME", "to this phase's first approval, also ahead of it"}},
       RunApprove,
       "For people who have the role in the plan's `people:`, but not for who started the "
       "rollout.\n"
       "Ahead of its gate, with --phase, a yes counts for 72 hours."},
      {"reject",
       "Deploy",
       "say no to what the rollout waits for",
       {kRollout},
       {{"note", "TEXT", "why; kept in the journal and shown to everybody"}},
       RunReject,
       "It rolls back, or ends as it is where the plan says `on_timeout: fail`."},
      {"note",
       "Deploy",
       "keep a remark with a rollout; changes nothing else",
       {kRollout, {"TEXT"}},
       {},
       RunNote},
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
       RunHistory,
       "",
       "ID,WHEN,PLAN,VERSION,RESULT,TOOK,WHO,WHY"},
      {"fleet status",
       "Look",
       "hosts, what they run, exceptions first",
       {{"EXPR", false}},
       {{"all", "", "healthy hosts too"}},
       RunFleetStatus,
       "",
       "HOST,STATE,VERSION,LOAD,DISK,AGENT,SEEN,NOTE"},
      {"fleet drift",
       "Look",
       "where wanted, on disk and running are not the same",
       {{"EXPR", false}},
       {{"exit-code", "", "leave with 20 when there is any"}},
       RunFleetDrift,
       "",
       "HOST,APP,WANTED,ON DISK,RUNNING,ROLLOUT"},
      {"host show", "Look", "one host", {{"HOST"}}, {}, RunHostShow},
      {"host facts",
       "Look",
       "what a host says of itself, and its labels",
       {{"HOST"}},
       {},
       RunHostFacts,
       "",
       "FACT,VALUE"},
      {"doctor",
       "Look",
       "certificate, controller and agents: what ails, and what helps",
       {},
       {{"strict", "", "leave with 31 on warnings too"}},
       RunDoctor},
  };
}

std::vector<Command> PlanCommands() {
  return {
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
      {"plan new",
       "Releases and plans",
       "a commented plan to begin with",
       {{"NAME", false}},
       {},
       RunPlanNew,
       "NAME is that of release, service and component; redirect the output to a file."},
      {"plan fmt",
       "Releases and plans",
       "lay a plan file out as all are; comments stay",
       {{"PLAN"}},
       {{"check", "", "change nothing; leave with 20 when it would be changed"}},
       RunPlanFmt,
       "Indentation, blank lines and ends of lines; nothing within a line, and nothing that the "
       "plan says."},
      {"plan diff",
       "Releases and plans",
       "what one plan decides otherwise than another",
       {{"OLD"}, {"NEW"}},
       {{"exit-code", "", "leave with 20 when there is any difference"}},
       RunPlanDiff,
       "Decisions are compared, defaults included; comments, order of keys and spelling are not."},
      {"plan schema",
       "Releases and plans",
       "the plan language as a JSON Schema, for editors",
       {},
       {},
       RunPlanSchema,
       "# yaml-language-server: $schema=plan.schema.json at the top of a plan makes an editor use "
       "it."},
      {"plan graph",
       "Releases and plans",
       "phases and steps in their order, for Graphviz",
       {{"PLAN"}},
       {},
       RunPlanGraph,
       "slipway plan graph plan.yaml | dot -Tsvg > plan.svg"},
      {"explain",
       "Releases and plans",
       "what an exit code or the code of a message means, and what to do",
       {{"CODE", false}},
       {},
       RunExplain,
       "",
       "CODE,MEANING"},
  };
}

std::vector<Command> ConfigurationCommands() {
  return {
      {"context list",
       "Configuration",
       "the controllers that have a name here",
       {},
       {},
       RunContextList,
       "",
       "CURRENT,NAME,ADDRESS,FILE"},
      {"context use",
       "Configuration",
       "mean this one where nothing else is said",
       {{"NAME"}},
       {},
       RunContextUse},
      {"context add",
       "Configuration",
       "give a client configuration a name",
       {{"NAME"}, {"FILE"}},
       {},
       RunContextAdd,
       "FILE is the config.yaml that `slipway-controller operator add` wrote; certificate and key\n"
       "stay where they are."},
      {"context remove", "Configuration", "forget the name", {{"NAME"}}, {}, RunContextRemove},
      {"config view",
       "Configuration",
       "what is configured here",
       {},
       {{"origin", "", "and where each word of it comes from"}},
       RunConfigView,
       "",
       "SETTING,VALUE,ORIGIN"},
      {"config set",
       "Configuration",
       "prefer something from now on: context, output or color",
       {{"NAME"}, {"VALUE", false}},
       {},
       RunConfigSet,
       "Without VALUE the preference is removed."},
      {"config path", "Configuration", "the file of your preferences", {}, {}, RunConfigPath},
  };
}

std::vector<Command> MoreCommands() {
  return {
      {"completion",
       "",
       "completion for bash, zsh or fish; knows live hosts, rollouts and versions",
       {{"SHELL"}},
       {},
       RunCompletion,
       "bash: source <(slipway completion bash)\n"
       "zsh:  slipway completion zsh > \"${fpath[1]}/_slipway\"\n"
       "fish: slipway completion fish | source"},
      {"__complete",
       "",
       "what may stand next; asked by the shells' scripts",
       {{"WORD", false, true}},
       {},
       RunComplete,
       "",
       "",
       true},
      {"gen man",
       "",
       "the manual page of a command, or of all",
       {{"COMMAND", false, true}},
       {},
       RunGenMan,
       "slipway gen man fleet status | man -l -"},
      {"version", "", "version of this program", {}, {}, RunVersion},
      {"help",
       "",
       "this overview, a command, or: exit-codes, environment, output",
       {{"TOPIC", false, true}},
       {},
       RunHelp},
  };
}

std::vector<Command> ReleaseCommands() {
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
      {"release list",
       "Releases and plans",
       "newest first",
       {{"NAME", false}},
       {},
       RunReleaseList,
       "",
       "RELEASE,VERSION,DIGEST,SIZE,PUSHED,BY"},
      {"release show", "Releases and plans", "one release", {{"RELEASE"}}, {}, RunReleaseShow},
      {"release verify",
       "Releases and plans",
       "read what the controller keeps again, and compare it with its digests",
       {{"RELEASE", false}},
       {},
       RunReleaseVerify,
       "Leaves with 30 when content is missing or was changed."},
      {"release gc",
       "Releases and plans",
       "remove releases that nothing needs any more from the controller",
       {},
       {{"keep", "N", "keep the newest N of each name (5)"},
        {"dry-run", "", "say what would be removed; change nothing"}},
       RunReleaseGc,
       "What a rollout that is not over goes to or comes from is kept, and what hosts have or\n"
       "should have. Hosts keep their own copies, whatever is removed here."},
  };
}

std::vector<Command> HostCommands() {
  const Option reason{"reason", "TEXT", "why"};
  return {
      {"host cordon",
       "Hosts",
       "keep a host out of new rollouts",
       {{"HOST"}},
       {reason},
       RunHostCordon},
      {"host uncordon", "Hosts", "let it take part again", {{"HOST"}}, {reason}, RunHostUncordon},
      {"host label",
       "Hosts",
       "role=web sets a label, role- removes it",
       {{"HOST"}, {"LABEL", true, true}},
       {},
       RunHostLabel,
       "What is set here goes over what the agent says of itself; a label that is removed here\n"
       "shows the agent's own again. Counts for new rollouts."},
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
      {"agent list",
       "Hosts",
       "agents, versions, connections",
       {},
       {},
       RunAgentList,
       "",
       "HOST,AGENT,CONNECTED,ROUND TRIP,CLOCK,LABELS"},
  };
}

}  // namespace

const std::vector<Command>& CommandTable() {
  static const std::vector<Command> table = [] {
    std::vector<Command> all = DeployCommands();
    for (auto&& more : {PeopleCommands(), LookCommands(), PlanCommands(), ReleaseCommands(),
                        HostCommands(), ConfigurationCommands(), MoreCommands()}) {
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  }();
  return table;
}

const std::vector<Option>& GlobalOptions() {
  static const std::vector<Option> options = {
      {"config", "FILE", "client configuration (SLIPWAY_CONFIG)"},
      {"context", "NAME", "the same, by the name that `context add` gave it (SLIPWAY_CONTEXT)"},
      {"controller", "ADDR", "host:port, instead of the configured one (SLIPWAY_CONTROLLER)"},
      {"output", "FORMAT", "text or json (SLIPWAY_OUTPUT)", false, 'o'},
      {"color", "WHEN", "auto, always, never (SLIPWAY_COLOR)"},
      {"ascii", "", "no characters beyond ASCII"},
      {"quiet", "", "results only", false, 'q'},
      {"verbose", "", "also each attempt issued and each host seen", false, 'v'},
      {"yes", "", "do not ask", false, 'y'},
      {"no-input", "", "never ask; fail instead"},
  };
  return options;
}

std::vector<Option> OptionsOf(const Command& command) {
  std::vector<Option> options = command.options;
  if (!command.columns.empty()) {
    options.push_back({"columns", "A,B", "only these columns, in this order"});
    options.push_back({"sort-by", "COLUMN", "rows in the order of this column"});
    options.push_back({"reverse", "", "the last row first (with --sort-by)"});
    options.push_back({"no-headers", "", "rows only"});
  }
  return options;
}

std::vector<std::string> ColumnNames(std::string_view text) {
  const std::string upper = absl::StrReplaceAll(
      absl::AsciiStrToUpper(absl::string_view(text.data(), text.size())), {{"-", " "}});
  return absl::StrSplit(upper, ',', absl::SkipEmpty());
}

const Setting* Invocation::Default(const std::string& name) const {
  const auto it = defaults_.find(name);
  return it == defaults_.end() ? nullptr : &it->second;
}

const Command* FindCommand(const std::vector<std::string>& words, std::size_t& used) {
  const Command* found = nullptr;
  used = 0;
  for (const Command& command : CommandTable()) {
    const std::vector<std::string> path =
        absl::StrSplit(absl::string_view(command.path.data(), command.path.size()), ' ');
    if (path.size() <= words.size() && path.size() > used &&
        std::equal(path.begin(), path.end(), words.begin())) {
      found = &command;
      used = path.size();
    }
  }
  return found;
}

std::string Invocation::Value(std::string_view name, std::string_view fallback) const {
  const auto it = values_.find(std::string(name));
  if (it != values_.end()) return it->second.back();
  const Setting* setting = Default(std::string(name));
  return setting == nullptr ? std::string(fallback) : setting->value;
}

std::vector<std::string> Invocation::Values(std::string_view name) const {
  const auto it = values_.find(std::string(name));
  return it == values_.end() ? std::vector<std::string>() : it->second;
}

}  // namespace slipway::cli
