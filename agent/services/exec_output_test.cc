#include "agent/services/exec_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/fs/test_directory.h"

namespace slipway::agent {
namespace {

std::string ReadWhole(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::uint64_t KeptBytes(const std::string& dir) {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) bytes += entry.file_size();
  return bytes;
}

TEST(SpoolSink, SmallOutputIsKeptWhole) {
  const TestDirectory folder;
  SpoolSink sink(folder.path());
  sink.Write("one ");
  sink.Write("two");
  const SpoolPiece piece = ReadSpool(folder.path(), 0, 100);
  EXPECT_EQ(piece.bytes, "one two");
  EXPECT_EQ(piece.dropped, 0u);
  EXPECT_EQ(ReadSpool(folder.path(), 4, 100).bytes, "two");
  EXPECT_EQ(ReadSpool(folder.path(), 7, 100).bytes, "");
}

TEST(SpoolSink, FloodKeepsHeadAndTailAndCountsTheRest) {
  const TestDirectory folder;
  SpoolSink sink(folder.path());
  constexpr std::uint64_t kTotal = 5'000'000;
  for (std::uint64_t i = 0; i < kTotal / 10; ++i) {
    std::string line = std::to_string(i);
    line.resize(9, '.');
    sink.Write(line + "\n");
  }
  EXPECT_LE(KeptBytes(folder.path()), kSpoolHeadBytes + 2 * kSpoolTailBytes);

  std::uint64_t read = 0, dropped = 0, at = 0;
  std::string first, last;
  while (true) {
    const SpoolPiece piece = ReadSpool(folder.path(), at, 64 << 10);
    if (piece.bytes.empty()) break;
    if (first.empty()) first = piece.bytes;
    last = piece.bytes;
    read += piece.bytes.size();
    dropped += piece.dropped;
    at = piece.offset + piece.bytes.size();
  }
  EXPECT_EQ(at, kTotal);
  EXPECT_EQ(read + dropped, kTotal);
  EXPECT_GE(read, kSpoolHeadBytes + kSpoolTailBytes);
  EXPECT_THAT(first, testing::StartsWith("0........\n1........\n"));
  EXPECT_THAT(last, testing::EndsWith("499999...\n"));
  EXPECT_EQ(SpoolTail(folder.path(), 10), "499999...\n");
}

TEST(SpoolSink, SecondSinkGoesOnWhereTheFirstEnded) {
  const TestDirectory folder;
  {
    SpoolSink(folder.path()).Write("one ");
  }
  {
    SpoolSink(folder.path()).Write(std::string(kSpoolHeadBytes, 'x'));
  }
  {
    SpoolSink(folder.path()).Write(" three");
  }
  EXPECT_EQ(ReadSpool(folder.path(), 0, 5).bytes, "one x");
  EXPECT_EQ(SpoolTail(folder.path(), 7), "x three");
  EXPECT_EQ(ReadSpool(folder.path(), kSpoolHeadBytes, 100).bytes, "xxxx three");
}

TEST(LogSink, AppendsToWhatIsThere) {
  const TestDirectory folder;
  const std::string log = folder.path() + "/log";
  {
    LogSink(log, 1000, 2).Write("first\n");
  }
  {
    LogSink(log, 1000, 2).Write("second\n");
  }
  EXPECT_EQ(ReadWhole(log), "first\nsecond\n");
}

TEST(LogSink, RotatesAtItsSizeAndKeepsAsManyAsAsked) {
  const TestDirectory folder;
  const std::string log = folder.path() + "/log";
  LogSink sink(log, 4, 2);
  for (const char* text : {"aaaa", "bbbb", "cccc", "dddd"}) sink.Write(text);
  EXPECT_EQ(ReadWhole(log), "dddd");
  EXPECT_EQ(ReadWhole(log + ".1"), "cccc");
  EXPECT_EQ(ReadWhole(log + ".2"), "bbbb");
  EXPECT_FALSE(std::filesystem::exists(log + ".3"));
}

}  // namespace
}  // namespace slipway::agent
