#include "tests/crash/killed_fleet.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/state/command_log.h"
#include "common/clock.h"
#include "controller/engine/engine.h"
#include "controller/journal/event_codec.h"
#include "controller/journal/sqlite_journal.h"

namespace slipway::crash {
namespace {

namespace fs = std::filesystem;

constexpr absl::Duration kPatience = absl::Minutes(10);  // a machine under load
constexpr char kController[] = "controller";

// On both hosts at once: stage, point `current` at it, leave a mark, and find that nobody listens.
constexpr char kPlan[] = R"(plan: 1
name: marks
environment: test
groups:
  all: { select: "role=web", exactly: 2 }
phases:
  - phase: prepare
    steps:
      - stage: { hosts: all, component: files, app: "$DIR/{{host}}-app" }
  - phase: exchange
    hosts: all
    strategy: { canary: { hosts: 0 }, batch: 100% }
    steps:
      - switch: { app: "$DIR/{{host}}-app" }
      - run: { hook: hooks/mark, args: ["$DIR/marks"] }
$CHECK
)";
constexpr char kCheck[] = "      - check: { tcp: \"127.0.0.1:1\" }\n";

// An attempt leaves one mark; a second time it says so.
constexpr char kHook[] = R"(#!/bin/sh
mkdir "$1/$SLIPWAY_ROLLOUT.$SLIPWAY_HOST.$SLIPWAY_ATTEMPT" || echo again >> "$1/twice"
)";

void Write(const fs::path& path, const std::string& text, bool executable = false) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
  if (executable) fs::permissions(path, fs::perms::owner_all);
}

std::string ReleaseFile(const std::string& version) {
  return absl::StrCat("release: 1\nname: marks\nversion: ", version,
                      "\ncomponents:\n  files: { path: files/ }\n"
                      "hooks:\n  hooks/mark: { undo: not_needed }\n");
}

std::string PlanFor(const std::string& dir, bool fails) {
  std::string plan = kPlan;
  const auto replace = [&plan](const std::string& what, const std::string& by) {
    for (std::size_t at = plan.find(what); at != std::string::npos; at = plan.find(what)) {
      plan.replace(at, what.size(), by);
    }
  };
  replace("$DIR", fs::path(dir).lexically_normal().string());
  replace("$CHECK", fails ? kCheck : "");
  return plan;
}

// Every event follows from those before it, and the fences of what an agent took never fall.
std::string JudgeRollout(controller::Journal& journal, const std::string& id) {
  const auto records = journal.Read({id}, 1);
  if (!records.ok()) return std::string(records.status().message());
  if (records->empty()) return id + " has no records";
  engine::State state;
  for (const controller::Record& record : *records) {
    const auto event = controller::DecodeEvent(record.bytes);
    if (!event.ok()) return std::string(event.status().message());
    engine::Apply(state, *event);
    if (std::string broken = engine::BrokenInvariant(state, *event); !broken.empty()) {
      return absl::StrCat(id, ", record ", record.sequence, ": ", broken);
    }
  }
  if (!state.finished) return absl::StrCat(id, " is not over");
  return engine::BrokenInvariant(state);
}

std::string JudgeLog(const std::string& path) {
  auto file = agent::OpenLogFile(path);
  if (!file.ok()) return std::string(file.status().message());
  auto log = agent::CommandLog::Open(**file);
  if (!log.ok()) return std::string(log.status().message());
  const auto records = (*log)->Replay();
  if (!records.ok()) return std::string(records.status().message());
  std::map<RolloutId, std::uint64_t> epochs;
  std::set<CommandId> started;
  for (const agent::Record& record : *records) {
    if (const auto* accepted = std::get_if<agent::Accepted>(&record)) {
      std::uint64_t& highest = epochs[accepted->command.id.rollout];
      if (accepted->command.fence.epoch < highest) return path + ": an epoch fell";
      highest = accepted->command.fence.epoch;
    }
    const auto* begun = std::get_if<agent::Started>(&record);
    if (begun != nullptr && !started.insert(begun->id).second) {
      return absl::StrCat(path, ": ", ToString(begun->id), " was started twice");
    }
  }
  return "";
}

}  // namespace

const std::vector<std::string>& KilledFleet::processes() {
  static const std::vector<std::string> all = {kController, "web-1", "web-2"};
  return all;
}

KilledFleet::KilledFleet() {
  for (const std::string& process : processes()) MapKillPoint(process);
}

KilledFleet::~KilledFleet() {
  over_ = true;
  if (keeper_.joinable()) keeper_.join();
  for (const auto& [process, killable] : killable_) munmap(killable.point, sizeof(KillPoint));
}

void KilledFleet::MapKillPoint(const std::string& process) {
  const std::string path = absl::StrCat(fleet_.dir(), "/", process, ".kill");
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  const int sized = ftruncate(fd, sizeof(KillPoint));
  void* const memory =
      sized != 0 ? MAP_FAILED
                 : mmap(nullptr, sizeof(KillPoint), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (memory == MAP_FAILED) std::abort();
  killable_[process].point = static_cast<KillPoint*>(memory);
  const char* const binaries = std::getenv("SLIPWAY_BINARY_DIR");
  const std::string library =
      absl::StrCat(binaries == nullptr ? "build/dev" : binaries, "/tests/crash/libkill_point.so");
  fleet_.Wrap(process, {"/usr/bin/env", absl::StrCat("LD_PRELOAD=", fs::absolute(library).string()),
                        absl::StrCat(kKillPointFile, "=", path)});
}

std::string KilledFleet::Start() {
  const fs::path dir = fleet_.dir();
  fs::create_directories(dir / "marks");
  for (const std::string version : {"1.0.0", "2.0.0"}) {
    const fs::path release = dir / ("marks-" + version);
    Write(release / "release.yaml", ReleaseFile(version));
    for (int i = 0; i < 4; ++i) {
      Write(release / "files" / absl::StrCat("note-", i), absl::StrCat(version, " ", i, "\n"));
    }
    Write(release / "hooks/mark", kHook, true);
    if (!fleet_.Push(release)) return "not pushed";
  }
  fleet_.KillController();
  fleet_.StartController();
  if (!fleet_.StartAgents(2)) return "agents did not come: " + fleet_.Logs();
  keeper_ = std::thread([this] { Keep(); });
  v1::Rollout rollout;
  if (std::string wrong = Create("1.0.0", rollout); !wrong.empty()) return wrong;
  const std::string id = rollout.id();
  const bool ended = AwaitEnd(id, rollout);
  const bool well = ended && rollout.state() == v1::Rollout::SUCCEEDED;
  return well ? "" : absl::StrCat("the first rollout: ", rollout.text(), "\n", fleet_.Logs());
}

void KilledFleet::Complain(const std::string& what) {
  MutexLock lock(mu_);
  if (complaint_.empty()) complaint_ = what;
}

void KilledFleet::Keep() {
  const auto tend = [this](const std::string& name, test::Process& process, auto start) {
    if (!process.Ended()) return;
    if (const int status = process.Wait(); status != 128 + SIGKILL) {
      Complain(absl::StrCat(name, " ended by itself with status ", status));
    }
    const std::size_t log = test::ContentOf(LogOf(name)).size();
    start();
    MutexLock lock(mu_);
    ++restarts_;
    log_before_[name] = log;
  };
  while (!over_) {
    tend(kController, fleet_.controller(), [this] { fleet_.SpawnController(); });
    for (const std::string host : {"web-1", "web-2"}) {
      tend(host, fleet_.agent(host), [&] { fleet_.StartAgent(host); });
    }
    SystemClock().Sleep(absl::Milliseconds(2));
  }
}

// Asks again, with the same request id, while the controller dies and comes back.
std::string KilledFleet::Create(const std::string& version, v1::Rollout& rollout) {
  v1::CreateRolloutRequest request;
  request.set_request_id(absl::StrCat("marks-", ++requests_));
  request.set_plan(PlanFor(fleet_.dir(), version != "1.0.0"));
  request.set_plan_path("plan.yaml");
  request.set_release("marks@" + version);
  const absl::Duration deadline = SystemClock().Monotonic() + kPatience;
  grpc::Status status;
  do {
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    context.set_deadline(
        gpr_time_add(gpr_now(GPR_CLOCK_REALTIME), gpr_time_from_seconds(10, GPR_TIMESPAN)));
    status = fleet_.rollouts().CreateRollout(&context, request, &rollout);
    const bool again = status.error_code() == grpc::StatusCode::UNAVAILABLE ||
                       status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
    if (!again) break;
  } while (SystemClock().Monotonic() < deadline);
  if (status.ok()) rollouts_.push_back(rollout.id());
  return status.ok() ? "" : absl::StrCat("not created: ", status.error_message());
}

bool KilledFleet::AwaitEnd(const std::string& id, v1::Rollout& rollout) {
  const absl::Duration deadline = SystemClock().Monotonic() + kPatience;
  while (SystemClock().Monotonic() < deadline) {
    rollout = fleet_.Get(id);
    const bool over = rollout.has_ended() || rollout.hold_why() == "needs_person";
    if (over && fleet_.AwaitHost("web-1", v1::Host::CONNECTED) &&
        fleet_.AwaitHost("web-2", v1::Host::CONNECTED)) {
      return true;
    }
    SystemClock().Sleep(absl::Milliseconds(5));
  }
  return false;
}

// Who was killed at the end of the last rollout runs again; of an agent, the controller may have
// noticed neither its death nor its return before that says so.
bool KilledFleet::AllAreBack() {
  std::map<std::string, std::size_t> before;
  {
    MutexLock lock(mu_);
    if (restarts_ != kills()) return false;
    before = log_before_;
  }
  for (const auto& [name, size] : before) {
    if (name == kController) continue;
    if (test::ContentOf(LogOf(name)).find(" connected ", size) == std::string::npos) return false;
  }
  return true;
}

// A controller that was started again knows what is on the hosts only when they have told it, and
// so does one whose agent was.
bool KilledFleet::AwaitReports() {
  const absl::Duration deadline = SystemClock().Monotonic() + kPatience;
  while (SystemClock().Monotonic() < deadline) {
    int told = 0;
    const bool all_back = AllAreBack();
    for (const std::string host : {"web-1", "web-2"}) {
      const v1::Host known = fleet_.Host(host);
      const bool is_free = known.locked_by().empty();  // of the rollout before
      told += known.state() == v1::Host::CONNECTED && !known.apps().empty() && is_free ? 1 : 0;
    }
    if (told == 2 && all_back) return true;
    SystemClock().Sleep(absl::Milliseconds(10));
  }
  return false;
}

std::string KilledFleet::LogOf(const std::string& process) const {
  return absl::StrCat(fleet_.dir(), "/", process, ".log");
}

std::string KilledFleet::App(const std::string& host) const {
  return absl::StrCat(fleet_.dir(), "/", host, "-app");
}

std::string KilledFleet::JudgeHosts(const v1::Rollout& rollout) const {
  if (fs::exists(fleet_.dir() + "/marks/twice")) return "an attempt left its mark twice";
  if (rollout.hosts_size() != 2) return "not every host is named";
  for (const v1::HostStatus& host : rollout.hosts()) {
    if (host.standing() != "old") return absl::StrCat(host.name(), " stands ", host.standing());
    for (int i = 0; i < 4; ++i) {
      const std::string note = absl::StrCat(App(host.name()), "/current/note-", i);
      if (test::ContentOf(note) != absl::StrCat("1.0.0 ", i, "\n")) {
        return absl::StrCat(note, " is not as it was: ", test::ContentOf(note));
      }
    }
  }
  return "";
}

std::string KilledFleet::Roll(const std::vector<PlannedKill>& kills) {
  if (!AwaitReports()) return "the hosts do not tell what is on them\n" + fleet_.Logs();
  const auto arm = [&](bool controller) {
    for (const PlannedKill& kill : kills) {
      if ((kill.process == kController) != controller) continue;
      KillPoint& point = *killable_.at(kill.process).point;
      point.how = static_cast<std::uint32_t>(kill.how);
      point.again_after = kill.again_after;
      point.kill_at = point.operations + kill.operation;
    }
  };
  for (auto& [process, killable] : killable_) killable.begun_at = killable.point->operations;
  arm(false);
  v1::Rollout rollout;
  std::string wrong = Create("2.0.0", rollout);
  // A controller that plans before the hosts have told it what is on them plans from nothing.
  killable_[kController].begun_at = killable_[kController].point->operations;
  arm(true);
  const std::string id = rollout.id();
  if (wrong.empty() && !AwaitEnd(id, rollout)) wrong = "it did not end: " + rollout.hold_text();
  for (auto& [process, killable] : killable_) {
    killable.point->kill_at = 0;
    killable.point->again_after = 0;
    killable.took = killable.point->operations - killable.begun_at;
  }
  if (wrong.empty() && rollout.state() != v1::Rollout::ROLLED_BACK) {
    wrong = absl::StrCat("not rolled back: ", v1::Rollout::State_Name(rollout.state()), " ",
                         rollout.text(), rollout.hold_text());
  }
  if (wrong.empty()) wrong = JudgeHosts(rollout);
  MutexLock lock(mu_);
  if (wrong.empty()) wrong = complaint_;
  return wrong.empty() ? "" : absl::StrCat(id, ": ", wrong, "\n", fleet_.Logs());
}

std::string KilledFleet::JudgeJournals() {
  over_ = true;
  keeper_.join();
  fleet_.KillController();
  for (const std::string host : {"web-1", "web-2"}) {
    fleet_.agent(host).Signal(SIGKILL);
    fleet_.agent(host).Wait();
    if (std::string wrong = JudgeLog(fleet_.AgentDir(host) + "/commands.log"); !wrong.empty()) {
      return wrong;
    }
  }
  const auto database =
      controller::SqliteDatabase::Open({fleet_.dir() + "/controller/store.db", "", nullptr});
  if (!database.ok()) return std::string(database.status().message());
  const auto journal = controller::SqliteJournal::Open(**database);
  if (!journal.ok()) return std::string(journal.status().message());
  for (const std::string& rollout : rollouts_) {
    if (std::string wrong = JudgeRollout(**journal, rollout); !wrong.empty()) return wrong;
  }
  return "";
}

std::uint64_t KilledFleet::OperationsOf(const std::string& process) const {
  return killable_.at(process).took;
}

std::uint64_t KilledFleet::kills() const {
  std::uint64_t all = 0;
  for (const auto& [process, killable] : killable_) all += killable.point->kills;
  return all;
}

}  // namespace slipway::crash
