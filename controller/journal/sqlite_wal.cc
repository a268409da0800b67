#include "controller/journal/sqlite_wal.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace slipway::controller {
namespace {

constexpr std::size_t kSector = 512;  // what a disk writes as a whole

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
  // nullopt: no log that SQLite would read, because its header is not one.
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
  // Follows from what is stored of the frame before it.
  bool Holds(std::size_t frame) const {
    return IsOfThisLog(frame) && Computed(frame) == Stored(frame);
  }
  // Begins a transaction behind the commit of another, which is therefore durable. What an earlier
  // crash left of a transaction may still lie here, whole but for its beginning; it follows from
  // the frame that was overwritten, and so from no commit that is there now. Even a frame whose
  // own checksum went bad is followed, unless its header may be made of two.
  bool FollowsCommit(std::size_t frame) const {
    if (!IsOfThisLog(frame) || !EndsTransaction(frame - 1)) return false;
    if (!Holds(frame - 1) && LiesInTwoSectors(frame - 1)) return false;
    return Computed(frame) == Stored(frame) ||
           Computed(frame, Computed(frame - 1)) == Stored(frame);
  }

 private:
  // Written since the log was last begun anew: older frames have other salts.
  bool IsOfThisLog(std::size_t frame) const {
    return bytes_.substr(OffsetOf(frame) + 8, 8) == bytes_.substr(16, 8);
  }
  bool EndsTransaction(std::size_t frame) const {
    return BigEndian(bytes_, OffsetOf(frame) + 4) != 0;
  }
  bool LiesInTwoSectors(std::size_t frame) const {
    const std::size_t at = OffsetOf(frame);
    return at / kSector != (at + kFrameHeader - 1) / kSector;
  }
  Checksum Stored(std::size_t frame) const { return StoredAt(bytes_, OffsetOf(frame) + 16); }
  Checksum Computed(std::size_t frame) const {
    return Computed(frame, frame == 0 ? StoredAt(bytes_, 24) : Stored(frame - 1));
  }
  Checksum Computed(std::size_t frame, Checksum sum) const {
    const std::size_t at = OffsetOf(frame);
    sum.Add(bytes_.substr(at, 8), big_);
    sum.Add(bytes_.substr(at + kFrameHeader, page_), big_);
    return sum;
  }

  Log(std::string_view bytes, bool big, std::size_t page)
      : bytes_(bytes), big_(big), page_(page == 1 ? 65536 : page) {}

  std::string_view bytes_;
  bool big_;
  std::size_t page_;
};

// SQLite syncs the header of a log before it writes the first frame, so that no crash leaves frames
// behind a bad one: at most a header, or a file that was made longer and never written.
bool HoldsFrames(std::string_view bytes) {
  return bytes.find_first_not_of('\0', kHeader) != std::string_view::npos;
}

// A whole file, made durable; empty when there is none.
absl::StatusOr<std::string> ReadDurably(sqlite3_vfs* vfs, const std::string& path) {
  const auto failed = [&](const char* what, int code) {
    return absl::UnavailableError(
        absl::StrCat("cannot ", what, " ", path, ": ", sqlite3_errstr(code)));
  };
  int exists = 0;
  const int asked = vfs->xAccess(vfs, path.c_str(), SQLITE_ACCESS_EXISTS, &exists);
  if (asked != SQLITE_OK) return failed("look for", asked);
  if (exists == 0) return "";
  std::vector<std::max_align_t> memory(
      static_cast<std::size_t>(vfs->szOsFile) / sizeof(std::max_align_t) + 1);
  auto* const file = reinterpret_cast<sqlite3_file*>(memory.data());
  const int opened =
      vfs->xOpen(vfs, path.c_str(), file, SQLITE_OPEN_READONLY | SQLITE_OPEN_WAL, nullptr);
  if (opened != SQLITE_OK) return failed("open", opened);
  const absl::Cleanup close = [file] { file->pMethods->xClose(file); };
  sqlite3_int64 size = 0;
  int code = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
  if (code == SQLITE_OK) code = file->pMethods->xFileSize(file, &size);
  std::string bytes(static_cast<std::size_t>(size), '\0');
  if (code == SQLITE_OK) {
    code = file->pMethods->xRead(file, bytes.data(), static_cast<int>(size), 0);
  }
  if (code != SQLITE_OK) return failed("read", code);
  return bytes;
}

}  // namespace

absl::Status CheckWriteAheadLog(const std::string& database, const std::string& vfs) {
  const std::string path = database + "-wal";
  SLIPWAY_ASSIGN_OR_RETURN(
      const std::string bytes,
      ReadDurably(sqlite3_vfs_find(vfs.empty() ? nullptr : vfs.c_str()), path));
  const std::optional<Log> log = Log::Parse(bytes);
  if (!log && !HoldsFrames(bytes)) return absl::OkStatus();
  if (!log) {
    return absl::DataLossError(
        absl::StrCat("write-ahead log ", path,
                     " is damaged: its header is bad, and transactions lie behind it; "
                     "restore the database from a backup"));
  }
  std::size_t bad = 0;
  while (bad < log->frames() && log->Holds(bad)) ++bad;
  // The next transaction's first frame is written only when the one before it is synced.
  for (std::size_t frame = bad + 1; frame < log->frames(); ++frame) {
    if (log->FollowsCommit(frame)) {
      return absl::DataLossError(absl::StrCat(
          "write-ahead log ", path, " is damaged: frame ", bad + 1, " at byte ", log->OffsetOf(bad),
          " is bad, and acknowledged transactions lie behind it; restore the "
          "database from a backup"));
    }
  }
  return absl::OkStatus();
}

}  // namespace slipway::controller
