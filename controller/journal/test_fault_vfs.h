// A SQLite VFS over the system's whose disk can fill up or lose an fsync.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstdint>
#include <limits>
#include <string>

namespace slipway::controller {

// Registered under its name as long as it lives; outlives every database that uses it.
class FaultVfs {
 public:
  FaultVfs();
  ~FaultVfs();

  const std::string& name() const { return name_; }

  // Writes that end behind this offset of any file find the disk full.
  std::atomic<std::int64_t> full_from = std::numeric_limits<std::int64_t>::max();
  // Fsyncs of files whose name ends so fail: "-wal", ".db"; "" = none.
  void FailSync(std::string suffix) { failing_ = std::move(suffix); }
  bool SyncFails(const std::string& file) const {
    return !failing_.empty() && file.ends_with(failing_);
  }
  std::atomic<int> syncs = 0;
  sqlite3_vfs* beneath() const { return beneath_; }

 private:
  sqlite3_vfs* const beneath_;
  const std::string name_;
  sqlite3_vfs vfs_;
  std::string failing_;  // set while no database works
};

}  // namespace slipway::controller
