// The log of units, as a port before the systemd journal.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "agent/services/service_log.h"

namespace slipway::agent {

// Which lines of the journal are meant: those that the unit's processes wrote, in every invocation
// but `not_of`, which was proved to have ended before and whose last lines may come late, or in
// `only_of` alone where that is set. Lines of one that ended at once may name none.
struct UnitLines {
  std::string unit = {};
  std::string not_of = {};
  std::string only_of = {};
};

// Thread-safe. Positions hold a cursor of the journal. Where the journal cannot be read there are
// no lines.
class UnitJournal {
 public:
  virtual ~UnitJournal() = default;

  // Where the journal ends now, whoever wrote last.
  virtual LogPosition End() const = 0;
  // Each line with its newline; at most `bytes_max`, but at least one line when there is one.
  virtual LogPiece Read(const UnitLines& lines, const LogPosition& from,
                        std::uint64_t bytes_max) const = 0;
  // The last `count` lines after `from`, for people: at most 4 KiB.
  virtual std::string LastLines(const UnitLines& lines, const LogPosition& from,
                                int count) const = 0;
  // What systemd said last about the unit's start after `from`: why it could not be executed.
  virtual std::string Reason(const std::string& unit, const LogPosition& from) const = 0;
  // Returns once all that was written so far can be read, or after 2 seconds.
  virtual void Settle() const = 0;
};

// "t=MICROSECONDS": the first line from that time on.
LogPosition PositionAt(absl::Time time);

}  // namespace slipway::agent
