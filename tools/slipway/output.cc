#include "tools/slipway/output.h"

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/json_util.h>
#include <unistd.h>

#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/slipway/term/escape.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {

bool Json(const Invocation& invocation) {
  return invocation.Value("output", "text") == "json";
}

std::string ToJson(const google::protobuf::Message& message, bool pretty) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = pretty;
  options.preserve_proto_field_names = true;
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(message, &text, options);
  if (!status.ok()) return "{}\n";
  if (text.empty() || text.back() != '\n') text += '\n';
  return text;
}

ExitCode PrintJson(const google::protobuf::Message& message) {
  Print(ToJson(message, true));
  return ExitCode::done;
}

ExitCode Usage(absl::string_view message) {
  Write(STDERR_FILENO, absl::StrCat("error: ", message, "\n"));
  return ExitCode::usage;
}

absl::StatusOr<absl::Duration> ParseDuration(const std::string& text) {
  absl::Duration duration;
  const bool bare = !text.empty() && text.find_first_not_of("0123456789.") == std::string::npos;
  if (bare || !absl::ParseDuration(text, &duration) || duration < absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        absl::StrCat("`", Escape(text, true),
                     "` is not a duration: write a number and a unit, as in 90s or 1h30m"));
  }
  return duration;
}

absl::Time ToTime(const google::protobuf::Timestamp& t) {
  return absl::FromUnixSeconds(t.seconds()) + absl::Nanoseconds(t.nanos());
}

absl::Duration ToDuration(const google::protobuf::Duration& d) {
  return absl::Seconds(d.seconds()) + absl::Nanoseconds(d.nanos());
}

std::string Took(absl::Duration duration) {
  const double seconds = absl::ToDoubleSeconds(duration);
  if (seconds < 0.0005) return "0 s";
  if (seconds < 0.9995) return absl::StrFormat("%.0f ms", seconds * 1000);
  if (seconds < 10) return absl::StrFormat("%.1f s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 60) return absl::StrCat(whole, " s");
  if (whole < 3600) return absl::StrCat(whole / 60, " min ", whole % 60, " s");
  if (whole < 86400) return absl::StrCat(whole / 3600, " h ", whole % 3600 / 60, " min");
  return absl::StrCat(whole / 86400, " d ", whole % 86400 / 3600, " h");
}

std::string Ago(absl::Time then, absl::Time now) {
  const absl::Duration past = now - then;
  if (past < absl::Seconds(2)) return "just now";
  if (past < absl::Minutes(1)) return absl::StrCat(absl::ToInt64Seconds(past), " s ago");
  if (past < absl::Hours(1)) return absl::StrCat(absl::ToInt64Minutes(past), " min ago");
  if (past < absl::Hours(48)) return absl::StrCat(absl::ToInt64Hours(past), " h ago");
  return absl::StrCat(absl::ToInt64Hours(past) / 24, " d ago");
}

std::string Bytes(std::uint64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  int unit = 0;
  while (value >= 1024 && unit < 4) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? absl::StrCat(bytes, " B") : absl::StrFormat("%.1f %s", value, kUnits[unit]);
}

Cell Age(absl::Time then, absl::Time now) {
  return {Ago(then, now), absl::ToDoubleSeconds(now - then)};
}

Cell Lasted(absl::Duration duration) {
  return {Took(duration), absl::ToDoubleSeconds(duration)};
}

Cell Size(std::uint64_t bytes) {
  return {Bytes(bytes), static_cast<double>(bytes)};
}

std::string Short(const std::string& digest) {
  const auto colon = digest.find(':');
  return colon == std::string::npos ? digest : digest.substr(colon + 1, 8);
}

std::string Count(std::size_t n, absl::string_view one, absl::string_view many) {
  return absl::StrCat(n, " ", n == 1 ? one : many);
}

}  // namespace slipway::cli
