#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status_macros.h"
#include "controller/rpc/rollout_streams.h"
#include "controller/rpc/stream_slot.h"
#include "slipway/v1/rollout.pb.h"

namespace slipway::controller {
namespace {

// Commands whose output is read at the same time.
constexpr std::size_t kOpenMax = 32;
constexpr absl::Duration kPause = absl::Milliseconds(200);

struct Wanted {
  CommandId command;
  std::string step;
  bool open = false;  // the task runs
};

const std::string& PhaseNameOf(const engine::State& state, const engine::TaskId& task) {
  const engine::Schedule& schedule =
      task.course == Course::backward ? state.backward : state.forward;
  return schedule.phases[schedule.batches[task.batch].phase].name;
}

CommandId CommandOf(const RolloutView& view, const engine::TaskId& task, int attempt) {
  return {view.id, task.course, task.batch, task.step, view.state.hosts[task.host].id, attempt};
}

std::vector<Wanted> WantedOf(const RolloutView& view, const v1::GetLogsRequest& request) {
  std::vector<Wanted> wanted;
  for (const auto& [id, task] : view.state.tasks) {
    if (task.attempt == 0) continue;
    const engine::Step& step = engine::StepOf(view.state, id);
    const bool failed = task.outcome && *task.outcome != Outcome::succeeded;
    if (request.failed_only() && !failed) continue;
    if (!request.host().empty() && view.state.hosts[id.host].id.text != request.host()) continue;
    if (!request.phase().empty() && PhaseNameOf(view.state, id) != request.phase()) continue;
    if (!request.step().empty() && step.name != request.step()) continue;
    wanted.push_back(
        {CommandOf(view, id, task.attempt), step.name, view.state.open.count(id) != 0});
  }
  return wanted;
}

// One caller's logs.
class Logs {
 public:
  Logs(AgentSessions& sessions, bool follow, const std::function<bool(const v1::LogChunk&)>& write)
      : sessions_(sessions), follow_(follow), write_(write) {}
  ~Logs() {
    for (const auto& [command, reading] : open_) sessions_.CloseOutput(reading.stream);
  }

  // Opens what is wanted and not read yet. False: some had to wait.
  bool Open(const std::vector<Wanted>& wanted);
  // Passes on what came. False: the caller has left.
  bool Drain(bool& moved);
  bool idle() const { return open_.empty(); }
  // What could not be read.
  absl::Status Result() const;

 private:
  struct Reading {
    std::string step;
    std::shared_ptr<OutputStream> stream;
  };
  bool DrainOne(const CommandId& command, const Reading& reading, bool& moved, bool& over);

  AgentSessions& sessions_;
  const bool follow_;
  const std::function<bool(const v1::LogChunk&)>& write_;
  std::map<CommandId, Reading> open_;
  std::set<CommandId> known_;
  std::size_t read_ = 0;
  std::set<std::string> away_;
  absl::Status other_;
};

bool Logs::Open(const std::vector<Wanted>& wanted) {
  for (const Wanted& one : wanted) {
    if (known_.count(one.command) != 0) continue;
    if (open_.size() >= kOpenMax) return false;
    known_.insert(one.command);
    open_[one.command] = {one.step, sessions_.OpenOutput(one.command, follow_ && one.open)};
  }
  return true;
}

bool Logs::DrainOne(const CommandId& command, const Reading& reading, bool& moved, bool& over) {
  for (;;) {
    auto piece = reading.stream->Next(absl::ZeroDuration());
    if (absl::IsDeadlineExceeded(piece.status())) return true;
    moved = true;
    over = !piece.ok() || !piece->has_value();
    if (absl::IsUnavailable(piece.status())) away_.insert(command.host.text);
    if (!piece.ok() && !absl::IsUnavailable(piece.status())) other_ = piece.status();
    if (over) return true;
    ++read_;
    v1::LogChunk chunk;
    chunk.set_host(command.host.text);
    chunk.set_step(reading.step);
    chunk.set_command(ToString(command));
    chunk.set_data(std::move((*piece)->data));
    chunk.set_dropped((*piece)->dropped);
    if (!write_(chunk)) return false;
  }
}

bool Logs::Drain(bool& moved) {
  for (auto it = open_.begin(); it != open_.end();) {
    bool over = false;
    if (!DrainOne(it->first, it->second, moved, over)) return false;
    it = over ? open_.erase(it) : std::next(it);
  }
  return true;
}

absl::Status Logs::Result() const {
  if (!away_.empty()) {
    return absl::UnavailableError(
        absl::StrCat("not all of it: no connection to ", absl::StrJoin(away_, ", ")));
  }
  return read_ == 0 ? other_ : absl::OkStatus();
}

}  // namespace

absl::Status RolloutStreams::Logs(const v1::GetLogsRequest& request,
                                  const std::function<bool(const v1::LogChunk&)>& write,
                                  const std::function<bool()>& left) {
  const StreamSlot slot(streams_);
  SLIPWAY_RETURN_IF_ERROR(slot.status());
  SLIPWAY_ASSIGN_OR_RETURN(const RolloutId rollout, ports_.reader.Resolve(request.id()));
  controller::Logs logs(ports_.sessions, request.follow(), write);
  for (;;) {
    SLIPWAY_ASSIGN_OR_RETURN(const auto view, ports_.pool.View(rollout));
    const auto wanted = WantedOf(*view, request);
    if (wanted.empty() && !request.follow()) {
      return absl::NotFoundError("no step of this rollout that was sent to a host matches");
    }
    const bool all_open = logs.Open(wanted);
    bool moved = false;
    if (left() || !logs.Drain(moved)) return absl::OkStatus();
    const bool more_to_come = request.follow() && !view->state.finished;
    if (all_open && logs.idle() && !more_to_come) return logs.Result();
    if (stopping_) return absl::UnavailableError("the controller is going down");
    if (!moved) ports_.clock.Sleep(kPause);
  }
}

}  // namespace slipway::controller
