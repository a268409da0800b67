#include "agent/state/command_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/escaping.h"
#include "agent/state/crc32c.h"
#include "agent/state/fake_log_file.h"
#include "agent/state/frames.h"
#include "agent/state/record_codec.h"

namespace slipway::agent {
namespace {

using testing::HasSubstr;
using Crash = FakeLogFile::Crash;
using Need = CommandLog::Need;

CommandId Id(int attempt) {
  return {RolloutId{"ro-1"}, Course::undo_one, 2, 13, HostId{"web-1"}, attempt};
}

Command MakeCommand(int attempt) {
  Command command;
  command.id = Id(attempt);
  command.fence = {7, "holder", 99, "head"};
  command.nonce = "nonce";
  command.direction = Direction::previous;
  command.payload = std::string("pay\0load", 8);
  command.vars = "vars";
  command.previous = "sha256:00";
  command.timeout = absl::Seconds(90);
  return command;
}

Answer MakeAnswer(int attempt) {
  Answer answer;
  answer.id = Id(attempt);
  answer.verdict = Verdict::try_later;
  answer.message = "message";
  answer.excerpt = "excerpt";
  answer.observed["/srv/media"] = {"sha256:01", "unproven", "2.0.0", true};
  answer.observed["/srv/other"] = {};
  answer.took = absl::Milliseconds(1500);
  return answer;
}

std::vector<Record> EveryRecord() {
  return {Booted{"boot"},
          Accepted{MakeCommand(1)},
          Started{Id(1)},
          Adopted{Id(2)},
          Answered{MakeAnswer(1)},
          Acked{Id(1)},
          Closed{RolloutId{"ro-0"}},
          Fenced{RolloutId{"ro-1"}, {8, "other", 100, "head"}}};
}

std::string FileWith(const std::vector<std::vector<Record>>& batches) {
  std::string file = EncodeFileHeader();
  for (const auto& batch : batches) file += EncodeFrame(batch);
  return file;
}

TEST(Crc32cTest, KnownVectors) {
  EXPECT_EQ(Crc32c(""), 0U);
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62A8AB43U);
}

TEST(RecordCodecTest, EveryAlternativeSurvivesTheRoundTrip) {
  const std::vector<Record> records = EveryRecord();
  EXPECT_EQ(std::variant_size_v<Record>, records.size());
  EXPECT_EQ(DecodeRecords(EncodeRecords(records), 8), records);
}

TEST(RecordCodecTest, InfiniteTimeoutSurvives) {
  Command command = MakeCommand(1);
  command.timeout = absl::InfiniteDuration();
  const std::vector<Record> records = {Accepted{command}};
  EXPECT_EQ(DecodeRecords(EncodeRecords(records), 1), records);
}

TEST(RecordCodecTest, NoPrefixAndNoLongerTextIsUnderstood) {
  const std::string bytes = EncodeRecords(EveryRecord());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodeRecords(bytes.substr(0, size), 8), std::nullopt) << size;
  }
  EXPECT_EQ(DecodeRecords(bytes + '\0', 8), std::nullopt);
  EXPECT_EQ(DecodeRecords(bytes, 7), std::nullopt);
}

TEST(RecordCodecTest, UnknownTypeIsNotSkipped) {
  std::string bytes = EncodeRecords({Booted{"boot"}});
  bytes[0] = 9;
  EXPECT_EQ(DecodeRecords(bytes, 1), std::nullopt);
}

// The format is a promise to logs that exist; see docs/formats/agent_state.md.
TEST(FramesTest, KnownVector) {
  EXPECT_EQ(absl::BytesToHexString(FileWith({{Booted{"b"}}})),
            "534c5741474c4f47010000003a26c4b9"          // SLWAGLOG, version, checksum
            "53574c460a00000001000000d24d01768c1396ba"  // SWLF, length, records, checksums
            "01050000000100000062");                    // booted: "b"
}

TEST(FramesTest, TailTornAtAnyByteIsCut) {
  const std::string whole = FileWith({{Booted{"a"}}, EveryRecord()});
  const std::size_t kept = FileWith({{Booted{"a"}}}).size();
  for (std::size_t size = kept; size < whole.size(); ++size) {
    const auto content = ReadLog(whole.substr(0, size));
    ASSERT_TRUE(content.ok()) << content.status();
    EXPECT_EQ(content->valid_size, kept);
    EXPECT_EQ(content->records, std::vector<Record>{Booted{"a"}});
  }
}

TEST(FramesTest, TailWithAnUnwrittenSectorIsCut) {
  Command command = MakeCommand(1);
  command.payload = std::string(2000, 'x');
  std::string file = FileWith({{Booted{"a"}}, {Accepted{command}}});
  const std::size_t kept = FileWith({{Booted{"a"}}}).size();
  std::fill(file.begin() + 1024, file.begin() + 1536, '\0');
  const auto content = ReadLog(file);
  ASSERT_TRUE(content.ok()) << content.status();
  EXPECT_EQ(content->valid_size, kept);
}

TEST(FramesTest, AnyFlippedBitIsRefusedWithItsPosition) {
  const std::string whole = FileWith({{Booted{"a"}}, {Started{Id(1)}}, {Booted{"c"}}});
  const std::size_t second = FileWith({{Booted{"a"}}}).size();
  const std::size_t third = FileWith({{Booted{"a"}}, {Started{Id(1)}}}).size();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string file = whole;
    file[i] = static_cast<char>(file[i] ^ 0x10);
    const auto content = ReadLog(file);
    ASSERT_EQ(content.status().code(), absl::StatusCode::kDataLoss) << "flip at " << i;
    const std::size_t frame = i < 8 ? 0 : i < 16 ? 8 : i < second ? 16 : i < third ? second : third;
    EXPECT_THAT(std::string(content.status().message()),
                HasSubstr("damaged at byte " + std::to_string(frame) + ":"))
        << "flip at " << i;
  }
}

TEST(FramesTest, LogOfANewerAgentIsRefused) {
  std::string file = EncodeFileHeader();
  file[8] = 2;
  const std::uint32_t checksum = Crc32c(file.substr(0, 12));
  for (int i = 0; i < 4; ++i) file[12 + i] = static_cast<char>(checksum >> (8 * i));
  EXPECT_EQ(ReadLog(file).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(CommandLogTest, WriteThatCrashedIsThereWhollyOrNotAtAll) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const auto how = static_cast<Crash>(seed % 4);
    const bool power_cut = seed % 8 < 4;
    FakeLogFile file(seed);
    {
      auto log = CommandLog::Open(file);
      ASSERT_TRUE(log.ok());
      ASSERT_TRUE((*log)->Append({Booted{"a"}}, Need::wish).ok());
      file.CrashAfter(0, how);
      EXPECT_EQ((*log)->Append(EveryRecord(), Need::must).code(), absl::StatusCode::kDataLoss);
    }
    file.Restart(power_cut);
    auto log = CommandLog::Open(file);
    ASSERT_TRUE(log.ok()) << log.status() << " seed " << seed;
    std::vector<Record> all = EveryRecord();
    all.insert(all.begin(), Booted{"a"});
    const auto records = (*log)->Replay();
    ASSERT_TRUE(records.ok());
    const bool none = records->size() == 1;
    EXPECT_TRUE(none || *records == all) << "seed " << seed;
    ASSERT_TRUE((*log)->Append({Booted{"b"}}, Need::wish).ok()) << "goes on behind the cut";
    EXPECT_EQ((*log)->Replay()->back(), Record(Booted{"b"}));
  }
}

TEST(CommandLogTest, FullDiskRefusesAWishAndTakesWhatMustBe) {
  FakeLogFile file(1);
  auto log = CommandLog::Open(file);
  ASSERT_TRUE(log.ok());
  EXPECT_TRUE(file.has_reserve());
  file.SetFree(30);
  EXPECT_EQ((*log)->Append(EveryRecord(), Need::wish).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE((*log)->Replay()->empty()) << "nothing of it is left";
  EXPECT_TRUE((*log)->Append(EveryRecord(), Need::must).ok());
  EXPECT_FALSE(file.has_reserve());
  EXPECT_EQ(*(*log)->Replay(), EveryRecord());
  file.SetFree(2 * kReserveBytes);
  EXPECT_TRUE((*log)->Append({Booted{"b"}}, Need::wish).ok());
  EXPECT_TRUE(file.has_reserve()) << "set aside again as soon as there is space";
}

TEST(CommandLogTest, FailedSyncIsNotRetried) {
  FakeLogFile file(1);
  auto log = CommandLog::Open(file);
  ASSERT_TRUE(log.ok());
  file.FailNextSync();
  EXPECT_EQ((*log)->Append({Booted{"a"}}, Need::must).code(), absl::StatusCode::kDataLoss);
}

TEST(CommandLogTest, RewriteIsOldOrNew) {
  for (const Crash how : {Crash::before, Crash::torn, Crash::unsynced, Crash::after}) {
    FakeLogFile file(1);
    auto log = CommandLog::Open(file);
    ASSERT_TRUE(log.ok());
    ASSERT_TRUE((*log)->Append(EveryRecord(), Need::wish).ok());
    file.CrashAfter(0, how);
    EXPECT_FALSE((*log)->Rewrite({Booted{"short"}}).ok());
    file.Restart(true);
    auto again = CommandLog::Open(file);
    ASSERT_TRUE(again.ok());
    const std::vector<Record> fresh = {Booted{"short"}};
    EXPECT_EQ(*(*again)->Replay(), how == Crash::after ? fresh : EveryRecord());
  }
}

class PosixLogFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/slipway-log-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string Path() const { return folder_ + "/commands"; }

  std::string folder_;
};

TEST_F(PosixLogFileTest, RecordsSurviveTheProcess) {
  {
    auto file = OpenLogFile(Path());
    ASSERT_TRUE(file.ok()) << file.status();
    auto log = CommandLog::Open(**file);
    ASSERT_TRUE(log.ok()) << log.status();
    ASSERT_TRUE((*log)->Append(EveryRecord(), Need::wish).ok());
    ASSERT_TRUE((*log)->Rewrite({Booted{"short"}}).ok());
    ASSERT_TRUE((*log)->Append({Booted{"next"}}, Need::wish).ok());
    EXPECT_EQ(std::filesystem::file_size(Path()), (*log)->size());
  }
  auto file = OpenLogFile(Path());
  ASSERT_TRUE(file.ok()) << file.status();
  auto log = CommandLog::Open(**file);
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_EQ(*(*log)->Replay(), (std::vector<Record>{Booted{"short"}, Booted{"next"}}));
}

TEST_F(PosixLogFileTest, ReserveIsRealSpace) {
  auto file = OpenLogFile(Path());
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE((*file)->RefillReserve().ok());
  ASSERT_TRUE((*file)->RefillReserve().ok());
  EXPECT_EQ(std::filesystem::file_size(Path() + ".reserve"), kReserveBytes);
  ASSERT_TRUE((*file)->ReleaseReserve().ok());
  ASSERT_TRUE((*file)->ReleaseReserve().ok());
  EXPECT_FALSE(std::filesystem::exists(Path() + ".reserve"));
}

TEST_F(PosixLogFileTest, TornTailIsCutOnDisk) {
  {
    auto file = OpenLogFile(Path());
    ASSERT_TRUE(file.ok());
    auto log = CommandLog::Open(**file);
    ASSERT_TRUE((*log)->Append({Booted{"a"}}, Need::wish).ok());
    ASSERT_TRUE((*file)->Append(EncodeFrame(EveryRecord()).substr(0, 50)).ok());
  }
  auto file = OpenLogFile(Path());
  auto log = CommandLog::Open(**file);
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_EQ(std::filesystem::file_size(Path()), (*log)->size());
  EXPECT_EQ(*(*log)->Replay(), std::vector<Record>{Booted{"a"}});
}

TEST_F(PosixLogFileTest, SecondAgentOnTheSameStateIsRefused) {
  auto first = OpenLogFile(Path());
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(OpenLogFile(Path()).status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace slipway::agent
