// How a test tells a process where to die: a page of memory that both have mapped. The process
// runs with the library of kill_point.cc in front of libc (LD_PRELOAD); the programs know nothing
// of it.
#pragma once

#include <atomic>
#include <cstdint>

namespace slipway::crash {

// Operations are calls that change files: writes, syncs, renames, removals, truncations.
struct KillPoint {
  std::atomic<std::uint64_t> operations;  // of all lives of the process
  std::atomic<std::uint64_t> kill_at;     // number of the operation that dies; 0: none
  std::atomic<std::uint32_t> how;
  std::atomic<std::uint32_t> kills;
  std::atomic<std::uint64_t> again_after;  // dies again so many operations later; 0: does not
};

enum class How : std::uint32_t { before, torn, after };

// Names the file that is mapped.
inline constexpr char kKillPointFile[] = "SLIPWAY_KILL_POINT";

}  // namespace slipway::crash
