// What every journal promises (controller/journal/journal.h), asked of each backend.

#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/conformance/store_backends.h"

namespace slipway::controller {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const RolloutId kOne{"ro-ONE"};
const RolloutId kTwo{"ro-TWO"};

std::vector<std::string> BytesOf(const absl::StatusOr<std::vector<Record>>& records) {
  std::vector<std::string> bytes;
  if (!records.ok()) return {std::string(records.status().message())};
  for (const Record& record : *records) bytes.push_back(record.bytes);
  return bytes;
}

class JournalConformance : public testing::TestWithParam<StoreBackend> {
 protected:
  void SetUp() override {
    backend_ = GetParam().make();
    journal_ = &backend_->Open()->journal();
  }

  Lease Acquire(const RolloutId& rollout) {
    auto lease = journal_->Acquire(rollout);
    EXPECT_TRUE(lease.ok()) << lease.status();
    return lease.value_or(Lease());
  }
  absl::Status Append(const RolloutId& rollout, Lease& lease, std::vector<std::string> records) {
    return journal_->Append(rollout, lease, records);
  }

  std::unique_ptr<StoreHome> backend_;
  Journal* journal_ = nullptr;
};

TEST_P(JournalConformance, RecordsComeBackInOrder) {
  Lease lease = Acquire(kOne);
  EXPECT_EQ(lease.epoch, 1u);
  EXPECT_EQ(lease.next, 1u);
  EXPECT_EQ(lease.head, "");
  ASSERT_TRUE(Append(kOne, lease, {"a", "b"}).ok());
  ASSERT_TRUE(Append(kOne, lease, {"c"}).ok());
  EXPECT_EQ(lease.next, 4u);

  const auto records = journal_->Read(kOne, 1);
  ASSERT_TRUE(records.ok()) << records.status();
  EXPECT_THAT(BytesOf(records), ElementsAre("a", "b", "c"));
  for (std::size_t i = 0; i < records->size(); ++i) {
    EXPECT_EQ((*records)[i].sequence, i + 1);
    EXPECT_EQ((*records)[i].epoch, 1u);
  }
  EXPECT_EQ(records->back().head, lease.head);
}

TEST_P(JournalConformance, ReadStartsWhereAsked) {
  Lease lease = Acquire(kOne);
  ASSERT_TRUE(Append(kOne, lease, {"a", "b", "c"}).ok());
  EXPECT_THAT(BytesOf(journal_->Read(kOne, 0)), ElementsAre("a", "b", "c"));
  EXPECT_THAT(BytesOf(journal_->Read(kOne, 2)), ElementsAre("b", "c"));
  EXPECT_THAT(BytesOf(journal_->Read(kOne, 4)), IsEmpty());
  EXPECT_THAT(BytesOf(journal_->Read(kOne, 400)), IsEmpty());
}

TEST_P(JournalConformance, UnknownRolloutReadsAsEmpty) {
  EXPECT_THAT(BytesOf(journal_->Read(kOne, 1)), IsEmpty());
}

TEST_P(JournalConformance, AnyBytesAreKept) {
  Lease lease = Acquire(kOne);
  const std::string zeros(3, '\0');
  ASSERT_TRUE(Append(kOne, lease, {"", zeros, "\xff\xfe'\"--"}).ok());
  EXPECT_THAT(BytesOf(journal_->Read(kOne, 1)), ElementsAre("", zeros, "\xff\xfe'\"--"));
}

TEST_P(JournalConformance, AppendAtWrongSequenceChangesNothing) {
  Lease lease = Acquire(kOne);
  Lease stale = lease;
  ASSERT_TRUE(Append(kOne, lease, {"a"}).ok());
  for (const std::uint64_t next : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{3}}) {
    stale.next = next;
    const Lease before = stale;
    EXPECT_EQ(Append(kOne, stale, {"x"}).code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(stale.next, before.next);
    EXPECT_EQ(stale.head, before.head);
  }
  EXPECT_THAT(BytesOf(journal_->Read(kOne, 1)), ElementsAre("a"));
  EXPECT_TRUE(Append(kOne, lease, {"b"}).ok());
}

TEST_P(JournalConformance, SecondAcquireTakesTheLease) {
  Lease first = Acquire(kOne);
  ASSERT_TRUE(Append(kOne, first, {"a"}).ok());
  Lease second = Acquire(kOne);
  EXPECT_EQ(second.epoch, first.epoch + 1);
  EXPECT_EQ(second.next, first.next);
  EXPECT_EQ(second.head, first.head);

  const absl::Status refused = Append(kOne, first, {"late"});
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.message(), HasSubstr("ro-ONE"));
  EXPECT_THAT(refused.message(), HasSubstr("stop driving"));
  ASSERT_TRUE(Append(kOne, second, {"b"}).ok());
  EXPECT_THAT(BytesOf(journal_->Read(kOne, 1)), ElementsAre("a", "b"));
}

TEST_P(JournalConformance, AppendWithoutAcquireIsRefused) {
  Lease made_up{1, 1, ""};
  EXPECT_EQ(Append(kOne, made_up, {"a"}).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(BytesOf(journal_->Read(kOne, 1)), IsEmpty());
}

TEST_P(JournalConformance, AppendingNothingChecksTheLease) {
  Lease lease = Acquire(kOne);
  EXPECT_TRUE(Append(kOne, lease, {}).ok());
  EXPECT_EQ(lease.next, 1u);
  Acquire(kOne);
  EXPECT_EQ(Append(kOne, lease, {}).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_P(JournalConformance, EpochRisesAlsoWithoutRecords) {
  EXPECT_EQ(Acquire(kOne).epoch, 1u);
  EXPECT_EQ(Acquire(kOne).epoch, 2u);
  journal_ = &backend_->Open()->journal();
  EXPECT_EQ(Acquire(kOne).epoch, 3u);
}

TEST_P(JournalConformance, RolloutsAreApart) {
  Lease one = Acquire(kOne), two = Acquire(kTwo);
  ASSERT_TRUE(Append(kOne, one, {"a"}).ok());
  ASSERT_TRUE(Append(kTwo, two, {"x", "y"}).ok());
  ASSERT_TRUE(Append(kOne, one, {"b"}).ok());
  EXPECT_THAT(BytesOf(journal_->Read(kOne, 1)), ElementsAre("a", "b"));
  EXPECT_THAT(BytesOf(journal_->Read(kTwo, 1)), ElementsAre("x", "y"));
  EXPECT_NE(one.head, two.head);
}

TEST_P(JournalConformance, ListIsOldestFirstAndLeavesOutTheEmpty) {
  EXPECT_THAT(*journal_->List(), IsEmpty());
  Lease two = Acquire(kTwo);
  Lease one = Acquire(kOne);
  Acquire({"ro-EMPTY"});
  ASSERT_TRUE(Append(kOne, one, {"a"}).ok());
  ASSERT_TRUE(Append(kTwo, two, {"a", "b"}).ok());
  EXPECT_THAT(*journal_->List(), ElementsAre(kTwo, kOne));
}

TEST_P(JournalConformance, ReopeningKeepsEverything) {
  Lease lease = Acquire(kOne);
  ASSERT_TRUE(Append(kOne, lease, {"a", "b"}).ok());
  const auto before = journal_->Read(kOne, 1);
  ASSERT_TRUE(before.ok());

  journal_ = &backend_->Open()->journal();
  const auto after = journal_->Read(kOne, 1);
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(*after, *before);
  EXPECT_THAT(*journal_->List(), ElementsAre(kOne));
  Lease again = Acquire(kOne);
  EXPECT_EQ(again.epoch, 2u);
  EXPECT_EQ(again.head, lease.head);
  EXPECT_TRUE(Append(kOne, again, {"c"}).ok());
  EXPECT_THAT(BytesOf(journal_->Read(kOne, 1)), ElementsAre("a", "b", "c"));
}

TEST_P(JournalConformance, BigBatchesAndBigRecordsAreKept) {
  Lease lease = Acquire(kOne);
  std::vector<std::string> records(10'000);
  for (std::size_t i = 0; i < records.size(); ++i) records[i] = "event " + std::to_string(i);
  records[17] = std::string(3 << 20, 'x');
  ASSERT_TRUE(journal_->Append(kOne, lease, records).ok());
  EXPECT_EQ(lease.next, records.size() + 1);
  EXPECT_EQ(BytesOf(journal_->Read(kOne, 1)), records);
}

// The same history has the same heads everywhere: a rollout may move from one backend to another.
TEST_P(JournalConformance, HeadsAreThoseOfTheFormat) {
  Lease lease = Acquire({"ro-TEST"});
  ASSERT_TRUE(Append({"ro-TEST"}, lease, {"abc"}).ok());
  EXPECT_EQ(lease.head, "93136fb046b8b4ec566cbe284f29364e812d3bd4cbfa5f2bb8bfb58bf4f4da71");
}

TEST_P(JournalConformance, EightWritersDoNotMix) {
  constexpr int kWriters = 8, kAppends = 50;
  std::vector<std::thread> writers;
  std::vector<absl::Status> worst(kWriters);
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([this, w, &worst] {
      const RolloutId rollout{"ro-" + std::to_string(w)};
      auto lease = journal_->Acquire(rollout);
      for (int i = 0; lease.ok() && i < kAppends; ++i) {
        const std::string text = std::to_string(w) + ":" + std::to_string(i);
        worst[w].Update(journal_->Append(rollout, *lease, {text, text + "+"}));
      }
      worst[w].Update(lease.status());
    });
  }
  for (std::thread& writer : writers) writer.join();
  for (int w = 0; w < kWriters; ++w) {
    EXPECT_TRUE(worst[w].ok()) << worst[w];
    const auto bytes = BytesOf(journal_->Read({"ro-" + std::to_string(w)}, 1));
    ASSERT_THAT(bytes, SizeIs(2 * kAppends));
    EXPECT_EQ(bytes.back(), std::to_string(w) + ":" + std::to_string(kAppends - 1) + "+");
  }
  EXPECT_THAT(*journal_->List(), SizeIs(kWriters));
}

// Many holders fight for one rollout: each append belongs to one epoch, epochs never fall, and
// whoever was refused left nothing behind.
TEST_P(JournalConformance, RivalsForOneRolloutNeverInterleave) {
  constexpr int kRivals = 8;
  std::vector<std::thread> rivals;
  std::vector<int> appended(kRivals);
  for (int r = 0; r < kRivals; ++r) {
    rivals.emplace_back([this, r, &appended] {
      for (int round = 0; round < 20; ++round) {
        auto lease = journal_->Acquire(kOne);
        ASSERT_TRUE(lease.ok()) << lease.status();
        const std::string text = std::to_string(r);
        while (appended[r] < 10 * (round + 1)) {
          const absl::Status status = journal_->Append(kOne, *lease, {text, text});
          if (!status.ok()) {
            ASSERT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
            break;
          }
          ++appended[r];
        }
      }
    });
  }
  for (std::thread& rival : rivals) rival.join();
  const auto records = journal_->Read(kOne, 1);
  ASSERT_TRUE(records.ok()) << records.status();
  std::size_t total = 0;
  for (const int count : appended) total += 2 * static_cast<std::size_t>(count);
  ASSERT_EQ(records->size(), total);
  for (std::size_t i = 0; i + 1 < records->size(); i += 2) {
    EXPECT_EQ((*records)[i].bytes, (*records)[i + 1].bytes);
    EXPECT_EQ((*records)[i].epoch, (*records)[i + 1].epoch);
    if (i > 0) {
      EXPECT_GE((*records)[i].epoch, (*records)[i - 1].epoch);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, JournalConformance, testing::ValuesIn(StoreBackends()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace slipway::controller
