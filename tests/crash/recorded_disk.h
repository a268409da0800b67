// A folder on a disk that forgets: what happens below it is recorded, and a power cut keeps only
// what was synced, with chance deciding on the rest. The calls of the C library that change files
// are caught in the process itself, so that the code under test is what runs on hosts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace slipway::crash {

// One at a time in a process; for one thread. Each folder right below it is a file system of its
// own.
class RecordedDisk {
 public:
  // The folder is empty; it is emptied and filled again by power cuts.
  RecordedDisk(std::string folder, std::uint64_t seed);
  ~RecordedDisk();
  RecordedDisk(const RecordedDisk&) = delete;
  RecordedDisk& operator=(const RecordedDisk&) = delete;

  enum class Crash { before, torn, after };
  // From now on so many changes go well; the process "dies" at the next one: it happens not, in
  // part or as a whole, and all changes fail until Restart.
  void CrashAfter(std::uint64_t changes, Crash how);
  bool crashed() const { return crashed_; }
  // The next process may begin. `power_cut`: of what was not synced the folder keeps what a disk
  // may keep: of each folder's entries a beginning of what happened to them, of each file any of
  // its writes, whole, in part, or as zeros.
  void Restart(bool power_cut);
  // Power cuts that lost something.
  std::uint64_t forgot() const { return forgot_; }

  // --- for the calls that are caught; each is asked before it happens ---

  enum class Fate { happens, fails, is_torn };
  // Whether the path lies below the folder and changes are recorded.
  bool Concerns(const std::string& path) const;
  Fate Next();
  void Made(const std::string& path, char kind, std::uint32_t mode, const std::string& content);
  void Wrote(const std::string& path, std::string bytes);  // at the end, as all do here
  void Truncated(const std::string& path, std::uint64_t size);
  void ChangedMode(const std::string& path, std::uint32_t mode);
  void Linked(const std::string& from, const std::string& to);
  void Removed(const std::string& path);
  void Renamed(const std::string& from, const std::string& to);
  void Synced(const std::string& path);
  void SyncedAll(const std::string& path);  // of the file system that the path lies on

 private:
  struct Node {
    char kind = 'f';  // file, 'd' folder, 'l' link
    std::uint32_t mode = 0;
    std::string content;                 // of a file; where a link leads
    std::map<std::string, int> entries;  // of a folder
  };
  // What becomes of names: an entry is set to a node, or removed (-1); all of it or nothing.
  struct Entry {
    int folder;
    std::string name;
    int node;
  };
  struct Change {
    std::vector<Entry> entries;
    int node = -1;  // whose content or mode changes, when there are no entries
    char kind = 0;  // 'w'rite, 't'runcate, 'm'ode
    std::string bytes;
    std::uint64_t at = 0;  // offset, size or mode
    std::string file_system = std::string();
  };

  static void Apply(std::map<int, Node>& nodes, const Change& change);
  int Find(const std::string& path) const;                           // -1: none
  std::pair<int, std::string> Place(const std::string& path) const;  // its folder and name
  std::string FileSystemOf(const std::string& path) const;
  void Record(const std::string& path, Change change);
  void RecordEntries(const std::string& path, std::vector<Entry> entries);
  // Makes durable what `chosen` marks.
  void Keep(const std::vector<bool>& chosen);
  void MarkEntries(int folder, std::size_t until, std::vector<bool>& chosen) const;
  void ForgetByChance();
  void Write(int node, const std::string& path, std::map<int, std::string>& written) const;
  std::uint64_t Below(std::uint64_t bound) { return bound == 0 ? 0 : random_() % bound; }

  const std::string folder_;
  std::mt19937_64 random_;
  std::map<int, Node> now_, durable_;
  std::vector<Change> unsynced_;  // in order
  int next_node_ = 1;
  std::uint64_t crash_after_ = 0;
  Crash how_ = Crash::before;
  bool armed_ = false, crashed_ = false;
  std::uint64_t forgot_ = 0;
};

}  // namespace slipway::crash
