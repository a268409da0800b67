#include "common/wire/session_codec.h"

#include "absl/strings/str_cat.h"
#include "common/wire/proto_time.h"
#include "slipway/v1/agent_session.pb.h"

namespace slipway {
namespace {

absl::Status Unreadable(const char* field) {
  return absl::InvalidArgumentError(absl::StrCat("message with an unreadable ", field));
}

v1::CommandMessage::Direction DirectionOf(Direction direction) {
  switch (direction) {
    case Direction::apply:
      return v1::CommandMessage::APPLY;
    case Direction::undo:
      return v1::CommandMessage::UNDO;
    case Direction::previous:
      return v1::CommandMessage::PREVIOUS;
  }
  return v1::CommandMessage::DIRECTION_UNSPECIFIED;
}

std::optional<Direction> DirectionFrom(int direction) {
  if (direction == v1::CommandMessage::APPLY) return Direction::apply;
  if (direction == v1::CommandMessage::UNDO) return Direction::undo;
  if (direction == v1::CommandMessage::PREVIOUS) return Direction::previous;
  return std::nullopt;
}

Version VersionOf(const v1::VersionMessage& message) {
  return {message.on_disk(), message.running(), message.label(), message.healthy()};
}

template <class Map>
Observed ObservedFrom(const Map& apps) {
  Observed observed;
  for (const auto& [app, version] : apps) observed[app] = VersionOf(version);
  return observed;
}

}  // namespace

void Encode(const Command& command, v1::CommandMessage& out) {
  out.set_id(ToString(command.id));
  out.set_epoch(command.fence.epoch);
  out.set_holder(command.fence.holder);
  out.set_sequence(command.fence.sequence);
  out.set_head(command.fence.head);
  out.set_nonce(command.nonce);
  out.set_direction(DirectionOf(command.direction));
  out.set_task(command.payload);
  out.set_vars(command.vars);
  out.set_previous(command.previous);
  SetProto(command.timeout, out.mutable_timeout());
}

absl::StatusOr<Command> Decode(const v1::CommandMessage& message) {
  const auto id = ParseCommandId(message.id());
  if (!id) return Unreadable("command id");
  const auto direction = DirectionFrom(message.direction());
  if (!direction) return Unreadable("direction; the controller may be newer than this agent");
  Command command;
  command.id = *id;
  command.fence = {message.epoch(), message.holder(), message.sequence(), message.head()};
  command.nonce = message.nonce();
  command.direction = *direction;
  command.payload = message.task();
  command.vars = message.vars();
  command.previous = message.previous();
  command.timeout = FromProto(message.timeout());
  if (command.timeout <= absl::ZeroDuration()) return Unreadable("timeout");
  return command;
}

void Encode(const Answer& answer, v1::AnswerMessage& out) {
  out.set_id(ToString(answer.id));
  out.set_verdict(std::string(ToString(answer.verdict)));
  out.set_message(answer.message);
  out.set_excerpt(answer.excerpt);
  for (const auto& [app, version] : answer.observed) {
    auto& to = (*out.mutable_observed())[app];
    to.set_on_disk(version.on_disk);
    to.set_running(version.running);
    to.set_label(version.label);
    to.set_healthy(version.healthy);
  }
  SetProto(answer.took, out.mutable_took());
}

absl::StatusOr<Answer> Decode(const v1::AnswerMessage& message) {
  const auto id = ParseCommandId(message.id());
  if (!id) return Unreadable("command id");
  const auto verdict = ParseVerdict(message.verdict());
  if (!verdict) return Unreadable("verdict");
  Answer answer;
  answer.id = *id;
  answer.verdict = *verdict;
  answer.message = message.message();
  answer.excerpt = message.excerpt();
  answer.observed = ObservedFrom(message.observed());
  answer.took = FromProto(message.took());
  return answer;
}

void Encode(const RolloutId& rollout, const Fence& fence, v1::Witness& out) {
  out.set_rollout(rollout.text);
  out.set_epoch(fence.epoch);
  out.set_holder(fence.holder);
  out.set_sequence(fence.sequence);
  out.set_head(fence.head);
}

Observed ObservedOf(const v1::HealthReport& report) {
  return ObservedFrom(report.apps());
}

}  // namespace slipway
