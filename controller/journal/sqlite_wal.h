// Looks for damage in SQLite's write-ahead log that SQLite itself takes for its end.
//
// SQLite reads the log up to the first frame whose checksum does not hold and forgets the rest.
// That is right for the torn end of a transaction that was never acknowledged. A frame that went
// bad in the middle would silently take acknowledged transactions with it, and a bad header all.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace slipway::controller {

// To be called before SQLite opens `database`. OK when there is no log, or when it ends as a crash
// may end it. DATA_LOSS names the frame and its offset when a bad frame lies before or inside a
// transaction that was synced: one behind whose commit another one begins; or the header, when it
// is bad and frames lie behind it. UNAVAILABLE: it cannot be read.
//
// Makes what it read durable: the process before may have died between a commit's last write and
// its sync, and what is built upon from now on must not vanish in a power cut. `vfs` names the
// SQLite VFS that has the file; "" is the system's.
absl::Status CheckWriteAheadLog(const std::string& database, const std::string& vfs);

}  // namespace slipway::controller
