// Compressed content that lies about itself: never more than announced comes out, and what it costs
// to find out is bounded.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/artifact/zstd_stream.h"
#include "tests/hostile/bounded_child.h"

namespace slipway {
namespace {

constexpr std::uint64_t kMemoryMax = 24 << 20;  // the window of 8 MiB and some
constexpr std::size_t kBlockBytesMax = 128 << 10;

// Little-endian, `size` bytes.
std::string Number(std::uint64_t value, int size) {
  std::string bytes;
  for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

std::string Magic() {
  return Number(0xFD2FB528, 4);
}
// A header without content size: the window alone, of 2^log bytes.
std::string Window(int log) {
  return Magic() + Number(0, 1) + Number(static_cast<std::uint64_t>(log - 10) << 3, 1);
}
// One that announces `bytes` as a single segment: the window is the content.
std::string SingleSegment(std::uint64_t bytes) {
  return Magic() + Number(0xE0, 1) + Number(bytes, 8);
}
enum class Block { raw = 0, run = 1, compressed = 2, reserved = 3 };
std::string Header(Block kind, std::size_t size, bool last) {
  return Number(size << 3 | static_cast<std::uint64_t>(kind) << 1 | (last ? 1 : 0), 3);
}
// 128 KiB of one letter from four bytes.
std::string Run(bool last) {
  return Header(Block::run, kBlockBytesMax, last) + "x";
}
std::string Times(int n, const std::string& text) {
  std::string all;
  all.reserve(text.size() * static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i) all += text;
  return all;
}
std::string Frame(const std::string& content) {
  std::string out;
  ZstdCompressor compressor([&](std::string_view piece) {
    out += piece;
    return absl::OkStatus();
  });
  EXPECT_TRUE(compressor.Write(content).ok());
  EXPECT_TRUE(compressor.Finish().ok());
  return out;
}
std::string Gibibyte() {
  std::string out;
  ZstdCompressor compressor([&](std::string_view piece) {
    out += piece;
    return absl::OkStatus();
  });
  const std::string piece(1 << 20, '\0');
  for (int i = 0; i < 1024; ++i) EXPECT_TRUE(compressor.Write(piece).ok());
  EXPECT_TRUE(compressor.Finish().ok());
  return out;
}
std::string Flipped(std::string bytes, std::size_t at) {
  bytes.at(at) = static_cast<char>(bytes.at(at) ^ 0x40);
  return bytes;
}

struct Bomb {
  const char* name;
  std::string bytes;
  std::uint64_t announced = 1000;
};

std::vector<Bomb> Bombs() {
  const std::string good = Frame("some content that is worth a frame");
  const std::string skippable = Number(0x184D2A50, 4);
  return {
      {"a gibibyte of zeros", Gibibyte()},
      {"128 GiB of runs, nothing announced", Window(20) + Times(1'000'000, Run(false)), 0},
      {"128 GiB of runs", Window(20) + Times(1'000'000, Run(false)), 1 << 20},
      {"one byte more than announced", Frame(std::string(1001, 'x'))},
      {"announced content never comes", Window(20) + Run(false), 1 << 20},
      {"blocks of nothing without end",
       Window(20) + Times(1'000'000, Header(Block::raw, 0, false))},
      {"window of 16 MiB", Window(24) + Run(true), 1 << 20},
      {"window of 2 GiB", Window(31) + Run(true), 1 << 20},
      {"window of 2 TiB", Window(41) + Run(true), 1 << 20},
      {"single segment of 16 MiB", SingleSegment(16 << 20) + Run(true), 1 << 20},
      {"single segment of 2^63", SingleSegment(std::uint64_t{1} << 63) + Run(true), 1 << 20},
      {"single segment of 2^64-1", SingleSegment(~std::uint64_t{0}) + Run(true), 1 << 20},
      {"less than its header says", SingleSegment(200'000) + Run(true), 1 << 20},
      {"more than its header says", SingleSegment(1000) + Run(true), 1 << 20},
      {"raw block that is cut", Window(20) + Header(Block::raw, 1000, true) + "x"},
      {"reserved kind of block", Window(20) + Header(Block::reserved, 10, true) + "0123456789"},
      {"compressed block of garbage",
       Window(20) + Header(Block::compressed, 10, true) + std::string(10, '\xff')},
      {"reserved bit of the header", Magic() + Number(0x08, 1) + Number(0x50, 1) + Run(true)},
      {"dictionary that nobody has",
       Magic() + Number(0x01, 1) + Number(0x50, 1) + "\x07" + Run(true)},
      {"wrong checksum", Magic() + Number(0x04, 1) + Number(0x50, 1) + Run(true) + "none", 1 << 20},
      {"bytes behind the frame", good + "x"},
      {"second frame", good + good},
      {"empty frames", Times(100'000, Frame(""))},
      {"skippable frame before", skippable + Number(4, 4) + "skip" + good},
      {"skippable frame of 4 GiB", skippable + Number(0xFFFFFFFF, 4) + std::string(1000, 's')},
      {"skippable frames", Times(100'000, skippable + Number(0, 4))},
      {"frame of an older format", "\x27\xb5\x2f\xfd" + good.substr(4)},
      {"gzip", std::string("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", 10)},
      {"nothing", ""},
      {"only the magic", Magic()},
      {"flipped magic", Flipped(good, 0)},
      {"text", "not zstd at all"},
      {"zeros", std::string(1 << 20, '\0')},
  };
}

// "refused" or "taken", and how much came out.
std::string Unpacked(const Bomb& bomb, std::size_t piece) {
  std::uint64_t out = 0;
  ZstdDecompressor decompressor(bomb.announced, [&](std::string_view bytes) {
    out += bytes.size();
    return absl::OkStatus();
  });
  absl::Status status;
  for (std::size_t at = 0; status.ok() && at < bomb.bytes.size(); at += piece) {
    status = decompressor.Write(std::string_view(bomb.bytes).substr(at, piece));
  }
  if (status.ok()) status = decompressor.Finish();
  if (out > bomb.announced) return absl::StrCat("gave out ", out);
  return status.ok() ? "taken" : absl::IsInvalidArgument(status) ? "refused" : status.ToString();
}

TEST(Bombs, AreRefusedAtTheAnnouncedSizeInBoundedMemory) {
  for (const Bomb& bomb : Bombs()) {
    for (const std::size_t piece : {std::size_t{1021}, std::size_t{512} << 10}) {
      const test::ChildEnd end = test::InChild([&] { return Unpacked(bomb, piece); });
      EXPECT_EQ(end.said, "refused") << bomb.name << " in pieces of " << piece;
      EXPECT_LT(end.peak_bytes, kMemoryMax) << bomb.name << " in pieces of " << piece;
    }
  }
}

}  // namespace
}  // namespace slipway
