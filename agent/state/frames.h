// The framing of a command log, as in docs/formats/agent_state.md. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/core/record.h"

namespace slipway::agent {

std::string EncodeFileHeader();
std::string EncodeFrame(const std::vector<Record>& records);

struct LogContent {
  std::vector<Record> records;
  std::uint64_t valid_size = 0;  // less than the file: a torn tail follows
};

// What a log file holds. Errors as for CommandLog::Open.
absl::StatusOr<LogContent> ReadLog(std::string_view file);

}  // namespace slipway::agent
