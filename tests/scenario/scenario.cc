#include "tests/scenario/scenario.h"

#include "absl/strings/str_cat.h"

namespace slipway::scenario {
namespace {

using engine::Event;
using engine::HostIx;
using engine::TaskId;
using engine::Time;

// Steps that went as they should, and what was seen: said in one line when a scenario runs
// many of them.
bool IsRoutine(const Event& event) {
  if (std::holds_alternative<engine::TaskIssued>(event)) return true;
  const auto* ended = std::get_if<engine::TaskEnded>(&event);
  return ended != nullptr && ended->outcome == Outcome::succeeded;
}

std::string Stamp(Time at) {
  return absl::FormatDuration(at - absl::UnixEpoch());
}

}  // namespace

std::string Scenario::Run(const std::string& line) {
  const std::size_t space = line.find(' ');
  const std::string verb = line.substr(0, space);
  const Words words = ParseWords(space == std::string::npos ? "" : line.substr(space));
  const absl::Status planned = plan_.Add(verb, words);
  if (planned.ok()) return "";
  if (!absl::IsNotFound(planned)) return absl::StrCat("error: ", planned.ToString(), "\n");
  return RunVerb(verb, words);
}

std::string Scenario::RunVerb(const std::string& verb, const Words& words) {
  static const std::map<std::string, engine::Verb::Kind> verbs = {
      {"pause", engine::Verb::Kind::pause},     {"resume", engine::Verb::Kind::resume},
      {"abort", engine::Verb::Kind::abort},     {"retry", engine::Verb::Kind::retry},
      {"skip", engine::Verb::Kind::skip},       {"rollback", engine::Verb::Kind::roll_back},
      {"approve", engine::Verb::Kind::approve}, {"reject", engine::Verb::Kind::reject},
      {"note", engine::Verb::Kind::note}};
  const auto kind = verbs.find(verb);
  if (kind != verbs.end()) return Person(kind->second, words);
  if (verb == "begin") return Begin(words);
  if (verb == "attach") return Sessions(words, true);
  if (verb == "lose") return Sessions(words, false);
  if (verb == "tick") return Tick(words);
  if (verb == "report") return Report(words);
  if (verb == "run") return RunAll(words);
  if (verb == "trip") return Trip(words);
  if (verb == "see") return See(words);
  if (verb == "restart") return Restart();
  if (verb == "show") return Show();
  if (verb == "prefixes") return Prefixes();
  return absl::StrCat("error: no verb ", verb, "\n");
}

std::string Scenario::Begin(const Words& words) {
  engine::Planned planned = plan_.Build(std::stoull(words.Named("seed", "1")));
  if (words.Has("nothing_before")) {
    for (auto& [host, observed] : planned.before) observed["/srv/app"] = {};
  }
  for (const auto& [host, observed] : planned.before) versions_[host] = observed.at("/srv/app");
  planned.started_by = words.Named("by");
  history_.push_back(planned);
  engine::Apply(state_, history_.back());
  return absl::StrCat(Print(planned.forward, ""),
                      words.Has("waiting") ? "" : Decide(engine::Tick{now_}));
}

std::string Scenario::Print(const engine::Schedule& schedule, const std::string& indent) const {
  std::string text;
  for (const engine::Batch& batch : schedule.batches) {
    absl::StrAppend(&text, indent, schedule.phases[batch.phase].name, ":");
    for (const engine::Chain& chain : batch.hosts) {
      absl::StrAppend(&text, " ", state_.hosts[chain.host].id.text);
      if (chain.first > 0) absl::StrAppend(&text, "+", chain.first);
    }
    absl::StrAppend(&text, " |");
    for (const engine::StepIx ix : batch.steps) {
      const engine::Step& step = schedule.steps[ix];
      const bool undo = step.direction == Direction::undo;
      const bool old = step.direction == Direction::previous;
      absl::StrAppend(&text, undo ? " undo-" : old ? " old-" : " ", step.name);
    }
    absl::StrAppend(&text, "\n");
  }
  return text;
}

std::string Scenario::Decide(const engine::Input& input, bool brief) {
  std::vector<Event> events;
  const absl::Status verdict = engine::Decide(state_, presence_, input, events);
  std::string text;
  if (!verdict.ok()) {
    absl::StrAppend(&text,
                    absl::IsFailedPrecondition(verdict) ? "refused: "
                    : absl::IsPermissionDenied(verdict) ? "not allowed: "
                                                        : "error: ",
                    std::string(verdict.message()), "\n");
  }
  for (const Event& event : events) {
    history_.push_back(event);
    if (const auto* issued = std::get_if<engine::TaskIssued>(&event)) {
      last_issued_[issued->task.host] = *issued;
    }
    const auto at = std::visit([](const auto& e) { return e.at; }, event);
    if (const std::string broken = engine::BrokenInvariant(state_, event);
        !broken.empty() && events.size() == 1) {
      absl::StrAppend(&text, "BROKEN: ", broken, "\n");
    }
    if (std::holds_alternative<engine::HostSeen>(event) || (brief && IsRoutine(event))) continue;
    absl::StrAppend(&text, Stamp(at), " ", engine::Describe(state_, event), "\n");
  }
  if (const std::string broken = engine::BrokenInvariant(state_); !broken.empty()) {
    absl::StrAppend(&text, "BROKEN: ", broken, "\n");
  }
  return text;
}

std::string Scenario::Deliver(const engine::Reported& reported, bool brief) {
  last_report_[reported.task.host] = reported;
  std::string text = Decide(reported, brief);
  if (twice_) absl::StrAppend(&text, Decide(reported, brief));
  return text;
}

std::vector<HostIx> Scenario::HostsOf(const Words& words) const {
  std::vector<HostIx> hosts;
  for (std::size_t i = 0; i < state_.hosts.size(); ++i) {
    if (words.Has("all") || words.Has(state_.hosts[i].id.text))
      hosts.push_back(static_cast<HostIx>(i));
  }
  return hosts;
}

std::string Scenario::Sessions(const Words& words, bool attach) {
  std::string text;
  for (const HostIx host : HostsOf(words)) {
    if (attach) {
      absl::StrAppend(&text, Decide(engine::Attached{now_, host}));
    } else {
      absl::StrAppend(&text, Decide(engine::Lost{now_, host}));
    }
  }
  return text;
}

// Time passes; the engine is woken exactly when it asked for it.
std::string Scenario::Tick(const Words& words) {
  absl::Duration passes = absl::ZeroDuration();
  if (words.plain.empty() || !absl::ParseDuration(words.plain[0], &passes))
    return "error: tick how long\n";
  const Time until = now_ + passes;
  std::string text;
  for (int wakes = 0; wakes < 10000; ++wakes) {
    const auto wake = engine::NextWake(state_, presence_);
    if (!wake || *wake > until) break;
    now_ = std::max(now_, *wake);
    absl::StrAppend(&text, Decide(engine::Tick{now_}));
    if (wakes == 9999) absl::StrAppend(&text, "BROKEN: it never sleeps\n");
  }
  now_ = until;
  return absl::StrCat(text, Decide(engine::Tick{now_}));
}

Version Scenario::BeforeOf(HostIx host) const {
  return state_.before.at(host).at("/srv/app");
}

// What the step does to a host, when it succeeds.
void Scenario::ChangeHost(const TaskId& task) {
  const engine::Step& step = engine::StepOf(state_, task);
  Version& version = versions_[task.host];
  const bool undo = step.direction == Direction::undo;
  if (step.direction == Direction::previous) return;
  if (step.name == "switch") version.on_disk = undo ? BeforeOf(task.host).on_disk : "v2";
  if (step.name == "start") version.running = undo ? "" : version.on_disk;
  if (step.name == "stop") version.running = undo ? version.on_disk : "";
}

// report HOST VERDICT [attempt=N] [unsent] [: message]; report HOST again; report HOST unsent.
// An unsent answer stays with its agent until it is asked for.
std::string Scenario::Report(const Words& words) {
  const std::vector<HostIx> hosts = HostsOf(words);
  std::string text;
  for (const HostIx host : hosts) {
    if (words.Has("again")) {
      absl::StrAppend(&text, Decide(last_report_[host]));
      continue;
    }
    if (words.Has("unsent") && unsent_.count(host) > 0) {
      absl::StrAppend(&text, Deliver(unsent_.extract(host).mapped()));
      continue;
    }
    engine::Reported reported{now_, {}, 0, Verdict::succeeded, words.text, "", {}};
    const auto issued = last_issued_.find(host);
    if (issued == last_issued_.end()) {
      if (words.Has("all")) continue;
      return "error: nothing was issued to it\n";
    }
    reported.task = issued->second.task;
    reported.attempt = std::stoi(words.Named("attempt", absl::StrCat(issued->second.attempt)));
    for (const std::string& word : words.plain) {
      const auto verdict =
          word == "ok" ? Verdict::succeeded : ParseVerdict(word).value_or(reported.verdict);
      reported.verdict = verdict;
    }
    if (reported.verdict == Verdict::succeeded) ChangeHost(reported.task);
    reported.observed["/srv/app"] = versions_[host];
    if (words.Has("unsent")) {
      unsent_.emplace(host, std::move(reported));
      continue;
    }
    absl::StrAppend(&text, Deliver(reported));
  }
  return text;
}

// Every attached host answers "succeeded" until nothing is outstanding; routine is counted.
std::string Scenario::RunAll(const Words& words) {
  std::string text;
  int answered = 0;
  const int most = std::stoi(words.Named("most", "1000"));
  while (answered < most) {
    const TaskId* next = nullptr;
    for (const TaskId& id : engine::Outstanding(state_)) {
      const bool spared = words.Has(absl::StrCat("not:", state_.hosts[id.host].id.text));
      if (presence_.attached.count(id.host) > 0 && !spared) {
        next = &id;
        break;
      }
    }
    if (next == nullptr) break;
    const TaskId id = *next;
    now_ += absl::Seconds(1);
    ChangeHost(id);
    engine::Reported reported{now_, id, state_.tasks.at(id).attempt, Verdict::succeeded, "",
                              "",   {}};
    reported.observed["/srv/app"] = versions_[id.host];
    absl::StrAppend(&text, Deliver(reported, true));
    ++answered;
  }
  return absl::StrCat(text, answered, " steps succeeded\n");
}

std::string Scenario::Person(engine::Verb::Kind kind, const Words& words) {
  engine::Verb verb{now_,
                    kind,
                    words.Named("by", "lead"),
                    words.text,
                    HostsOf(words),
                    words.Has("now"),
                    words.Has("leave_mixed"),
                    words.Named("phase")};
  return Decide(verb);
}

std::string Scenario::Trip(const Words& words) {
  std::string text;
  for (const HostIx host : HostsOf(words)) {
    absl::StrAppend(&text, Decide(engine::Tripped{now_, host, words.text}));
  }
  return text;
}

std::string Scenario::See(const Words& words) {
  std::string text;
  for (const HostIx host : HostsOf(words)) {
    Version& version = versions_[host];
    version.on_disk = words.Named("disk", version.on_disk);
    if (words.named.count("running") > 0) version.running = words.Named("running");
    Observed observed;
    observed["/srv/app"] = version;
    absl::StrAppend(&text, Decide(engine::Sighted{now_, host, observed}));
  }
  return text;
}

// The controller is killed: its state is what the journal says, and nobody is attached.
std::string Scenario::Restart() {
  engine::State replayed;
  for (const Event& event : history_) engine::Apply(replayed, event);
  std::string text = absl::StrCat("replayed ", history_.size(), " events, state ",
                                  replayed == state_ ? "the same" : "DIFFERENT", "\n");
  state_ = std::move(replayed);
  presence_ = {};
  return text;
}

std::string Scenario::Show() const {
  std::string text = "outstanding:";
  for (const TaskId& id : engine::Outstanding(state_)) {
    absl::StrAppend(&text, " [", engine::Describe(state_, id), " #", state_.tasks.at(id).attempt,
                    "]");
  }
  absl::StrAppend(&text, "\n");
  std::map<std::string, std::string> standing;
  for (std::size_t i = 0; i < state_.hosts.size(); ++i) {
    const auto word = std::string(engine::Word(engine::StandingOf(state_, static_cast<HostIx>(i))));
    absl::StrAppend(&standing[word], " ", state_.hosts[i].id.text);
  }
  for (const auto& [word, names] : standing) absl::StrAppend(&text, word, ":", names, "\n");
  return text;
}

// The way back after every number of steps that the whole fleet may have been issued.
std::string Scenario::Prefixes() const {
  std::string text;
  engine::Reach reach;
  const auto print = [&](const std::string& title) {
    absl::StrAppend(&text, title, "\n",
                    Print(engine::Backward(state_.forward, state_.rollback, reach), "  "));
  };
  print("nothing issued");
  for (std::size_t b = 0; b < state_.forward.batches.size(); ++b) {
    const engine::Batch& batch = state_.forward.batches[b];
    for (std::size_t k = 1; k <= batch.steps.size(); ++k) {
      for (const engine::Chain& chain : batch.hosts) {
        reach[{static_cast<std::uint16_t>(b), chain.host}] = static_cast<std::uint16_t>(k);
      }
      print(absl::StrCat("after ", state_.forward.steps[batch.steps[k - 1]].name, " of batch ",
                         b + 1));
    }
  }
  return text;
}

}  // namespace slipway::scenario
