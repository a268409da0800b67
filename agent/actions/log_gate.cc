#include "agent/actions/log_gate.h"

#include <algorithm>
#include <utility>

namespace slipway::agent {
namespace {

constexpr std::uint64_t kLookBytes = 256 << 10;
// A line that is longer is judged in parts.
constexpr std::size_t kLineBytesMax = 64 << 10;
// Of an offence, before the words: enough to understand them, and a message stays a message.
constexpr std::size_t kOffenceBytesBefore = 256;
constexpr std::size_t kOffenceBytesMax = 1024;

std::size_t Longest(const std::string& first, const std::vector<std::string>& others) {
  std::size_t longest = first.size();
  for (const std::string& words : others) longest = std::max(longest, words.size());
  return longest;
}

}  // namespace

LogGate::LogGate(const ServiceManager& services, ServiceId id, LogPosition from,
                 std::string must_match, std::vector<std::string> must_not_match)
    : services_(services),
      id_(std::move(id)),
      must_match_(std::move(must_match)),
      must_not_match_(std::move(must_not_match)),
      words_bytes_max_(Longest(must_match_, must_not_match_)),
      at_(from),
      matched_(must_match_.empty()) {}

void LogGate::Look() {
  while (true) {
    LogPiece piece = services_.ReadLog(id_, at_, kLookBytes);
    at_ = piece.next;
    if (piece.bytes.empty()) break;
    unfinished_ += piece.bytes;
    const std::string_view text = unfinished_;
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = text.find('\n', begin)) != std::string_view::npos;) {
      Judge(text.substr(begin, end - begin));
      begin = end + 1;
    }
    unfinished_.erase(0, begin);
    if (unfinished_.size() > kLineBytesMax) {
      Judge(unfinished_);
      // Words may lie across the cut.
      unfinished_.erase(0, unfinished_.size() - std::min(unfinished_.size(), words_bytes_max_));
    }
  }
  // The words may be all that ever comes of the line.
  if (!unfinished_.empty()) Judge(unfinished_);
}

void LogGate::Judge(std::string_view line) {
  if (!matched_) matched_ = line.find(must_match_) != std::string_view::npos;
  if (!offence_.empty()) return;
  for (const std::string& words : must_not_match_) {
    const std::size_t at = line.find(words);
    if (at == std::string_view::npos) continue;
    const std::size_t before = std::min(at, kOffenceBytesBefore);
    offence_ = line.substr(line.size() <= kOffenceBytesMax ? 0 : at - before, kOffenceBytesMax);
    return;
  }
}

}  // namespace slipway::agent
