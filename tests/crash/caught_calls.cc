// Stands in front of libc in the test's own program: what a program defines itself is found first.
#include "tests/crash/caught_calls.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <string>

#include "tests/crash/recorded_disk.h"

namespace slipway::crash {
namespace {

RecordedDisk* disk = nullptr;

}  // namespace

void CatchFor(RecordedDisk* now) {
  disk = now;
}

namespace {

using Fate = RecordedDisk::Fate;

template <class Function>
Function* Real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

std::string PathOf(int fd) {
  char path[4096];
  const ssize_t length =
      readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof path);
  return length < 0 ? "" : std::string(path, static_cast<std::size_t>(length));
}

std::string PathAt(int folder, const char* name) {
  if (*name == '/') return name;
  return folder == AT_FDCWD ? "" : PathOf(folder) + "/" + name;
}

// Runs `call` unless the process is dead by now, and tells the disk what happened.
template <class Call, class Tell>
auto Caught(const std::string& path, const Call& call, const Tell& tell) -> decltype(call()) {
  if (disk == nullptr || !disk->Concerns(path)) return call();
  const Fate fate = disk->Next();
  if (fate != Fate::happens) {
    errno = EIO;
    return -1;
  }
  const auto result = call();
  if (result >= 0) tell();
  if (!disk->crashed()) return result;
  errno = EIO;  // it happened, and nobody was told
  return -1;
}

}  // namespace
}  // namespace slipway::crash

using slipway::crash::Caught;
using slipway::crash::disk;
using slipway::crash::Fate;
using slipway::crash::PathAt;
using slipway::crash::PathOf;
using slipway::crash::Real;

extern "C" {

ssize_t write(int fd, const void* data, size_t size) {
  static const auto real = Real<ssize_t(int, const void*, size_t)>("write");
  if (disk == nullptr) return real(fd, data, size);
  const std::string path = PathOf(fd);
  if (!disk->Concerns(path)) return real(fd, data, size);
  const Fate fate = disk->Next();
  const size_t part = fate == Fate::fails ? 0 : fate == Fate::is_torn ? size / 2 : size;
  if (part > 0 && real(fd, data, part) == static_cast<ssize_t>(part)) {
    disk->Wrote(path, std::string(static_cast<const char*>(data), part));
  }
  if (!disk->crashed()) return static_cast<ssize_t>(part);
  errno = EIO;
  return -1;
}

int ftruncate(int fd, off_t size) noexcept {
  static const auto real = Real<int(int, off_t)>("ftruncate");
  if (disk == nullptr) return real(fd, size);
  const std::string path = PathOf(fd);
  return Caught(
      path, [&] { return real(fd, size); },
      [&] { disk->Truncated(path, static_cast<std::uint64_t>(size)); });
}

// No disk is waited for: what counts is what was asked for.
int fsync(int fd) {
  static const auto real = Real<int(int)>("fsync");
  if (disk == nullptr) return real(fd);
  const std::string path = PathOf(fd);
  return Caught(path, [] { return 0; }, [&] { disk->Synced(path); });
}

int syncfs(int fd) noexcept {
  static const auto real = Real<int(int)>("syncfs");
  if (disk == nullptr) return real(fd);
  const std::string path = PathOf(fd);
  return Caught(path, [] { return 0; }, [&] { disk->SyncedAll(path); });
}

int fchmod(int fd, mode_t mode) noexcept {
  static const auto real = Real<int(int, mode_t)>("fchmod");
  if (disk == nullptr) return real(fd, mode);
  const std::string path = PathOf(fd);
  return Caught(path, [&] { return real(fd, mode); }, [&] { disk->ChangedMode(path, mode); });
}

int fchmodat(int folder, const char* name, mode_t mode, int flags) noexcept {
  static const auto real = Real<int(int, const char*, mode_t, int)>("fchmodat");
  if (disk == nullptr) return real(folder, name, mode, flags);
  const std::string path = PathAt(folder, name);
  return Caught(
      path, [&] { return real(folder, name, mode, flags); },
      [&] { disk->ChangedMode(path, mode); });
}

int chmod(const char* path, mode_t mode) noexcept {
  return fchmodat(AT_FDCWD, path, mode, 0);
}

int mkdirat(int folder, const char* name, mode_t mode) noexcept {
  static const auto real = Real<int(int, const char*, mode_t)>("mkdirat");
  if (disk == nullptr) return real(folder, name, mode);
  const std::string path = PathAt(folder, name);
  return Caught(
      path, [&] { return real(folder, name, mode); }, [&] { disk->Made(path, 'd', mode, ""); });
}

int mkdir(const char* path, mode_t mode) noexcept {
  return mkdirat(AT_FDCWD, path, mode);
}

int symlinkat(const char* target, int folder, const char* name) noexcept {
  static const auto real = Real<int(const char*, int, const char*)>("symlinkat");
  if (disk == nullptr) return real(target, folder, name);
  const std::string path = PathAt(folder, name);
  return Caught(
      path, [&] { return real(target, folder, name); },
      [&] { disk->Made(path, 'l', 0777, target); });
}

int linkat(int from_folder, const char* from, int folder, const char* name, int flags) noexcept {
  static const auto real = Real<int(int, const char*, int, const char*, int)>("linkat");
  if (disk == nullptr) return real(from_folder, from, folder, name, flags);
  const std::string path = PathAt(folder, name);
  return Caught(
      path, [&] { return real(from_folder, from, folder, name, flags); },
      [&] { disk->Linked(PathAt(from_folder, from), path); });
}

int unlinkat(int folder, const char* name, int flags) noexcept {
  static const auto real = Real<int(int, const char*, int)>("unlinkat");
  if (disk == nullptr) return real(folder, name, flags);
  const std::string path = PathAt(folder, name);
  return Caught(path, [&] { return real(folder, name, flags); }, [&] { disk->Removed(path); });
}

int renameat(int from_folder, const char* from, int folder, const char* name) noexcept {
  static const auto real = Real<int(int, const char*, int, const char*)>("renameat");
  if (disk == nullptr) return real(from_folder, from, folder, name);
  const std::string path = PathAt(folder, name);
  return Caught(
      path, [&] { return real(from_folder, from, folder, name); },
      [&] { disk->Renamed(PathAt(from_folder, from), path); });
}

// openat2 has no function of its own.
long syscall(long number, ...) noexcept {
  static const auto real = Real<long(long, ...)>("syscall");
  va_list arguments;
  va_start(arguments, number);
  long a[6];
  for (long& argument : a) argument = va_arg(arguments, long);
  va_end(arguments);
  const auto call = [&] { return real(number, a[0], a[1], a[2], a[3], a[4], a[5]); };
  if (number != SYS_openat2 || disk == nullptr) return call();
  const auto& how = *reinterpret_cast<const open_how*>(a[2]);
  const int folder = static_cast<int>(a[0]);
  const auto* const name = reinterpret_cast<const char*>(a[1]);
  struct stat there = {};
  const bool makes = (how.flags & O_CREAT) != 0 &&
                     fstatat(folder, name, &there, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
  if (!makes) return call();
  const std::string path = PathAt(folder, name);
  return Caught(path, call,
                [&] { disk->Made(path, 'f', static_cast<std::uint32_t>(how.mode), ""); });
}
}
