// Asks whether the host can take the rollout, and changes nothing. All answers are gathered: a
// person who frees disk space wants to know of the missing file, too.
#include <stdlib.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "agent/actions/action_table.h"
#include "agent/actions/binding.h"
#include "agent/health/host_room.h"
#include "agent/health/probe.h"
#include "agent/services/port_proof.h"
#include "agent/state/output_spool.h"
#include "common/status_macros.h"
#include "common/template.h"
#include "common/wire/proto_time.h"
#include "slipway/v1/action.pb.h"

namespace slipway::agent {
namespace {

constexpr absl::Duration kReachWithin = absl::Seconds(5);

class Questions {
 public:
  explicit Questions(ActionContext& ctx) : ctx_(ctx), asked_(ctx.task.action().preflight()) {}

  AttemptEnd Ask() {
    Room();
    for (const std::string& address : asked_.reach()) Reach(address);
    for (const std::string& name : asked_.env()) {
      const char* value = getenv(name.c_str());
      Note(value != nullptr && *value != '\0', "environment variable ", name, " is not set");
    }
    for (const std::string& path : asked_.files()) File(path);
    for (const std::uint32_t port : asked_.ports()) Port(port);
    for (const std::string& service : asked_.ports_of()) PortOf(service);
    ClockOffset();
    if (problems_.empty()) return Succeeded("the host is fit");
    for (const std::string& problem : problems_) ctx_.output.Say(problem);
    return Failed(absl::StrJoin(problems_, "; "));
  }

 private:
  template <class... Parts>
  void Note(bool good, const Parts&... problem) {
    if (!good) problems_.push_back(absl::StrCat(problem...));
  }
  void Note(const absl::Status& status) { Note(status.ok(), status.message()); }

  // "" and a note when a variable is not defined.
  std::string Text(const std::string& text) {
    auto rendered = Render(text, ctx_.vars);
    if (!rendered.ok()) Note(rendered.status());
    return rendered.ok() ? *std::move(rendered) : "";
  }

  void Room() {
    const std::string path = Text(asked_.app().empty() ? ctx_.task.app() : asked_.app());
    Note(ProveDiskFree(path, asked_.disk_free()));
    const DiskRoom room = RoomAt(path);
    Note(room.free_inodes >= asked_.inodes_free(), room.free_inodes, " inodes free on the disk of ",
         room.path, ", ", asked_.inodes_free(), " wanted");
    const std::uint64_t memory = MemoryAvailable();
    Note(memory >= asked_.memory_free(), AsSize(memory), " of memory available, ",
         AsSize(asked_.memory_free()), " wanted");
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    Note(cpus >= static_cast<long>(asked_.cpus()), cpus, " processors online, ", asked_.cpus(),
         " wanted");
  }

  void Reach(const std::string& text) {
    for (const absl::string_view address : absl::StrSplit(Text(text), ',', absl::SkipEmpty())) {
      const absl::Status reached = TcpProbe(std::string(address), kReachWithin);
      Note(reached.ok(), "cannot reach ", reached.message());
    }
  }

  void File(const std::string& text) {
    const std::string path = Text(text);
    Note(path.empty() || access(path.c_str(), R_OK) == 0, path,
         " does not exist or cannot be read");
  }

  // Free, or held by what is about to be replaced.
  void Port(std::uint32_t port) {
    std::vector<pid_t> ours;
    for (const ServiceId& id : ctx_.services.Services()) {
      const ServiceStatus status = ctx_.services.Inspect(id);
      if (status.state == ServiceStatus::State::running) ours.push_back(status.pid);
    }
    Note(ProvePortFreeOrOurs(static_cast<std::uint16_t>(port), ours));
  }

  void PortOf(const std::string& name) {
    for (const v1::Service& service : ctx_.task.release().services()) {
      if (service.name() != name) continue;
      std::uint32_t port = service.port();
      const auto it = ctx_.vars.find("port");
      if (it != ctx_.vars.end()) Note(absl::SimpleAtoi(it->second, &port), "no port: ", it->second);
      return Port(port);
    }
    Note(false, "the release has no service ", name);
  }

  void ClockOffset() {
    if (!asked_.has_clock_within()) return;
    const auto offset = ctx_.clock_offset();
    if (!offset) return Note(false, "the offset of the host's clock is not known yet");
    Note(absl::AbsDuration(*offset) <= FromProto(asked_.clock_within()), "the host's clock is ",
         absl::FormatDuration(absl::AbsDuration(*offset)), " off the controller's");
  }

  ActionContext& ctx_;
  const v1::Preflight& asked_;
  std::vector<std::string> problems_;
};

class Preflight final : public Action {
 public:
  std::string_view Name() const override { return "preflight"; }
  AttemptEnd Apply(ActionContext& ctx) const override { return Questions(ctx).Ask(); }
  AttemptEnd Undo(ActionContext&) const override { return Succeeded(); }
  AttemptEnd Probe(ActionContext& ctx) const override {
    return ctx.direction == Direction::undo ? Succeeded() : Questions(ctx).Ask();
  }
};

}  // namespace

std::unique_ptr<Action> MakePreflight() {
  return std::make_unique<Preflight>();
}

}  // namespace slipway::agent
