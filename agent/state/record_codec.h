// Records of the agent's core <-> bytes, as in docs/formats/agent_state.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/core/record.h"

namespace slipway::agent {

// A frame's body.
std::string EncodeRecords(const std::vector<Record>& records);

// nullopt: not `count` records, or one of them is not understood.
std::optional<std::vector<Record>> DecodeRecords(std::string_view body, std::uint32_t count);

}  // namespace slipway::agent
