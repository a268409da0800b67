#include "controller/journal/sqlite_wal.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace slipway::controller {
namespace {

// https://www.sqlite.org/fileformat2.html#walformat
constexpr std::size_t kHeader = 32;
constexpr std::size_t kFrameHeader = 24;
constexpr std::uint32_t kMagicLittle = 0x377f0682;  // checksums over little-endian words
constexpr std::uint32_t kMagicBig = 0x377f0683;

std::uint32_t BigEndian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

std::uint32_t LittleEndian(std::string_view bytes, std::size_t at) {
  return __builtin_bswap32(BigEndian(bytes, at));
}

struct Checksum {
  std::uint32_t a = 0, b = 0;
  bool operator==(const Checksum&) const = default;

  void Add(std::string_view bytes, bool big) {
    for (std::size_t i = 0; i + 8 <= bytes.size(); i += 8) {
      a += (big ? BigEndian(bytes, i) : LittleEndian(bytes, i)) + b;
      b += (big ? BigEndian(bytes, i + 4) : LittleEndian(bytes, i + 4)) + a;
    }
  }
};

Checksum StoredAt(std::string_view bytes, std::size_t at) {
  return {BigEndian(bytes, at), BigEndian(bytes, at + 4)};
}

// A whole log, frame by frame.
class Log {
 public:
  // nullopt: no log that SQLite would read.
  static std::optional<Log> Parse(std::string_view bytes) {
    if (bytes.size() < kHeader) return std::nullopt;
    const std::uint32_t magic = BigEndian(bytes, 0);
    if (magic != kMagicLittle && magic != kMagicBig) return std::nullopt;
    Log log(bytes, magic == kMagicBig, BigEndian(bytes, 8));
    Checksum sum;
    sum.Add(bytes.substr(0, 24), log.big_);
    if (log.page_ < 512 || sum != StoredAt(bytes, 24)) return std::nullopt;
    return log;
  }

  std::size_t frames() const { return (bytes_.size() - kHeader) / (kFrameHeader + page_); }
  std::size_t OffsetOf(std::size_t frame) const { return kHeader + frame * (kFrameHeader + page_); }
  // Written since the log was last begun anew: older frames have other salts.
  bool IsOfThisLog(std::size_t frame) const {
    return bytes_.substr(OffsetOf(frame) + 8, 8) == bytes_.substr(16, 8);
  }
  bool EndsTransaction(std::size_t frame) const {
    return BigEndian(bytes_, OffsetOf(frame) + 4) != 0;
  }
  // Follows from what is stored of the frame before it.
  bool Holds(std::size_t frame) const {
    if (!IsOfThisLog(frame)) return false;
    const std::size_t at = OffsetOf(frame);
    Checksum sum = StoredAt(bytes_, frame == 0 ? 24 : OffsetOf(frame - 1) + 16);
    sum.Add(bytes_.substr(at, 8), big_);
    sum.Add(bytes_.substr(at + kFrameHeader, page_), big_);
    return sum == StoredAt(bytes_, at + 16);
  }

 private:
  Log(std::string_view bytes, bool big, std::size_t page)
      : bytes_(bytes), big_(big), page_(page == 1 ? 65536 : page) {}

  std::string_view bytes_;
  bool big_;
  std::size_t page_;
};

}  // namespace

absl::Status CheckWriteAheadLog(const std::string& database) {
  const std::string path = database + "-wal";
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::optional<Log> log = Log::Parse(bytes);
  if (!log) return absl::OkStatus();
  std::size_t bad = 0;
  while (bad < log->frames() && log->Holds(bad)) ++bad;
  // The next transaction's first frame is written only when the one before it is synced.
  bool committed = false;
  for (std::size_t frame = bad; frame < log->frames() && log->IsOfThisLog(frame); ++frame) {
    if (committed && log->Holds(frame)) {
      return absl::DataLossError(absl::StrCat(
          "write-ahead log ", path, " is damaged: frame ", bad + 1, " at byte ", log->OffsetOf(bad),
          " is bad, and acknowledged transactions lie behind it; restore the "
          "database from a backup"));
    }
    committed = committed || log->EndsTransaction(frame);
  }
  return absl::OkStatus();
}

}  // namespace slipway::controller
