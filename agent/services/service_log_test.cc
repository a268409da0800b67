#include "agent/services/service_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "common/fs/test_directory.h"

namespace slipway::agent {
namespace {

class ServiceLogTest : public testing::Test {
 protected:
  void Append(const std::string& text) { std::ofstream(log_, std::ios::app) << text; }
  void Rotate(int age = 0) {
    const std::string from = age == 0 ? log_ : log_ + "." + std::to_string(age);
    std::filesystem::rename(from, log_ + "." + std::to_string(age + 1));
  }
  std::string ReadOn() {
    std::string all;
    while (true) {
      const LogPiece piece = ReadLog(log_, at_, 7);
      at_ = piece.next;
      if (piece.bytes.empty()) return all;
      all += piece.bytes;
    }
  }

  TestDirectory folder_;
  const std::string log_ = folder_.path() + "/log";
  LogPosition at_;
};

TEST_F(ServiceLogTest, ReadsOnlyWhatCameAfterThePosition) {
  Append("old FATAL\n");
  at_ = EndOfLog(log_);
  EXPECT_EQ(ReadOn(), "");
  Append("listening on 8080\n");
  EXPECT_EQ(ReadOn(), "listening on 8080\n");
}

TEST_F(ServiceLogTest, LogThatWasNotThereIsReadFromItsBeginning) {
  at_ = EndOfLog(log_);
  EXPECT_EQ(ReadOn(), "");
  Append("first\n");
  EXPECT_EQ(ReadOn(), "first\n");
}

TEST_F(ServiceLogTest, RotatedLogIsReadToItsEndThenTheFreshOne) {
  Append("one\n");
  at_ = EndOfLog(log_);
  Append("two\n");
  Rotate();
  Append("three\n");
  EXPECT_EQ(ReadOn(), "two\nthree\n");
}

TEST_F(ServiceLogTest, TwoRotationsLoseNothing) {
  Append("one\n");
  at_ = EndOfLog(log_);
  Append("two\n");
  Rotate();
  Append("three\n");
  Rotate(1);
  Rotate();
  Append("four\n");
  EXPECT_EQ(ReadOn(), "two\nthree\nfour\n");
}

TEST_F(ServiceLogTest, CutLogIsReadFromItsBeginning) {
  Append("a long line that was there before\n");
  at_ = EndOfLog(log_);
  std::ofstream(log_, std::ios::trunc) << "short\n";
  EXPECT_EQ(ReadOn(), "short\n");
}

TEST_F(ServiceLogTest, LastLinesStayBehindThePosition) {
  Append("before\n");
  const LogPosition start = EndOfLog(log_);
  Append("one\ntwo\nthree\n");
  EXPECT_EQ(LastLines(log_, start, 2), "two\nthree");
  EXPECT_EQ(LastLines(log_, start, 9), "one\ntwo\nthree");
  EXPECT_EQ(LastLines(log_, {}, 9), "before\none\ntwo\nthree");
  EXPECT_EQ(LastLines(folder_.path() + "/absent", {}, 9), "");
}

TEST_F(ServiceLogTest, LastLinesOfALongLogAreFew) {
  for (int i = 0; i < 10'000; ++i) Append(std::to_string(i) + "\n");
  EXPECT_EQ(LastLines(log_, {}, 3), "9997\n9998\n9999");
}

}  // namespace
}  // namespace slipway::agent
