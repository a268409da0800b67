// The disk under the controller's SQLite, in memory, as a SQLite VFS: it fills up, fails, tears
// writes and forgets what was not synced.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace slipway::sim {

// Survives the "processes" that use it: drop those, call Restart, open it again. It has the same
// powers as the system's VFS under Linux: a write may be torn at any sector, but never damages
// what lies beside it (SQLITE_IOCAP_POWERSAFE_OVERWRITE).
class JournalDisk {
 public:
  // Where in an operation that changes the disk the process dies. Operations are writes, syncs,
  // truncations and removals.
  enum class Crash { before, torn, after };

  explicit JournalDisk(std::uint64_t seed);
  ~JournalDisk();
  JournalDisk(const JournalDisk&) = delete;
  JournalDisk& operator=(const JournalDisk&) = delete;

  // Name of the VFS, good as long as this lives.
  const std::string& vfs() const { return name_; }

  // From now on `operations` of them go well; the next one crashes.
  void CrashAfter(std::uint64_t operations, Crash how) { crash_ = {operations, how}; }
  // The next sync fails, once, as a dying disk does.
  void FailNextSync() { sync_fails_ = true; }
  // So many bytes more can be written.
  void SetFree(std::uint64_t bytes) { free_ = bytes; }
  // Nothing that was planned happens any more.
  void Heal() {
    crash_.reset();
    sync_fails_ = false;
    free_ = std::numeric_limits<std::uint64_t>::max() / 2;
  }
  // The mutant: a sync that does nothing.
  void IgnoreSyncs() { ignores_syncs_ = true; }

  // Every operation fails from here until Restart; what was written stays in the page cache.
  void Kill() { crashed_ = true; }
  bool crashed() const { return crashed_; }
  // The process is dead and has closed its files. `power_cut`: the machine went down too; of what
  // was not synced, any sectors may be lost.
  void Restart(bool power_cut);

  std::uint64_t operations() const { return operations_; }
  // Power cuts that lost something.
  std::uint64_t torn() const { return torn_; }

 private:
  friend struct DiskFile;
  struct Change {
    std::uint64_t offset = 0;
    std::string bytes;
    bool truncates = false;  // to `offset`
  };
  struct File {
    std::string now, durable;
    std::vector<Change> unsynced;
    bool is_named = false;  // its name survives a power cut
  };
  struct Plan {
    std::uint64_t operations = 0;
    Crash how = Crash::before;
  };

  // What becomes of an operation that changes the disk.
  enum class Fate { happens, is_torn, happens_last, fails };
  Fate Next();
  static void Make(std::string& content, const Change& change);
  void CutPower(File& file);
  std::uint64_t Below(std::uint64_t bound) { return bound == 0 ? 0 : random_() % bound; }

  int Write(File& file, const void* data, int size, std::uint64_t offset);
  int Truncate(File& file, std::uint64_t size);
  int Sync(File& file);
  int Delete(const std::string& name);

  static int VfsOpen(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out);
  static int VfsDelete(sqlite3_vfs* vfs, const char* name, int sync_folder);
  static int VfsAccess(sqlite3_vfs* vfs, const char* name, int flags, int* out);
  static int VfsFullPathname(sqlite3_vfs* vfs, const char* name, int size, char* out);

  std::mt19937_64 random_;
  const std::string name_;
  sqlite3_vfs vfs_;
  std::map<std::string, std::shared_ptr<File>> files_;
  std::uint64_t free_ = std::numeric_limits<std::uint64_t>::max() / 2;
  std::optional<Plan> crash_;
  bool crashed_ = false, sync_fails_ = false, ignores_syncs_ = false;
  std::uint64_t operations_ = 0, torn_ = 0;
};

}  // namespace slipway::sim
