// Reading a service's log from an exact place, over rotation and truncation.
#pragma once

#include <cstdint>
#include <string>

namespace slipway::agent {

// A place in a log file; both zero: the beginning of one that was not there yet. Or, with a cursor,
// in the journal of the host.
struct LogPosition {
  std::uint64_t inode = 0;
  std::uint64_t offset = 0;
  std::string cursor = {};
  bool operator==(const LogPosition&) const = default;
};

struct LogPiece {
  std::string bytes;
  LogPosition next;  // where the following call goes on
};

// Where the log at `path` ends now.
LogPosition EndOfLog(const std::string& path);

// At most `bytes_max` from `from` on; empty when there is nothing new. A log that was rotated is
// read to its end under its new name (path.1, path.2, …), then the fresh one from its beginning.
// One that was cut is read from its beginning.
LogPiece ReadLog(const std::string& path, const LogPosition& from, std::uint64_t bytes_max);

// The last `lines` lines at or after `from`, for people: at most 4 KiB.
std::string LastLines(const std::string& path, const LogPosition& from, int lines);

}  // namespace slipway::agent
