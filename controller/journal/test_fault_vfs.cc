#include "controller/journal/test_fault_vfs.h"

#include <new>

namespace slipway::controller {
namespace {

// What SQLite allocates for a file: ours, with the system's behind it.
struct FaultFile {
  sqlite3_file base;
  FaultVfs* vfs;
  std::string* name;
  sqlite3_file* beneath() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

FaultFile& Self(sqlite3_file* file) {
  return *reinterpret_cast<FaultFile*>(file);
}
sqlite3_file* Beneath(sqlite3_file* file) {
  return Self(file).beneath();
}

int Write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  if (offset + size > Self(file).vfs->full_from) return SQLITE_FULL;
  return Beneath(file)->pMethods->xWrite(Beneath(file), data, size, offset);
}

int Sync(sqlite3_file* file, int flags) {
  FaultFile& self = Self(file);
  ++self.vfs->syncs;
  if (self.vfs->SyncFails(*self.name)) return SQLITE_IOERR_FSYNC;
  return self.beneath()->pMethods->xSync(self.beneath(), flags);
}

int Close(sqlite3_file* file) {
  FaultFile& self = Self(file);
  delete self.name;
  return self.beneath()->pMethods->xClose(self.beneath());
}

const sqlite3_io_methods kMethods = {
    1, Close,
    [](sqlite3_file* f, void* data, int size, sqlite3_int64 offset) {
      return Beneath(f)->pMethods->xRead(Beneath(f), data, size, offset);
    },
    Write,
    [](sqlite3_file* f, sqlite3_int64 size) {
      return Beneath(f)->pMethods->xTruncate(Beneath(f), size);
    },
    Sync,
    [](sqlite3_file* f, sqlite3_int64* size) {
      return Beneath(f)->pMethods->xFileSize(Beneath(f), size);
    },
    [](sqlite3_file* f, int level) { return Beneath(f)->pMethods->xLock(Beneath(f), level); },
    [](sqlite3_file* f, int level) { return Beneath(f)->pMethods->xUnlock(Beneath(f), level); },
    [](sqlite3_file* f, int* out) {
      return Beneath(f)->pMethods->xCheckReservedLock(Beneath(f), out);
    },
    [](sqlite3_file* f, int op, void* arg) {
      return Beneath(f)->pMethods->xFileControl(Beneath(f), op, arg);
    },
    [](sqlite3_file* f) { return Beneath(f)->pMethods->xSectorSize(Beneath(f)); },
    [](sqlite3_file* f) { return Beneath(f)->pMethods->xDeviceCharacteristics(Beneath(f)); },
    // Version 1 ends here: no shared memory, which locking_mode=EXCLUSIVE does without.
    nullptr, nullptr, nullptr, nullptr, nullptr, nullptr};

int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  FaultVfs& fault = *static_cast<FaultVfs*>(vfs->pAppData);
  FaultFile& self = *new (file) FaultFile{{nullptr}, &fault, nullptr};
  const int code = fault.beneath()->xOpen(fault.beneath(), name, self.beneath(), flags, out_flags);
  if (code != SQLITE_OK) return code;
  self.name = new std::string(name == nullptr ? "" : name);
  self.base.pMethods = &kMethods;
  return SQLITE_OK;
}

}  // namespace

FaultVfs::FaultVfs()
    : beneath_(sqlite3_vfs_find(nullptr)),
      name_("fault-" + std::to_string(reinterpret_cast<std::uintptr_t>(this))),
      vfs_(*beneath_) {
  vfs_.zName = name_.c_str();
  vfs_.szOsFile += static_cast<int>(sizeof(FaultFile));
  vfs_.pAppData = this;
  vfs_.xOpen = Open;
  sqlite3_vfs_register(&vfs_, 0);
}

FaultVfs::~FaultVfs() {
  sqlite3_vfs_unregister(&vfs_);
}

}  // namespace slipway::controller
