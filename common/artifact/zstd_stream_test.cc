#include "common/artifact/zstd_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include <random>

#include "absl/status/statusor.h"

namespace slipway {
namespace {

using testing::HasSubstr;

std::string Compressed(const std::string& bytes, std::size_t piece = 1000) {
  std::string out;
  ZstdCompressor compressor([&](std::string_view p) {
    out.append(p);
    return absl::OkStatus();
  });
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    EXPECT_TRUE(compressor.Write(std::string_view(bytes).substr(at, piece)).ok());
  }
  EXPECT_TRUE(compressor.Finish().ok());
  return out;
}

absl::StatusOr<std::string> Decompressed(const std::string& bytes, std::uint64_t bytes_max,
                                         std::size_t piece = 7) {
  std::string out;
  ZstdDecompressor decompressor(bytes_max, [&](std::string_view p) {
    out.append(p);
    return absl::OkStatus();
  });
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const absl::Status written = decompressor.Write(std::string_view(bytes).substr(at, piece));
    EXPECT_LE(out.size(), bytes_max);
    if (!written.ok()) return written;
  }
  const absl::Status finished = decompressor.Finish();
  if (!finished.ok()) return finished;
  return out;
}

std::string Noise(std::size_t size) {
  std::mt19937 random(1);
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>(random());
  return out;
}

TEST(Zstd, ContentSurvivesInPiecesOfAnySize) {
  for (const std::string& content :
       {std::string(), std::string("x"), std::string(1 << 20, 'a'), Noise(300'000)}) {
    for (const std::size_t piece : {1u, 7u, 100'000u}) {
      if (piece == 1 && content.size() > 1000) continue;
      const auto back = Decompressed(Compressed(content, piece), content.size(), piece);
      ASSERT_TRUE(back.ok()) << back.status();
      EXPECT_TRUE(*back == content);
    }
  }
}

TEST(Zstd, BombStopsAtTheAnnouncedSize) {
  const std::string bomb = Compressed(std::string(64 << 20, '\0'), 1 << 20);
  EXPECT_LT(bomb.size(), 10'000u);
  const auto refused = Decompressed(bomb, 1000);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("longer than was announced"));
}

TEST(Zstd, CutOffAndTrailingBytesAreRefused) {
  const std::string frame = Compressed("some content that is worth a frame");
  for (std::size_t i = 0; i < frame.size(); ++i) {
    EXPECT_FALSE(Decompressed(frame.substr(0, i), 1000).ok()) << i;
  }
  EXPECT_FALSE(Decompressed(frame + "x", 1000).ok());
  EXPECT_FALSE(Decompressed(frame + frame, 1000).ok());
  EXPECT_FALSE(Decompressed("not zstd at all", 1000).ok());
}

TEST(Zstd, WindowsThatWouldCostMuchMemoryAreRefused) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 27);
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  const std::string content(1 << 20, 'a');
  std::string frame(ZSTD_compressBound(content.size()), '\0');
  // In the streaming way, so that the size is not known and the window is written as asked.
  ZSTD_inBuffer in{content.data(), content.size(), 0};
  ZSTD_outBuffer out{frame.data(), frame.size(), 0};
  ASSERT_FALSE(ZSTD_isError(ZSTD_compressStream2(context, &out, &in, ZSTD_e_continue)));
  ASSERT_EQ(ZSTD_compressStream2(context, &out, &in, ZSTD_e_end), 0u);
  ZSTD_freeCCtx(context);
  frame.resize(out.pos);
  EXPECT_FALSE(Decompressed(frame, content.size()).ok());
}

TEST(Zstd, NoiseIsNotWorthCompressing) {
  EXPECT_FALSE(IsWorthCompressing(Noise(100'000)));
  EXPECT_FALSE(IsWorthCompressing("short"));
  EXPECT_TRUE(IsWorthCompressing(std::string(100'000, 'a')));
}

}  // namespace
}  // namespace slipway
