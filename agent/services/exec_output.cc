#include "agent/services/exec_output.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace slipway::agent {
namespace {

// The tail lies in files of half its size: with three of them at least the whole tail is there.
constexpr std::uint64_t kSegmentBytes = kSpoolTailBytes / 2;
constexpr std::size_t kTailSegments = 3;

std::string SegmentPath(const std::string& dir, std::uint64_t begin) {
  return absl::StrCat(dir, "/out.", begin);
}

void WriteAll(int fd, std::string_view bytes) {
  while (fd >= 0 && !bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

// Where the files of a spool begin, in order.
std::vector<std::uint64_t> Segments(const std::string& dir) {
  std::vector<std::uint64_t> begins;
  DIR* folder = opendir(dir.c_str());
  if (folder == nullptr) return begins;
  while (const dirent* entry = readdir(folder)) {
    absl::string_view name = entry->d_name;
    std::uint64_t begin = 0;
    if (absl::ConsumePrefix(&name, "out.") && absl::SimpleAtoi(name, &begin)) {
      begins.push_back(begin);
    }
  }
  closedir(folder);
  std::sort(begins.begin(), begins.end());
  return begins;
}

std::string ReadPart(const std::string& path, std::uint64_t offset, std::uint64_t bytes_max) {
  std::string bytes;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return bytes;
  bytes.resize(std::min(bytes_max, kSpoolHeadBytes));
  const ssize_t n = pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
  bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  close(fd);
  return bytes;
}

}  // namespace

SpoolSink::SpoolSink(std::string dir) : dir_(std::move(dir)) {
  const std::vector<std::uint64_t> begins = Segments(dir_);
  if (begins.empty()) return;
  const std::uint64_t begin = begins.back();
  fd_ = open(SegmentPath(dir_, begin).c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  struct stat info{};
  if (fd_ >= 0 && fstat(fd_, &info) == 0) at_ = begin + static_cast<std::uint64_t>(info.st_size);
  segment_end_ = begin + (begin == 0 ? kSpoolHeadBytes : kSegmentBytes);
  tail_.assign(begins.begin() + (begins.front() == 0 ? 1 : 0), begins.end());
}

SpoolSink::~SpoolSink() {
  if (fd_ >= 0) close(fd_);
}

void SpoolSink::OpenNext() {
  if (fd_ >= 0) close(fd_);
  fd_ = open(SegmentPath(dir_, at_).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  segment_end_ = at_ + (at_ == 0 ? kSpoolHeadBytes : kSegmentBytes);
  if (at_ == 0) return;
  tail_.push_back(at_);
  if (tail_.size() <= kTailSegments) return;
  unlink(SegmentPath(dir_, tail_.front()).c_str());
  tail_.erase(tail_.begin());
}

void SpoolSink::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    if (at_ == segment_end_) OpenNext();
    const std::size_t fits = std::min<std::uint64_t>(bytes.size(), segment_end_ - at_);
    WriteAll(fd_, bytes.substr(0, fits));
    at_ += fits;
    bytes.remove_prefix(fits);
  }
}

LogSink::~LogSink() {
  if (fd_ >= 0) close(fd_);
}

void LogSink::Open() {
  fd_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  struct stat info{};
  size_ = fd_ >= 0 && fstat(fd_, &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

void LogSink::Rotate() {
  close(fd_);
  fd_ = -1;
  for (int i = keep_; i > 0; --i) {
    const std::string older = absl::StrCat(path_, ".", i);
    const std::string newer = i == 1 ? path_ : absl::StrCat(path_, ".", i - 1);
    rename(newer.c_str(), older.c_str());
  }
  if (keep_ == 0) unlink(path_.c_str());
}

void LogSink::Write(std::string_view bytes) {
  if (fd_ >= 0 && size_ >= bytes_max_) Rotate();
  if (fd_ < 0) Open();
  WriteAll(fd_, bytes);
  size_ += bytes.size();
}

SpoolPiece ReadSpool(const std::string& dir, std::uint64_t offset, std::uint64_t bytes_max) {
  for (const std::uint64_t begin : Segments(dir)) {
    const std::uint64_t from = std::max(offset, begin);
    SpoolPiece piece{.bytes = ReadPart(SegmentPath(dir, begin), from - begin, bytes_max),
                     .offset = from,
                     .dropped = from - offset};
    if (!piece.bytes.empty()) return piece;
  }
  return SpoolPiece{.bytes = "", .offset = offset, .dropped = 0};
}

std::string SpoolTail(const std::string& dir, std::uint64_t bytes_max) {
  std::string tail;
  for (const std::uint64_t begin : Segments(dir)) {
    tail += ReadPart(SegmentPath(dir, begin), 0, kSpoolHeadBytes);
  }
  return tail.size() <= bytes_max ? tail : tail.substr(tail.size() - bytes_max);
}

}  // namespace slipway::agent
