#include "tests/sim/host_world.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"

namespace slipway::sim {
namespace {

constexpr std::array<std::pair<Kind, const char*>, 7> kKinds = {{{Kind::stage, "stage"},
                                                                 {Kind::stop, "stop"},
                                                                 {Kind::switch_release, "switch"},
                                                                 {Kind::start, "start"},
                                                                 {Kind::check, "check"},
                                                                 {Kind::bake, "bake"},
                                                                 {Kind::migrate, "migrate"}}};

bool IsUndo(const Command& command) {
  return command.direction == Direction::undo;
}

void StartService(HostWorld& host) {
  if (host.running == host.on_disk) return;  // started already
  host.running = host.on_disk;
  ++host.pid;
}

void StopService(HostWorld& host) {
  if (host.running.empty()) return;
  host.running.clear();
  ++host.pid;
}

Verdict Check(const HostWorld& host, const std::string& expected) {
  if (expected.empty()) return host.running.empty() ? Verdict::succeeded : Verdict::failed;
  return host.running == expected && host.IsHealthy() ? Verdict::succeeded : Verdict::failed;
}

// What `current` is to name after the command.
const std::string& Target(const Command& command, const Work& work) {
  return command.direction == Direction::apply ? work.release : command.previous;
}

}  // namespace

std::string ToPayload(const Work& work) {
  for (const auto& [kind, name] : kKinds) {
    if (kind == work.kind) return absl::StrCat(name, " ", work.release);
  }
  return "";
}

std::optional<Work> ParsePayload(const std::string& payload) {
  const std::size_t space = payload.find(' ');
  for (const auto& [kind, name] : kKinds) {
    if (payload.substr(0, space) == name) return Work{kind, payload.substr(space + 1)};
  }
  return std::nullopt;
}

Observed HostWorld::Observe() const {
  Observed observed;
  Version& version = observed[kApp];
  version.on_disk = on_disk;
  version.running = running;
  version.healthy = IsHealthy();
  return observed;
}

Verdict Perform(HostWorld& host, const Command& command) {
  const auto work = ParsePayload(command.payload);
  if (!work) return Verdict::failed;
  switch (work->kind) {
    case Kind::stage:
      return Verdict::succeeded;
    case Kind::stop:
      IsUndo(command) ? StartService(host) : StopService(host);
      break;
    case Kind::start:
      IsUndo(command) ? StopService(host) : StartService(host);
      break;
    case Kind::switch_release:
      host.on_disk = Target(command, *work);
      break;
    case Kind::migrate:
      host.schema += IsUndo(command) ? -1 : 1;
      break;
    case Kind::check:
    case Kind::bake:
      return Check(host, Target(command, *work));
  }
  return Verdict::succeeded;
}

bool LooksDone(const HostWorld& host, const Command& command) {
  const auto work = ParsePayload(command.payload);
  if (!work) return false;
  switch (work->kind) {
    case Kind::stage:
      return true;
    case Kind::stop:
      return IsUndo(command) ? host.running == host.on_disk : host.running.empty();
    case Kind::start:
      return IsUndo(command) ? host.running.empty() : host.running == host.on_disk;
    case Kind::switch_release:
      return host.on_disk == Target(command, *work);
    case Kind::check:
    case Kind::bake:
      return Check(host, Target(command, *work)) == Verdict::succeeded;
    case Kind::migrate:
      return false;
  }
  return false;
}

bool ProbeDecides(const Command& command) {
  const auto work = ParsePayload(command.payload);
  return work && work->kind != Kind::migrate;
}

}  // namespace slipway::sim
