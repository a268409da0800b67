#include "controller/journal/chain.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace slipway::controller {
namespace {

using testing::HasSubstr;

std::string Bytes(const ChainHead& head) {
  return {head.begin(), head.end()};
}

// The vector of docs/formats/journal.md.
TEST(Chain, MatchesTheDocumentedVector) {
  const ChainHead first = FirstHead({"ro-TEST"});
  EXPECT_EQ(ToHex(first), "36856421c0a734fb8cc7fcf3e762b474c413321f524dcb5fc446ae6a1b12d076");
  EXPECT_EQ(ToHex(NextHead(first, 1, 1, "abc")),
            "93136fb046b8b4ec566cbe284f29364e812d3bd4cbfa5f2bb8bfb58bf4f4da71");
}

// Three sound records; each test spoils one thing.
class ChainVerifierTest : public testing::Test {
 protected:
  struct Stored {
    std::uint64_t sequence, epoch;
    std::string bytes, head;
  };

  ChainVerifierTest() {
    ChainHead head = FirstHead(rollout_);
    for (std::uint64_t n = 1; n <= 3; ++n) {
      const std::string bytes = "event " + std::to_string(n);
      head = NextHead(head, n, n, bytes);
      records_.push_back({n, n, bytes, Bytes(head)});
    }
    last_head_ = records_.back().head;
  }

  absl::Status Verify() {
    ChainVerifier verifier(rollout_);
    for (const Stored& r : records_) {
      if (absl::Status s = verifier.Check(r.sequence, r.epoch, r.bytes, r.head); !s.ok()) return s;
    }
    return verifier.CheckEnd(4, last_head_);
  }

  void ExpectDamage(const std::string& what) {
    const absl::Status status = Verify();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(status.message(), HasSubstr("rollout ro-1 is damaged: " + what));
  }

  const RolloutId rollout_{"ro-1"};
  std::vector<Stored> records_;
  std::string last_head_;
};

TEST_F(ChainVerifierTest, SoundRecordsPass) {
  EXPECT_TRUE(Verify().ok()) << Verify();
}

TEST_F(ChainVerifierTest, EditedBytesAreFound) {
  records_[1].bytes[0] ^= 1;
  ExpectDamage("record 2 does not match");
}

TEST_F(ChainVerifierTest, EditedEpochIsFound) {
  records_[2].epoch = 7;
  ExpectDamage("record 3 does not match");
}

TEST_F(ChainVerifierTest, LoweredEpochIsFound) {
  records_[2].epoch = 1;
  ExpectDamage("record 3 has a lower epoch");
}

TEST_F(ChainVerifierTest, ExchangedRecordsAreFound) {
  std::swap(records_[0].bytes, records_[1].bytes);
  ExpectDamage("record 1 does not match");
}

TEST_F(ChainVerifierTest, DroppedRecordIsFound) {
  records_.erase(records_.begin() + 1);
  ExpectDamage("record 2 is missing");
}

TEST_F(ChainVerifierTest, LostTailIsFound) {
  records_.pop_back();
  ExpectDamage("record 3 and what follows it is missing");
}

TEST_F(ChainVerifierTest, AnotherRolloutsRecordsAreFound) {
  ChainVerifier other({"ro-2"});
  const Stored& r = records_[0];
  EXPECT_EQ(other.Check(r.sequence, r.epoch, r.bytes, r.head).code(), absl::StatusCode::kDataLoss);
}

TEST_F(ChainVerifierTest, ReplacedEndIsFound) {
  last_head_ = records_[1].head;
  ExpectDamage("record 3 is not the recorded end");
}

}  // namespace
}  // namespace slipway::controller
