// Private to agent/database: scripts and answers as files of a sequence.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/database/database.h"
#include "agent/database/parts.h"

namespace slipway::agent {

inline constexpr std::uint64_t kAnswerMax = 256 << 20;  // bytes of what a part may find out
// Of parts that only find out how a migration ended: the answer is worth more than punctuality.
inline constexpr absl::Duration kSettleOvertime = absl::Seconds(90);

// Makes FOLDER/NAME (0600) with `text`; what an earlier run of the sequence wrote is the same.
absl::StatusOr<std::string> WriteScript(const Parts& parts, const std::string& name,
                                        std::string_view text);
absl::StatusOr<std::string> ReadAnswer(const Parts& parts, const std::string& name);

// "number TAB name TAB digest" lines.
absl::StatusOr<std::vector<AppliedMigration>> ReadApplied(std::string_view lines);

}  // namespace slipway::agent
