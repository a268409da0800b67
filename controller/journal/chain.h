// The hash chain over a rollout's records: docs/formats/journal.md.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "common/model/ids.h"
#include "controller/journal/journal.h"

namespace slipway::controller {

using ChainHead = std::array<unsigned char, 32>;

// h(0), before the first record.
ChainHead FirstHead(const RolloutId& rollout);
// h(sequence), from h(sequence - 1).
ChainHead NextHead(const ChainHead& previous, std::uint64_t sequence, std::uint64_t epoch,
                   std::string_view bytes);

std::string ToHex(const ChainHead& head);
// SHA-256 of `bytes`, as 64 hexadecimal digits.
std::string Sha256Hex(std::string_view bytes);
// The head as the 32 octets that stores keep; good as long as `head` is.
inline std::string_view Octets(const ChainHead& head) {
  return {reinterpret_cast<const char*>(head.data()), head.size()};
}
// The head that a lease shows in hex: h(0) where it shows none.
ChainHead HeadOf(const RolloutId& rollout, std::string_view lease_head);
// `records` numbered and chained behind `lease`.
std::vector<Record> Chained(const RolloutId& rollout, const Lease& lease,
                            const std::vector<std::string>& records);

// Checks records one after the other, from the first one on.
class ChainVerifier {
 public:
  explicit ChainVerifier(const RolloutId& rollout) : rollout_(rollout), head_(FirstHead(rollout)) {}
  // Goes on behind a record that was verified before.
  ChainVerifier(const RolloutId& rollout, std::uint64_t sequence, const ChainHead& head)
      : rollout_(rollout), head_(head), sequence_(sequence) {}

  // DATA_LOSS names rollout and sequence of a record that does not follow from those before it.
  absl::Status Check(std::uint64_t sequence, std::uint64_t epoch, std::string_view bytes,
                     std::string_view stored_head);
  // DATA_LOSS when the records end before `next`, or at another head than the stored one.
  absl::Status CheckEnd(std::uint64_t next, std::string_view stored_head) const;

  const ChainHead& head() const { return head_; }

 private:
  absl::Status Broken(std::uint64_t sequence, std::string_view what) const;

  const RolloutId rollout_;
  ChainHead head_;
  std::uint64_t sequence_ = 0;
  std::uint64_t epoch_ = 0;
};

}  // namespace slipway::controller
