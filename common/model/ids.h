// Names of things, as types: two strings side by side cannot be swapped by mistake.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace slipway {

// "ro-M4TZ7K": one execution of a plan. Any unique prefix names it on the command line.
struct RolloutId {
  std::string text;
  auto operator<=>(const RolloutId&) const = default;
};

// The host's name as in its certificate; stable over reboots and address changes.
struct HostId {
  std::string text;
  auto operator<=>(const HostId&) const = default;
};

// Which schedule a task belongs to.
enum class Course : std::uint8_t {
  forward,   // the plan
  undo_one,  // a tolerated failure is undone on its host alone, while the fleet goes on
  backward,  // the whole fleet goes back
};

// One attempt of one task, as readable text: "ro-M4TZ7K/f2.3/web-1/1" is rollout, course
// (f, u or b) with batch and step, host, attempt. The agent never runs one id twice.
struct CommandId {
  RolloutId rollout;
  Course course = Course::forward;
  std::uint16_t batch = 0;
  std::uint16_t step = 0;
  HostId host;
  int attempt = 0;  // counts from 1

  auto operator<=>(const CommandId&) const = default;
};

std::string ToString(const CommandId& id);
std::optional<CommandId> ParseCommandId(std::string_view text);

}  // namespace slipway
