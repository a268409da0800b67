// What travels over an agent's session <-> the values of both cores. What comes in is checked:
// nothing that a peer sends is believed before it has passed here.
#pragma once

#include "absl/status/statusor.h"
#include "common/model/command.h"

namespace slipway {

namespace v1 {
class AnswerMessage;
class CommandMessage;
class HealthReport;
class Witness;
}  // namespace v1

void Encode(const Command& command, v1::CommandMessage& out);
void Encode(const Answer& answer, v1::AnswerMessage& out);
void Encode(const RolloutId& rollout, const Fence& fence, v1::Witness& out);

// INVALID_ARGUMENT, naming the field.
absl::StatusOr<Command> Decode(const v1::CommandMessage& message);
absl::StatusOr<Answer> Decode(const v1::AnswerMessage& message);

// The versions in a host's own report.
Observed ObservedOf(const v1::HealthReport& report);

}  // namespace slipway
