#include "controller/journal/event_codec.h"

#include <google/protobuf/arena.h>

#include <utility>

#include "controller/journal/schedule_codec.h"

namespace slipway::controller {
namespace {

using codec::ToWire;
using codec::ValueReader;
namespace pb = codec::pb;

constexpr std::uint32_t kFormat = 1;

// Most events fit here, so that coding one allocates nothing for the message itself.
struct ArenaOnStack {
  alignas(8) char block[2048];
  google::protobuf::Arena arena{block, sizeof block};
};

void WriteTask(const engine::TaskId& task, pb::TaskId& out) {
  out.set_course(ToWire(task.course));
  out.set_batch(task.batch);
  out.set_step(task.step);
  out.set_host(task.host);
}

engine::TaskId ReadTask(ValueReader& reader, const pb::TaskId& in) {
  engine::TaskId task;
  reader.Enum(in.course(), task.course);
  reader.Narrow(in.batch(), task.batch);
  reader.Narrow(in.step(), task.step);
  task.host = in.host();
  return task;
}

void Write(const engine::Planned& event, pb::Event& out) {
  pb::Planned& to = *out.mutable_planned();
  for (const engine::Target& target : event.hosts) {
    pb::Target& host = *to.add_hosts();
    host.set_id(target.id.text);
    host.set_vars(target.vars);
    for (const auto& [directory, digest] : target.wanted) {
      pb::Wanted& wanted = *host.add_wanted();
      wanted.set_directory(directory);
      wanted.set_digest(digest);
    }
  }
  codec::Write(event.forward, *to.mutable_forward());
  codec::Write(event.rollback, *to.mutable_rollback());
  for (const auto& [host, observed] : event.before) {
    pb::HostObserved& before = *to.add_before();
    before.set_host(host);
    codec::Write(observed, *before.mutable_observed());
  }
  to.set_description(event.description);
  to.set_started_by(event.started_by);
}

engine::Planned ReadPlanned(ValueReader& reader, const pb::Planned& in) {
  engine::Planned event;
  event.hosts.reserve(in.hosts_size());
  for (const pb::Target& host : in.hosts()) {
    engine::Target& target = event.hosts.emplace_back();
    target.id.text = host.id();
    target.vars = host.vars();
    for (const pb::Wanted& app : host.wanted()) target.wanted[app.directory()] = app.digest();
  }
  event.forward = codec::ReadSchedule(reader, in.forward());
  event.rollback = codec::ReadPolicy(reader, in.rollback());
  for (const pb::HostObserved& before : in.before()) {
    event.before.emplace_hint(event.before.end(), before.host(),
                              codec::ReadObserved(before.observed()));
  }
  event.description = in.description();
  event.started_by = in.started_by();
  return event;
}

void Write(const engine::BatchEntered& event, pb::Event& out) {
  pb::BatchEntered& to = *out.mutable_batch_entered();
  to.set_course(ToWire(event.course));
  to.set_batch(event.batch);
}

engine::BatchEntered ReadBatchEntered(ValueReader& reader, const pb::BatchEntered& in) {
  engine::BatchEntered event;
  reader.Enum(in.course(), event.course);
  reader.Narrow(in.batch(), event.batch);
  return event;
}

void Write(const engine::TaskIssued& event, pb::Event& out) {
  pb::TaskIssued& to = *out.mutable_task_issued();
  WriteTask(event.task, *to.mutable_task());
  to.set_attempt(event.attempt);
}

engine::TaskIssued ReadTaskIssued(ValueReader& reader, const pb::TaskIssued& in) {
  engine::TaskIssued event;
  event.task = ReadTask(reader, in.task());
  event.attempt = in.attempt();
  return event;
}

void Write(const engine::TaskEnded& event, pb::Event& out) {
  pb::TaskEnded& to = *out.mutable_task_ended();
  WriteTask(event.task, *to.mutable_task());
  to.set_attempt(event.attempt);
  to.set_outcome(ToWire(event.outcome));
  if (event.again_at) to.set_again_at(ToMicros(*event.again_at));
  to.set_counted(event.counted);
  to.set_message(event.message);
  to.set_excerpt(event.excerpt);
}

engine::TaskEnded ReadTaskEnded(ValueReader& reader, const pb::TaskEnded& in) {
  engine::TaskEnded event;
  event.task = ReadTask(reader, in.task());
  event.attempt = in.attempt();
  reader.Enum(in.outcome(), event.outcome);
  if (in.has_again_at()) event.again_at = TimeFromMicros(in.again_at());
  event.counted = in.counted();
  event.message = in.message();
  event.excerpt = in.excerpt();
  return event;
}

void Write(const engine::TaskResolved& event, pb::Event& out) {
  pb::TaskResolved& to = *out.mutable_task_resolved();
  WriteTask(event.task, *to.mutable_task());
  if (event.outcome) to.set_outcome(ToWire(*event.outcome));
  to.set_by(event.by);
  to.set_text(event.text);
  to.set_skipped(event.skipped);
  to.set_goes_on(event.goes_on);
}

engine::TaskResolved ReadTaskResolved(ValueReader& reader, const pb::TaskResolved& in) {
  engine::TaskResolved event;
  event.task = ReadTask(reader, in.task());
  if (in.has_outcome()) reader.Enum(in.outcome(), event.outcome.emplace());
  event.by = in.by();
  event.text = in.text();
  event.skipped = in.skipped();
  event.goes_on = in.goes_on();
  return event;
}

void Write(const engine::HostTripped& event, pb::Event& out) {
  pb::HostTripped& to = *out.mutable_host_tripped();
  to.set_host(event.host);
  to.set_reason(event.reason);
}

engine::HostTripped ReadHostTripped(const pb::HostTripped& in) {
  engine::HostTripped event;
  event.host = in.host();
  event.reason = in.reason();
  return event;
}

void Write(const engine::HostTurnedBack& event, pb::Event& out) {
  pb::HostTurnedBack& to = *out.mutable_host_turned_back();
  to.set_batch(event.batch);
  to.set_host(event.host);
}

engine::HostTurnedBack ReadHostTurnedBack(ValueReader& reader, const pb::HostTurnedBack& in) {
  engine::HostTurnedBack event;
  reader.Narrow(in.batch(), event.batch);
  event.host = in.host();
  return event;
}

void Write(const engine::GatePassed& event, pb::Event& out) {
  pb::GatePassed& to = *out.mutable_gate_passed();
  to.set_course(ToWire(event.course));
  to.set_batch(event.batch);
  to.set_by(event.by);
  to.set_note(event.note);
}

engine::GatePassed ReadGatePassed(ValueReader& reader, const pb::GatePassed& in) {
  engine::GatePassed event;
  reader.Enum(in.course(), event.course);
  reader.Narrow(in.batch(), event.batch);
  event.by = in.by();
  event.note = in.note();
  return event;
}

void Write(const engine::GateAnswered& event, pb::Event& out) {
  pb::GateAnswered& to = *out.mutable_gate_answered();
  to.set_batch(event.batch);
  to.set_approves(event.approves);
  to.set_who(event.who);
  to.set_role(event.role);
  to.set_note(event.note);
  to.set_until(ToMicros(event.until));
}

engine::GateAnswered ReadGateAnswered(ValueReader& reader, const pb::GateAnswered& in) {
  engine::GateAnswered event;
  reader.Narrow(in.batch(), event.batch);
  event.approves = in.approves();
  event.who = in.who();
  event.role = in.role();
  event.note = in.note();
  event.until = TimeFromMicros(in.until());
  return event;
}

void Write(const engine::Noted& event, pb::Event& out) {
  pb::Noted& to = *out.mutable_noted();
  to.set_who(event.who);
  to.set_text(event.text);
}

engine::Noted ReadNoted(const pb::Noted& in) {
  engine::Noted event;
  event.who = in.who();
  event.text = in.text();
  return event;
}

void Write(const engine::Held& event, pb::Event& out) {
  pb::Held& to = *out.mutable_held();
  to.set_why(ToWire(event.hold.why));
  to.set_who(event.hold.who);
  to.set_text(event.hold.text);
  to.set_until(ToMicros(event.hold.until));
  to.set_at_once(event.hold.at_once);
}

engine::Held ReadHeld(ValueReader& reader, const pb::Held& in) {
  engine::Held event;
  reader.Enum(in.why(), event.hold.why);
  event.hold.who = in.who();
  event.hold.text = in.text();
  event.hold.until = TimeFromMicros(in.until());
  event.hold.at_once = in.at_once();
  return event;
}

void Write(const engine::Released& event, pb::Event& out) {
  pb::Released& to = *out.mutable_released();
  to.set_who(event.who);
  to.set_text(event.text);
}

engine::Released ReadReleased(const pb::Released& in) {
  engine::Released event;
  event.who = in.who();
  event.text = in.text();
  return event;
}

void Write(const engine::Stopping& event, pb::Event& out) {
  pb::Stopping& to = *out.mutable_stopping();
  to.set_then(ToWire(event.then));
  to.set_automatic(event.automatic);
  to.set_at_once(event.at_once);
  to.set_who(event.who);
  to.set_reason(event.reason);
}

engine::Stopping ReadStopping(ValueReader& reader, const pb::Stopping& in) {
  engine::Stopping event;
  reader.Enum(in.then(), event.then);
  event.automatic = in.automatic();
  event.at_once = in.at_once();
  event.who = in.who();
  event.reason = in.reason();
  return event;
}

void Write(const engine::TurnedBack& event, pb::Event& out) {
  pb::TurnedBack& to = *out.mutable_turned_back();
  to.set_automatic(event.automatic);
  to.set_who(event.who);
  to.set_reason(event.reason);
  codec::Write(event.backward, *to.mutable_backward());
}

engine::TurnedBack ReadTurnedBack(ValueReader& reader, const pb::TurnedBack& in) {
  engine::TurnedBack event;
  event.automatic = in.automatic();
  event.who = in.who();
  event.reason = in.reason();
  event.backward = codec::ReadSchedule(reader, in.backward());
  return event;
}

void Write(const engine::HostSeen& event, pb::Event& out) {
  pb::HostSeen& to = *out.mutable_host_seen();
  to.set_host(event.host);
  codec::Write(event.observed, *to.mutable_observed());
}

engine::HostSeen ReadHostSeen(const pb::HostSeen& in) {
  engine::HostSeen event;
  event.host = in.host();
  event.observed = codec::ReadObserved(in.observed());
  return event;
}

void Write(const engine::Finished& event, pb::Event& out) {
  pb::Finished& to = *out.mutable_finished();
  to.set_result(ToWire(event.result));
  to.set_text(event.text);
}

engine::Finished ReadFinished(ValueReader& reader, const pb::Finished& in) {
  engine::Finished event;
  reader.Enum(in.result(), event.result);
  event.text = in.text();
  return event;
}

engine::Event ReadKind(ValueReader& reader, const pb::Event& in) {
  switch (in.kind_case()) {
    case pb::Event::kPlanned:
      return ReadPlanned(reader, in.planned());
    case pb::Event::kBatchEntered:
      return ReadBatchEntered(reader, in.batch_entered());
    case pb::Event::kTaskIssued:
      return ReadTaskIssued(reader, in.task_issued());
    case pb::Event::kTaskEnded:
      return ReadTaskEnded(reader, in.task_ended());
    case pb::Event::kTaskResolved:
      return ReadTaskResolved(reader, in.task_resolved());
    case pb::Event::kHostTripped:
      return ReadHostTripped(in.host_tripped());
    case pb::Event::kHostTurnedBack:
      return ReadHostTurnedBack(reader, in.host_turned_back());
    case pb::Event::kGatePassed:
      return ReadGatePassed(reader, in.gate_passed());
    case pb::Event::kHeld:
      return ReadHeld(reader, in.held());
    case pb::Event::kReleased:
      return ReadReleased(in.released());
    case pb::Event::kStopping:
      return ReadStopping(reader, in.stopping());
    case pb::Event::kTurnedBack:
      return ReadTurnedBack(reader, in.turned_back());
    case pb::Event::kHostSeen:
      return ReadHostSeen(in.host_seen());
    case pb::Event::kFinished:
      return ReadFinished(reader, in.finished());
    case pb::Event::kGateAnswered:
      return ReadGateAnswered(reader, in.gate_answered());
    case pb::Event::kNoted:
      return ReadNoted(in.noted());
    case pb::Event::KIND_NOT_SET:
      break;
  }
  reader.Complain("a kind of event");
  return {};
}

absl::Status WrittenByNewer(std::string_view what) {
  return absl::UnimplementedError(
      absl::StrCat("the record was written by a newer slipway-controller: ", std::string(what),
                   " is unknown here; run that version or a later one"));
}

}  // namespace

std::string EncodeEvent(const engine::Event& event) {
  ArenaOnStack memory;
  auto& out = *google::protobuf::Arena::CreateMessage<pb::Event>(&memory.arena);
  out.set_format(kFormat);
  std::visit(
      [&out](const auto& e) {
        out.set_at(ToMicros(e.at));
        Write(e, out);
      },
      event);
  return out.SerializeAsString();
}

absl::StatusOr<engine::Event> DecodeEvent(std::string_view bytes) {
  ArenaOnStack memory;
  auto& in = *google::protobuf::Arena::CreateMessage<pb::Event>(&memory.arena);
  if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || in.format() == 0) {
    return absl::DataLossError("the bytes are no journal event");
  }
  if (in.format() != kFormat) return WrittenByNewer(absl::StrCat("format ", in.format()));
  ValueReader reader;
  engine::Event event = ReadKind(reader, in);
  if (!reader.complaint().empty()) return WrittenByNewer(reader.complaint());
  std::visit([&in](auto& e) { e.at = TimeFromMicros(in.at()); }, event);
  return event;
}

}  // namespace slipway::controller
