#include "agent/actions/log_gate.h"

#include <utility>

#include "absl/strings/match.h"

namespace slipway::agent {
namespace {

constexpr std::uint64_t kLookBytes = 256 << 10;
// A line that is longer is judged in parts.
constexpr std::size_t kLineBytesMax = 64 << 10;

}  // namespace

LogGate::LogGate(const ServiceManager& services, ServiceId id, LogPosition from,
                 std::string must_match, std::vector<std::string> must_not_match)
    : services_(services),
      id_(std::move(id)),
      must_match_(std::move(must_match)),
      must_not_match_(std::move(must_not_match)),
      at_(from),
      matched_(must_match_.empty()) {}

void LogGate::Look() {
  while (true) {
    LogPiece piece = services_.ReadLog(id_, at_, kLookBytes);
    at_ = piece.next;
    if (piece.bytes.empty()) break;
    unfinished_ += piece.bytes;
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = unfinished_.find('\n', begin)) != std::string::npos;) {
      Judge(unfinished_.substr(begin, end - begin));
      begin = end + 1;
    }
    unfinished_.erase(0, begin);
    if (unfinished_.size() > kLineBytesMax) unfinished_.erase(0, unfinished_.size() / 2);
  }
  // The words may be all that ever comes of the line.
  if (!unfinished_.empty()) Judge(unfinished_);
}

void LogGate::Judge(const std::string& line) {
  if (!matched_) matched_ = absl::StrContains(line, must_match_);
  for (const std::string& words : must_not_match_) {
    if (offence_.empty() && absl::StrContains(line, words)) offence_ = line;
  }
}

}  // namespace slipway::agent
