// The hash chain over a rollout's records: docs/formats/journal.md.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "common/model/ids.h"

namespace slipway::controller {

using ChainHead = std::array<unsigned char, 32>;

// h(0), before the first record.
ChainHead FirstHead(const RolloutId& rollout);
// h(sequence), from h(sequence - 1).
ChainHead NextHead(const ChainHead& previous, std::uint64_t sequence, std::uint64_t epoch,
                   std::string_view bytes);

std::string ToHex(const ChainHead& head);

// Checks records one after the other, from the first one on.
class ChainVerifier {
 public:
  explicit ChainVerifier(const RolloutId& rollout) : rollout_(rollout), head_(FirstHead(rollout)) {}

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
