#include "agent/services/service_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"

namespace slipway::agent {
namespace {

// How far a rotation may have carried a log away.
constexpr int kRotatedNamesMost = 16;
constexpr std::uint64_t kLastLinesBytes = 4096;

struct OpenLog {
  int fd = -1;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
};

OpenLog Open(const std::string& path) {
  OpenLog log;
  struct stat info{};
  log.fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (log.fd < 0 || fstat(log.fd, &info) != 0) return log;
  log.inode = info.st_ino;
  log.size = static_cast<std::uint64_t>(info.st_size);
  return log;
}

std::string RotatedName(const std::string& path, int age) {
  return age == 0 ? path : absl::StrCat(path, ".", age);
}

LogPiece ReadAt(const OpenLog& log, std::uint64_t offset, std::uint64_t bytes_max) {
  LogPiece piece{.bytes = std::string(bytes_max, '\0'), .next = {log.inode, offset}};
  const ssize_t n = pread(log.fd, piece.bytes.data(), bytes_max, static_cast<off_t>(offset));
  piece.bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  piece.next.offset += piece.bytes.size();
  return piece;
}

// What is left in the file of `age`; the rest of `from`'s file when it is that one.
LogPiece ReadAge(const std::string& path, int age, const LogPosition& from,
                 std::uint64_t bytes_max) {
  const OpenLog log = Open(RotatedName(path, age));
  if (log.fd < 0) return {.bytes = "", .next = from};
  const bool same = log.inode == from.inode;
  const bool cut = same && log.size < from.offset;
  LogPiece piece = ReadAt(log, same && !cut ? from.offset : 0, bytes_max);
  close(log.fd);
  return piece;
}

// How often the file of `from` was renamed since; nullopt: it is not there any more.
std::optional<int> AgeOf(const std::string& path, const LogPosition& from) {
  for (int age = 0; age <= kRotatedNamesMost; ++age) {
    struct stat info{};
    if (stat(RotatedName(path, age).c_str(), &info) == 0 && info.st_ino == from.inode) return age;
  }
  return std::nullopt;
}

}  // namespace

LogPosition EndOfLog(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) return {};
  return {info.st_ino, static_cast<std::uint64_t>(info.st_size)};
}

LogPiece ReadLog(const std::string& path, const LogPosition& from, std::uint64_t bytes_max) {
  // Gone: whatever is still there is newer.
  int age = from.inode == 0 ? 0 : AgeOf(path, from).value_or(0);
  LogPiece piece = ReadAge(path, age, from, bytes_max);
  while (piece.bytes.empty() && age > 0) piece = ReadAge(path, --age, from, bytes_max);
  return piece;
}

std::string LastLines(const std::string& path, const LogPosition& from, int lines) {
  const LogPosition end = EndOfLog(path);
  LogPosition start = from;
  if (end.inode == from.inode || from.inode == 0) {
    const std::uint64_t earliest = from.inode == 0 ? 0 : std::min(from.offset, end.offset);
    const std::uint64_t back = end.offset > kLastLinesBytes ? end.offset - kLastLinesBytes : 0;
    start = {end.inode, std::max(earliest, back)};
  }
  std::string text = ReadLog(path, start, kLastLinesBytes).bytes;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::size_t begin = text.size();
  for (int i = 0; i < lines && begin != 0; ++i) {
    const std::size_t newline = text.rfind('\n', begin - 1);
    begin = newline == std::string::npos ? 0 : newline;
  }
  return text.substr(begin == 0 ? 0 : begin + 1);
}

}  // namespace slipway::agent
