#include "common/artifact/zstd_stream.h"

#include <zstd.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace slipway {
namespace {

constexpr int kLevel = 3;
constexpr int kWindowLogMax = 23;  // 8 MiB, what every zstd up to level 19 makes

absl::Status Refused(std::size_t code) {
  return absl::InvalidArgumentError(absl::StrCat("zstd: ", ZSTD_getErrorName(code)));
}

}  // namespace

struct ZstdCompressor::Context {
  ZSTD_CCtx* zstd = ZSTD_createCCtx();
  std::vector<char> out = std::vector<char>(ZSTD_CStreamOutSize());
  ~Context() { ZSTD_freeCCtx(zstd); }
};

ZstdCompressor::ZstdCompressor(ByteSink sink)
    : context_(std::make_unique<Context>()), sink_(std::move(sink)) {
  ZSTD_CCtx_setParameter(context_->zstd, ZSTD_c_compressionLevel, kLevel);
}
ZstdCompressor::~ZstdCompressor() = default;

absl::Status ZstdCompressor::Write(std::string_view bytes) {
  return Pump(bytes, false);
}
absl::Status ZstdCompressor::Finish() {
  return Pump({}, true);
}

absl::Status ZstdCompressor::Pump(std::string_view bytes, bool last) {
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  while (true) {
    ZSTD_outBuffer out{context_->out.data(), context_->out.size(), 0};
    const std::size_t left =
        ZSTD_compressStream2(context_->zstd, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
    if (ZSTD_isError(left)) return absl::InternalError(ZSTD_getErrorName(left));
    if (out.pos > 0) SLIPWAY_RETURN_IF_ERROR(sink_({context_->out.data(), out.pos}));
    if (last ? left == 0 : in.pos == in.size) return absl::OkStatus();
  }
}

struct ZstdDecompressor::Context {
  ZSTD_DCtx* zstd = ZSTD_createDCtx();
  std::vector<char> out = std::vector<char>(ZSTD_DStreamOutSize());
  ~Context() { ZSTD_freeDCtx(zstd); }
};

ZstdDecompressor::ZstdDecompressor(std::uint64_t bytes_max, ByteSink sink)
    : context_(std::make_unique<Context>()), sink_(std::move(sink)), left_(bytes_max) {
  ZSTD_DCtx_setParameter(context_->zstd, ZSTD_d_windowLogMax, kWindowLogMax);
}
ZstdDecompressor::~ZstdDecompressor() = default;

absl::Status ZstdDecompressor::Write(std::string_view bytes) {
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  // A full output buffer may leave more inside, even when all input was taken.
  for (bool more = !bytes.empty(); more;) {
    if (frame_done_) return absl::InvalidArgumentError("zstd: bytes behind the end of the frame");
    ZSTD_outBuffer out{context_->out.data(), context_->out.size(), 0};
    const std::size_t hint = ZSTD_decompressStream(context_->zstd, &out, &in);
    if (ZSTD_isError(hint)) return Refused(hint);
    if (out.pos > left_) {
      return absl::InvalidArgumentError("zstd: the content is longer than was announced");
    }
    left_ -= out.pos;
    if (out.pos > 0) SLIPWAY_RETURN_IF_ERROR(sink_({context_->out.data(), out.pos}));
    frame_done_ = hint == 0;
    more = in.pos < in.size || (out.pos == out.size && !frame_done_);
  }
  return absl::OkStatus();
}

absl::Status ZstdDecompressor::Finish() const {
  if (frame_done_) return absl::OkStatus();
  return absl::InvalidArgumentError("zstd: the frame is cut off");
}

bool IsWorthCompressing(std::string_view sample) {
  if (sample.size() < 128) return false;  // a frame and a second code path for nothing
  std::vector<char> out(ZSTD_compressBound(sample.size()));
  const std::size_t size = ZSTD_compress(out.data(), out.size(), sample.data(), sample.size(), 1);
  return !ZSTD_isError(size) && size < sample.size() - sample.size() / 10;
}

}  // namespace slipway
