#include "tests/sim/journal_disk.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace slipway::sim {
namespace {

constexpr std::uint64_t kSectorBytes = 512;
constexpr std::uint64_t kPageBytes = 4096;  // of the page cache

}  // namespace

// What SQLite allocates for an open file.
struct DiskFile {
  sqlite3_file base;
  JournalDisk* disk;
  std::shared_ptr<JournalDisk::File>* file;

  static DiskFile& Of(sqlite3_file* file) { return *reinterpret_cast<DiskFile*>(file); }

  static int Close(sqlite3_file* file) {
    delete Of(file).file;
    return SQLITE_OK;
  }
  static int Read(sqlite3_file* file, void* data, int size, sqlite3_int64 offset) {
    if (Of(file).disk->crashed_) return SQLITE_IOERR_READ;
    const std::string& bytes = (*Of(file).file)->now;
    const auto begin = std::min(static_cast<std::size_t>(offset), bytes.size());
    const std::size_t length = std::min(static_cast<std::size_t>(size), bytes.size() - begin);
    std::memcpy(data, bytes.data() + begin, length);
    if (length == static_cast<std::size_t>(size)) return SQLITE_OK;
    std::memset(static_cast<char*>(data) + length, 0, static_cast<std::size_t>(size) - length);
    return SQLITE_IOERR_SHORT_READ;
  }
  static int Write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
    DiskFile& self = Of(file);
    return self.disk->Write(**self.file, data, size, static_cast<std::uint64_t>(offset));
  }
  static int Truncate(sqlite3_file* file, sqlite3_int64 size) {
    return Of(file).disk->Truncate(**Of(file).file, static_cast<std::uint64_t>(size));
  }
  static int Sync(sqlite3_file* file, int) { return Of(file).disk->Sync(**Of(file).file); }
  static int Size(sqlite3_file* file, sqlite3_int64* size) {
    *size = static_cast<sqlite3_int64>((*Of(file).file)->now.size());
    return SQLITE_OK;
  }
};

namespace {

// One process at a time has the disk; SqliteDatabase's locks have tests of their own.
int NoLock(sqlite3_file*, int) {
  return SQLITE_OK;
}

const sqlite3_io_methods kMethods = {
    1, DiskFile::Close, DiskFile::Read, DiskFile::Write, DiskFile::Truncate, DiskFile::Sync,
    DiskFile::Size, NoLock, NoLock,
    [](sqlite3_file*, int* reserved) {
      *reserved = 0;
      return SQLITE_OK;
    },
    [](sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }, [](sqlite3_file*) { return 4096; },
    [](sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; },
    // Version 1 ends here: no shared memory, which locking_mode=EXCLUSIVE does without.
    nullptr, nullptr, nullptr, nullptr, nullptr, nullptr};

}  // namespace

JournalDisk::JournalDisk(std::uint64_t seed)
    : random_(seed),
      name_("sim-" + std::to_string(reinterpret_cast<std::uintptr_t>(this))),
      vfs_(*sqlite3_vfs_find(nullptr)) {
  vfs_.zName = name_.c_str();
  vfs_.szOsFile = static_cast<int>(sizeof(DiskFile));
  vfs_.pAppData = this;
  vfs_.xOpen = VfsOpen;
  vfs_.xDelete = VfsDelete;
  vfs_.xAccess = VfsAccess;
  vfs_.xFullPathname = VfsFullPathname;
  sqlite3_vfs_register(&vfs_, 0);
}

JournalDisk::~JournalDisk() {
  sqlite3_vfs_unregister(&vfs_);
}

JournalDisk::Fate JournalDisk::Next() {
  if (crashed_) return Fate::fails;
  ++operations_;
  if (!crash_) return Fate::happens;
  if (crash_->operations > 0) {
    --crash_->operations;
    return Fate::happens;
  }
  crashed_ = true;
  switch (crash_->how) {
    case Crash::before:
      return Fate::fails;
    case Crash::torn:
      return Fate::is_torn;
    case Crash::after:
      break;
  }
  return Fate::happens_last;
}

void JournalDisk::Make(std::string& content, const Change& change) {
  if (change.truncates) {
    content.resize(change.offset);
    return;
  }
  const std::size_t end = change.offset + change.bytes.size();
  if (content.size() < end) content.resize(end);
  std::copy(change.bytes.begin(), change.bytes.end(),
            content.begin() + static_cast<std::ptrdiff_t>(change.offset));
}

int JournalDisk::Write(File& file, const void* data, int size, std::uint64_t offset) {
  const Fate fate = Next();
  if (fate == Fate::fails) return SQLITE_IOERR_WRITE;
  Change change{offset, std::string(static_cast<const char*>(data), static_cast<size_t>(size))};
  if (fate == Fate::is_torn) {  // at the end of a sector
    const std::uint64_t first = offset / kSectorBytes;
    const std::uint64_t last = (offset + change.bytes.size()) / kSectorBytes + 1;
    const std::uint64_t end = (first + Below(last - first + 1)) * kSectorBytes;
    change.bytes.resize(std::clamp(end, offset, offset + change.bytes.size()) - offset);
  }
  const std::uint64_t end = offset + change.bytes.size();
  const std::uint64_t grows = end > file.now.size() ? end - file.now.size() : 0;
  if (grows > free_) return SQLITE_FULL;
  free_ -= grows;
  Make(file.now, change);
  file.unsynced.push_back(std::move(change));
  return fate == Fate::happens ? SQLITE_OK : SQLITE_IOERR_WRITE;
}

int JournalDisk::Truncate(File& file, std::uint64_t size) {
  const Fate fate = Next();
  if (fate == Fate::fails || fate == Fate::is_torn) return SQLITE_IOERR_TRUNCATE;
  if (size < file.now.size()) free_ += file.now.size() - size;
  file.unsynced.push_back({size, "", true});
  Make(file.now, file.unsynced.back());
  return fate == Fate::happens ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

int JournalDisk::Sync(File& file) {
  const Fate fate = Next();
  if (fate == Fate::fails || fate == Fate::is_torn) return SQLITE_IOERR_FSYNC;
  if (sync_fails_) {
    sync_fails_ = false;
    return SQLITE_IOERR_FSYNC;
  }
  if (!ignores_syncs_) {
    for (const Change& change : file.unsynced) Make(file.durable, change);
    file.unsynced.clear();
    file.is_named = true;  // the system's VFS syncs the folder with a file that it made
  }
  return fate == Fate::happens ? SQLITE_OK : SQLITE_IOERR_FSYNC;
}

int JournalDisk::Delete(const std::string& name) {
  const auto found = files_.find(name);
  if (found == files_.end()) return SQLITE_IOERR_DELETE_NOENT;
  const Fate fate = Next();
  if (fate == Fate::fails || fate == Fate::is_torn) return SQLITE_IOERR_DELETE;
  free_ += found->second->now.size();
  files_.erase(found);
  return fate == Fate::happens ? SQLITE_OK : SQLITE_IOERR_DELETE;
}

// All of it is kept, nothing, or some of its sectors or pages; and so are changes of the size.
void JournalDisk::CutPower(File& file) {
  static constexpr std::uint64_t kOdds[] = {0, 4, 7, 8};  // of eight
  const std::uint64_t odds = kOdds[Below(4)];
  const std::uint64_t grain = Below(2) == 0 ? kSectorBytes : kPageBytes;
  std::string content = file.durable;
  for (const Change& change : file.unsynced) {
    if (change.truncates) {
      if (Below(8) < odds) Make(content, change);
      continue;
    }
    for (std::uint64_t at = 0; at < change.bytes.size();) {
      const std::uint64_t length = grain - (change.offset + at) % grain;
      const bool kept = Below(8) < odds;
      if (kept) Make(content, {change.offset + at, change.bytes.substr(at, length)});
      at += length;
    }
  }
  if (content != file.now) ++torn_;
  file.now = file.durable = std::move(content);
  file.unsynced.clear();
  file.is_named = true;
}

void JournalDisk::Restart(bool power_cut) {
  crashed_ = sync_fails_ = false;
  crash_.reset();
  if (!power_cut) return;
  for (auto at = files_.begin(); at != files_.end();) {
    if (!at->second->is_named && Below(2) == 0) {
      at = files_.erase(at);
      continue;
    }
    CutPower(*at->second);
    ++at;
  }
}

int JournalDisk::VfsOpen(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags,
                         int* out) {
  JournalDisk& disk = *static_cast<JournalDisk*>(vfs->pAppData);
  DiskFile& self = *new (file) DiskFile{{nullptr}, &disk, nullptr};
  if (disk.crashed_ || name == nullptr) return SQLITE_CANTOPEN;
  const auto found = disk.files_.find(name);
  const bool is_new = found == disk.files_.end();
  if (is_new && (flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
  const auto content = is_new ? std::make_shared<File>() : found->second;
  if (is_new) disk.files_[name] = content;
  self.file = new std::shared_ptr<File>(content);
  self.base.pMethods = &kMethods;
  if (out != nullptr) *out = flags;
  return SQLITE_OK;
}

int JournalDisk::VfsDelete(sqlite3_vfs* vfs, const char* name, int) {
  return static_cast<JournalDisk*>(vfs->pAppData)->Delete(name);
}

int JournalDisk::VfsAccess(sqlite3_vfs* vfs, const char* name, int, int* out) {
  const JournalDisk& disk = *static_cast<JournalDisk*>(vfs->pAppData);
  *out = disk.files_.contains(name) ? 1 : 0;
  return disk.crashed_ ? SQLITE_IOERR_ACCESS : SQLITE_OK;
}

int JournalDisk::VfsFullPathname(sqlite3_vfs*, const char* name, int size, char* out) {
  sqlite3_snprintf(size, out, "%s", name);
  return SQLITE_OK;
}

}  // namespace slipway::sim
