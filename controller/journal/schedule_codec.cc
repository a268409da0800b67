#include "controller/journal/schedule_codec.h"

namespace slipway::controller::codec {
namespace {

void Write(const engine::Traits& traits, pb::Traits& out) {
  out.set_undo(ToWire(traits.undo));
  out.set_sweep(ToWire(traits.sweep));
  out.set_disruptive(traits.disruptive);
  out.set_verifies(traits.verifies);
  out.set_probe_decides(traits.probe_decides);
  out.set_on_rollback(traits.on_rollback);
  out.set_retries(traits.retries);
  out.set_timeout(ToMicros(traits.timeout));
  out.set_deadline(ToMicros(traits.deadline));
  out.set_unreachable(ToWire(traits.unreachable));
}

engine::Traits ReadTraits(ValueReader& reader, const pb::Traits& in) {
  engine::Traits traits;
  reader.Enum(in.undo(), traits.undo);
  reader.Enum(in.sweep(), traits.sweep);
  traits.disruptive = in.disruptive();
  traits.verifies = in.verifies();
  traits.probe_decides = in.probe_decides();
  traits.on_rollback = in.on_rollback();
  traits.retries = in.retries();
  traits.timeout = DurationFromMicros(in.timeout());
  traits.deadline = DurationFromMicros(in.deadline());
  reader.Enum(in.unreachable(), traits.unreachable);
  return traits;
}

void Write(const engine::Step& step, pb::Step& out) {
  out.set_name(step.name);
  out.set_action(step.action);
  out.set_direction(ToWire(step.direction));
  out.set_payload(step.payload);
  Write(step.traits, *out.mutable_traits());
  out.set_app(step.app);
}

engine::Step ReadStep(ValueReader& reader, const pb::Step& in) {
  engine::Step step;
  step.name = in.name();
  step.action = in.action();
  reader.Enum(in.direction(), step.direction);
  step.payload = in.payload();
  step.traits = ReadTraits(reader, in.traits());
  step.app = in.app();
  return step;
}

void Write(const engine::Gate& gate, pb::Gate& out) {
  out.set_kind(ToWire(gate.kind));
  out.set_role(gate.role);
  out.set_text(gate.text);
  out.set_within(ToMicros(gate.within));
  out.set_on_timeout(ToWire(gate.on_timeout));
  for (const std::string& person : gate.people) out.add_people(person);
  if (gate.approvals != 1) out.set_approvals(gate.approvals);
}

engine::Gate ReadGate(ValueReader& reader, const pb::Gate& in) {
  engine::Gate gate;
  reader.Enum(in.kind(), gate.kind);
  gate.role = in.role();
  gate.text = in.text();
  gate.within = DurationFromMicros(in.within());
  reader.Enum(in.on_timeout(), gate.on_timeout);
  gate.people.assign(in.people().begin(), in.people().end());
  gate.approvals = in.approvals() == 0 ? 1 : in.approvals();
  return gate;
}

void Write(const engine::Batch& batch, pb::Batch& out) {
  out.set_phase(batch.phase);
  for (const engine::StepIx step : batch.steps) out.add_steps(step);
  for (const engine::Chain& chain : batch.hosts) {
    pb::Chain& host = *out.add_hosts();
    host.set_host(chain.host);
    host.set_first(chain.first);
  }
  Write(batch.before, *out.mutable_before());
}

engine::Batch ReadBatch(ValueReader& reader, const pb::Batch& in) {
  engine::Batch batch;
  reader.Narrow(in.phase(), batch.phase);
  batch.steps.reserve(in.steps_size());
  for (const std::uint32_t step : in.steps()) reader.Narrow(step, batch.steps.emplace_back());
  batch.hosts.reserve(in.hosts_size());
  for (const pb::Chain& chain : in.hosts()) {
    engine::Chain& host = batch.hosts.emplace_back();
    host.host = chain.host();
    reader.Narrow(chain.first(), host.first);
  }
  batch.before = ReadGate(reader, in.before());
  return batch;
}

}  // namespace

void Write(const engine::Schedule& schedule, pb::Schedule& out) {
  for (const engine::Phase& phase : schedule.phases) {
    pb::Phase& to = *out.add_phases();
    to.set_name(phase.name);
    to.set_max_failed(phase.max_failed);
    to.set_takes(ToMicros(phase.takes));
  }
  for (const engine::Step& step : schedule.steps) Write(step, *out.add_steps());
  for (const engine::Batch& batch : schedule.batches) Write(batch, *out.add_batches());
}

engine::Schedule ReadSchedule(ValueReader& reader, const pb::Schedule& in) {
  engine::Schedule schedule;
  for (const pb::Phase& phase : in.phases()) {
    schedule.phases.push_back(
        {phase.name(), phase.max_failed(), DurationFromMicros(phase.takes())});
  }
  for (const pb::Step& step : in.steps()) schedule.steps.push_back(ReadStep(reader, step));
  for (const pb::Batch& batch : in.batches()) schedule.batches.push_back(ReadBatch(reader, batch));
  return schedule;
}

void Write(const engine::RollbackPolicy& policy, pb::RollbackPolicy& out) {
  out.set_database(ToWire(policy.database));
  for (const engine::Share& share : policy.ramp) {
    pb::Share& to = *out.add_ramp();
    to.set_count(share.count);
    to.set_percent(share.percent);
  }
  out.set_within(ToMicros(policy.within));
  pb::Triggers& triggers = *out.mutable_triggers();
  triggers.set_step_failed(policy.triggers.step_failed);
  triggers.set_check_failed(policy.triggers.check_failed);
  triggers.set_manual(policy.triggers.manual);
  for (const engine::HostIx user : policy.users) out.add_users(user);
  for (const engine::Step& step : policy.quiesce) Write(step, *out.add_quiesce());
  for (const engine::Step& step : policy.resume) Write(step, *out.add_resume());
}

engine::RollbackPolicy ReadPolicy(ValueReader& reader, const pb::RollbackPolicy& in) {
  engine::RollbackPolicy policy;
  reader.Enum(in.database(), policy.database);
  for (const pb::Share& share : in.ramp()) policy.ramp.push_back({share.count(), share.percent()});
  policy.within = DurationFromMicros(in.within());
  policy.triggers.step_failed = in.triggers().step_failed();
  policy.triggers.check_failed = in.triggers().check_failed();
  policy.triggers.manual = in.triggers().manual();
  policy.users.assign(in.users().begin(), in.users().end());
  for (const pb::Step& step : in.quiesce()) policy.quiesce.push_back(ReadStep(reader, step));
  for (const pb::Step& step : in.resume()) policy.resume.push_back(ReadStep(reader, step));
  return policy;
}

void Write(const Observed& observed, pb::Observed& out) {
  for (const auto& [directory, version] : observed) {
    pb::Application& to = *out.add_applications();
    to.set_directory(directory);
    to.set_on_disk(version.on_disk);
    to.set_running(version.running);
    to.set_label(version.label);
    to.set_healthy(version.healthy);
  }
}

Observed ReadObserved(const pb::Observed& in) {
  Observed observed;
  for (const pb::Application& app : in.applications()) {
    observed.emplace_hint(observed.end(), app.directory(),
                          Version{app.on_disk(), app.running(), app.label(), app.healthy()});
  }
  return observed;
}

}  // namespace slipway::controller::codec
