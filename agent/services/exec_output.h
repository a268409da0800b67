// Where the output of a run goes: a bounded spool of head and tail, or a log that rotates.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::agent {

inline constexpr std::uint64_t kSpoolHeadBytes = 256 << 10;
inline constexpr std::uint64_t kSpoolTailBytes = 256 << 10;

// Takes what a program writes. Not thread-safe. Writing never fails and never blocks for long:
// what the disk does not take is lost, for the program must not wait for a log.
class OutputSink {
 public:
  virtual ~OutputSink() = default;
  virtual void Write(std::string_view bytes) = 0;
};

// Keeps the first kSpoolHeadBytes and at least the last kSpoolTailBytes in files DIR/out.N, where N
// is the place of the file's first byte in the whole output. What is not kept is the gap between
// them.
class SpoolSink final : public OutputSink {
 public:
  // Goes on where an earlier sink for `dir` ended.
  explicit SpoolSink(std::string dir);
  ~SpoolSink() override;
  void Write(std::string_view bytes) override;

 private:
  void OpenNext();

  const std::string dir_;
  int fd_ = -1;
  std::uint64_t at_ = 0;             // place of the next byte
  std::uint64_t segment_end_ = 0;    // where the open file is full
  std::vector<std::uint64_t> tail_;  // where the files after the head begin
};

// Appends to `path`; at `bytes_max` renames it to path.1, that to path.2, up to `keep`.
class LogSink final : public OutputSink {
 public:
  LogSink(std::string path, std::uint64_t bytes_max, int keep)
      : path_(std::move(path)), bytes_max_(bytes_max), keep_(keep) {}
  ~LogSink() override;
  void Write(std::string_view bytes) override;

 private:
  void Open();
  void Rotate();

  const std::string path_;
  const std::uint64_t bytes_max_;
  const int keep_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
};

// Part of a spooled output.
struct SpoolPiece {
  std::string bytes;
  std::uint64_t offset = 0;   // place of the first byte; behind the asked one if those were dropped
  std::uint64_t dropped = 0;  // bytes between the asked place and `offset`
};

// What is spooled in `dir` from `offset` on, at most `bytes_max`. Empty: nothing (yet) there.
// May be called while the program writes.
SpoolPiece ReadSpool(const std::string& dir, std::uint64_t offset, std::uint64_t bytes_max);

// The last bytes of the spool, at most `bytes_max`.
std::string SpoolTail(const std::string& dir, std::uint64_t bytes_max);

}  // namespace slipway::agent
