#include "tests/scenario/plan_words.h"

#include <algorithm>
#include <functional>
#include <sstream>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace slipway::scenario {
namespace {

using engine::Gate;
using engine::Share;
using engine::Step;
using engine::Sweep;
using engine::Undo;
using engine::Unreachable;

absl::Status Unknown(const std::string& what, const std::string& word) {
  return absl::InvalidArgumentError(absl::StrCat(what, " knows no \"", word, "\""));
}

absl::Duration DurationOf(const std::string& text) {
  absl::Duration duration = absl::ZeroDuration();
  return absl::ParseDuration(text, &duration) ? duration : absl::ZeroDuration();
}

Share ShareOf(const std::string& text) {
  Share share;
  const bool percent = !text.empty() && text.back() == '%';
  int number = 0;
  if (absl::SimpleAtoi(percent ? text.substr(0, text.size() - 1) : text, &number)) {
    (percent ? share.percent : share.count) = number;
  }
  return share;
}

std::vector<Share> RampOf(const std::string& text) {
  std::vector<Share> ramp;
  for (const std::string& entry : Split(text, ',')) ramp.push_back(ShareOf(entry));
  return ramp;
}

// kind:role:within:on_timeout:people:approvals, people separated by "+"
absl::StatusOr<Gate> GateOf(const std::string& text) {
  const std::vector<std::string> parts = Split(text, ':');
  static const std::map<std::string, Gate::Kind> kinds = {{"approval", Gate::Kind::approval},
                                                          {"wait", Gate::Kind::wait},
                                                          {"healthy", Gate::Kind::healthy},
                                                          {"window", Gate::Kind::window}};
  static const std::map<std::string, Gate::OnTimeout> timeouts = {
      {"hold", Gate::OnTimeout::hold},
      {"rollback", Gate::OnTimeout::roll_back},
      {"abort", Gate::OnTimeout::abort}};
  const auto kind = kinds.find(parts[0]);
  if (kind == kinds.end()) return Unknown("gate", parts[0]);
  Gate gate;
  gate.kind = kind->second;
  gate.text = parts[0];
  if (parts.size() > 1) gate.role = parts[1];
  if (parts.size() > 2) gate.within = DurationOf(parts[2]);
  if (parts.size() > 3) {
    const auto on_timeout = timeouts.find(parts[3]);
    if (on_timeout == timeouts.end()) return Unknown("gate", parts[3]);
    gate.on_timeout = on_timeout->second;
  }
  if (parts.size() > 4) gate.people = Split(parts[4], '+');
  if (parts.size() > 5) gate.approvals = std::stoi(parts[5]);
  return gate;
}

Step BakeStep(const std::string& text) {
  Step step;
  step.name = absl::StrCat("bake ", text);
  step.action = "bake";
  step.traits.verifies = true;
  step.traits.timeout = DurationOf(text) + absl::Seconds(30);
  return step;
}

}  // namespace

bool Words::Has(const std::string& word) const {
  return std::find(plain.begin(), plain.end(), word) != plain.end();
}

std::string Words::Named(const std::string& key, const std::string& otherwise) const {
  const auto it = named.find(key);
  return it == named.end() ? otherwise : it->second;
}

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

Words ParseWords(const std::string& line) {
  Words words;
  const std::size_t colon = line.find(" : ");
  if (colon != std::string::npos) words.text = line.substr(colon + 3);
  std::istringstream in(line.substr(0, colon));
  for (std::string word; in >> word;) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) {
      words.plain.push_back(word);
    } else {
      words.named[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }
  return words;
}

absl::Status PlanWords::Add(const std::string& verb, const Words& words) {
  if (verb == "hosts") {
    for (const std::string& name : words.plain) {
      hosts_.push_back({HostId{name}, "", {{"/srv/app", "v2"}}});
    }
    return absl::OkStatus();
  }
  if (verb == "step") return AddStep(words);
  if (verb == "phase") {
    engine::Phase phase;
    phase.name = words.plain.empty() ? "" : words.plain[0];
    phase.max_failed = std::stoi(words.Named("max_failed", "0"));
    plan_.phases.push_back(phase);
    return absl::OkStatus();
  }
  if (verb == "part") return AddPart(words);
  if (verb == "rollback_policy") return SetRollback(words);
  return absl::NotFoundError(verb);
}

absl::Status PlanWords::AddStep(const Words& words) {
  Step step;
  step.name = step.action = words.plain.at(0);
  step.traits.undo = Undo::built_in;
  engine::Traits& traits = step.traits;
  const std::map<std::string, std::function<void()>> flags = {
      {"no_undo", [&] { traits.undo = Undo::not_needed; }},
      {"impossible", [&] { traits.undo = Undo::impossible; }},
      {"disruptive", [&] { traits.disruptive = true; }},
      {"no_probe", [&] { traits.probe_decides = false; }},
      {"check", [&] { traits.verifies = true, traits.undo = Undo::not_needed; }},
      {"on_rollback", [&] { traits.on_rollback = true; }},
      {"quiesce", [&] { traits.sweep = Sweep::quiesce; }},
      {"restore", [&] { traits.sweep = Sweep::restore; }},
      {"resume", [&] { traits.sweep = Sweep::resume; }},
      {"skip", [&] { traits.unreachable = Unreachable::skip; }},
      {"wait", [&] { traits.unreachable = Unreachable::wait; }},
  };
  for (std::size_t i = 1; i < words.plain.size(); ++i) {
    const auto flag = flags.find(words.plain[i]);
    if (flag == flags.end()) return Unknown("step", words.plain[i]);
    flag->second();
  }
  traits.retries = std::stoi(words.Named("retries", "0"));
  traits.timeout = DurationOf(words.Named("timeout", "10m"));
  traits.deadline = DurationOf(words.Named("deadline", "5m"));
  steps_[step.name] = step;
  return absl::OkStatus();
}

absl::Status PlanWords::AddPart(const Words& words) {
  if (plan_.phases.empty()) return absl::InvalidArgumentError("a part needs a phase before it");
  engine::Part part;
  part.phase = static_cast<std::uint16_t>(plan_.phases.size() - 1);
  SLIPWAY_ASSIGN_OR_RETURN(part.hosts, Hosts(words.Named("hosts")));
  SLIPWAY_ASSIGN_OR_RETURN(part.steps, Steps(words.Named("steps")));
  part.strategy.canary = ShareOf(words.Named("canary"));
  part.strategy.ramp = RampOf(words.Named("batch"));
  if (words.named.count("canary_bake") > 0) {
    part.strategy.canary_bake = BakeStep(words.Named("canary_bake"));
  }
  if (words.named.count("bake") > 0) part.strategy.bake = BakeStep(words.Named("bake"));
  if (words.named.count("gate") > 0) {
    SLIPWAY_ASSIGN_OR_RETURN(part.before, GateOf(words.Named("gate")));
  }
  plan_.parts.push_back(std::move(part));
  return absl::OkStatus();
}

absl::Status PlanWords::SetRollback(const Words& words) {
  static const std::map<std::string, engine::DatabaseWay> ways = {
      {"keep", engine::DatabaseWay::keep},
      {"down", engine::DatabaseWay::down},
      {"restore", engine::DatabaseWay::restore}};
  const auto way = ways.find(words.Named("database", "keep"));
  if (way == ways.end()) return Unknown("rollback_policy", words.Named("database"));
  rollback_.database = way->second;
  rollback_.ramp = RampOf(words.Named("batch"));
  rollback_.within = DurationOf(words.Named("within", "30m"));
  rollback_.triggers.step_failed = !words.Has("not_on_step_failed");
  rollback_.triggers.check_failed = !words.Has("not_on_check_failed");
  rollback_.triggers.manual = !words.Has("not_manual");
  SLIPWAY_ASSIGN_OR_RETURN(rollback_.users, Hosts(words.Named("users")));
  SLIPWAY_ASSIGN_OR_RETURN(rollback_.quiesce, Steps(words.Named("quiesce")));
  SLIPWAY_ASSIGN_OR_RETURN(rollback_.resume, Steps(words.Named("resume")));
  return absl::OkStatus();
}

absl::StatusOr<engine::HostIx> PlanWords::Host(const std::string& name) const {
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    if (hosts_[i].id.text == name) return static_cast<engine::HostIx>(i);
  }
  return absl::InvalidArgumentError(absl::StrCat("no host ", name));
}

absl::StatusOr<std::vector<engine::HostIx>> PlanWords::Hosts(const std::string& names) const {
  std::vector<engine::HostIx> hosts;
  if (names == "all") {
    for (std::size_t i = 0; i < hosts_.size(); ++i) hosts.push_back(static_cast<engine::HostIx>(i));
    return hosts;
  }
  for (const std::string& name : Split(names, ',')) {
    SLIPWAY_ASSIGN_OR_RETURN(const engine::HostIx host, Host(name));
    hosts.push_back(host);
  }
  return hosts;
}

absl::StatusOr<std::vector<Step>> PlanWords::Steps(const std::string& names) const {
  std::vector<Step> steps;
  for (const std::string& name : Split(names, ',')) {
    const auto step = steps_.find(name);
    if (step == steps_.end()) return Unknown("the plan", name);
    steps.push_back(step->second);
  }
  return steps;
}

engine::Planned PlanWords::Build(std::uint64_t seed) const {
  engine::Planned planned;
  planned.at = absl::UnixEpoch();
  planned.hosts = hosts_;
  planned.forward = engine::Forward(plan_, seed);
  planned.rollback = rollback_;
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    planned.before[static_cast<engine::HostIx>(i)] = {{"/srv/app", Version{"v1", "v1", "1", true}}};
  }
  return planned;
}

}  // namespace slipway::scenario
