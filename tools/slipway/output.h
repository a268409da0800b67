// The two forms of every answer, and the arguments that all commands read alike.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tools/slipway/command.h"
#include "tools/slipway/term/table.h"

namespace google::protobuf {
class Message;
class Timestamp;
class Duration;
}  // namespace google::protobuf

namespace slipway::cli {

// -o json was asked for.
bool Json(const Invocation& invocation);

// One protobuf JSON document and a newline. `pretty` for a document of its own.
std::string ToJson(const google::protobuf::Message& message, bool pretty);
ExitCode PrintJson(const google::protobuf::Message& message);

// Wrong usage: says so, and gives the exit code.
ExitCode Usage(absl::string_view message);

// "90s", "1h30m": a bare number is refused, since nobody knows its unit.
absl::StatusOr<absl::Duration> ParseDuration(const std::string& text);

absl::Time ToTime(const google::protobuf::Timestamp& timestamp);
absl::Duration ToDuration(const google::protobuf::Duration& duration);

// "4 min 51 s", "0.3 s", "2 d 3 h": two units at the most.
std::string Took(absl::Duration duration);
// "4 min ago", "just now".
std::string Ago(absl::Time then, absl::Time now);
// "41.8 MiB"
std::string Bytes(std::uint64_t bytes);
// The same in a table, sorted by what it is: the youngest, shortest, smallest first.
Cell Age(absl::Time then, absl::Time now);
Cell Lasted(absl::Duration duration);
Cell Size(std::uint64_t bytes);
// First eight hex digits of "sha256:…".
std::string Short(const std::string& digest);
// "1 host", "3 hosts"
std::string Count(std::size_t n, absl::string_view one, absl::string_view many);

}  // namespace slipway::cli
