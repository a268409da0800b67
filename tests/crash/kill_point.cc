// Stands in front of libc in a process that is to die: counts what changes files, and sends KILL
// to its own process before, in the middle of or after the operation that was asked for.
#include "tests/crash/kill_point.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

namespace slipway::crash {
namespace {

constexpr off64_t kSector = 512;

KillPoint* point = nullptr;

// Children are not killed: they are not the process that is looked at.
__attribute__((constructor)) void MapKillPoint() {
  const char* const path = getenv(kKillPointFile);
  if (path == nullptr) return;
  const int fd = open(path, O_RDWR | O_CLOEXEC);
  void* const memory =
      fd < 0 ? MAP_FAILED
             : mmap(nullptr, sizeof(KillPoint), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (fd >= 0) close(fd);
  if (memory != MAP_FAILED) point = static_cast<KillPoint*>(memory);
  unsetenv(kKillPointFile);
  unsetenv("LD_PRELOAD");
}

[[noreturn]] void Die(std::uint64_t now) {
  const std::uint64_t again = point->again_after.exchange(0);
  point->kill_at.store(again == 0 ? 0 : now + again);
  point->kills.fetch_add(1);
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

template <class Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

// Runs `operation`, or dies at it. `part` does the first part of it.
template <class Operation, class Part>
auto Count(const Operation& operation, const Part& part) {
  if (point == nullptr) return operation();
  const std::uint64_t now = point->operations.fetch_add(1) + 1;
  if (point->kill_at.load() != now) return operation();
  const How how{point->how.load()};
  if (how == How::torn) (void)part();
  if (how == How::after) (void)operation();
  Die(now);
}

template <class Operation>
auto Count(const Operation& operation) {
  return Count(operation, operation);
}

// Logs and sockets are not files that anything depends on.
bool IsFile(int fd) {
  struct stat stat = {};
  return fd > STDERR_FILENO && fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode);
}

}  // namespace
}  // namespace slipway::crash

using slipway::crash::Count;
using slipway::crash::IsFile;
using slipway::crash::kSector;
using slipway::crash::Next;

extern "C" {

ssize_t write(int fd, const void* data, size_t size) {
  static const auto next = Next<ssize_t(int, const void*, size_t)>("write");
  if (!IsFile(fd)) return next(fd, data, size);
  return Count([&] { return next(fd, data, size); }, [&] { return next(fd, data, size / 2); });
}

ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) {
  static const auto next = Next<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
  // A page of the cache is never half written, and a sector of the disk neither.
  const off64_t torn = (offset + static_cast<off64_t>(size / 2)) / kSector * kSector;
  return Count([&] { return next(fd, data, size, offset); },
               [&]() -> ssize_t {
                 if (torn <= offset) return 0;
                 return next(fd, data, static_cast<size_t>(torn - offset), offset);
               });
}

int fsync(int fd) {
  static const auto next = Next<int(int)>("fsync");
  return Count([&] { return next(fd); });
}

int fdatasync(int fd) {
  static const auto next = Next<int(int)>("fdatasync");
  return Count([&] { return next(fd); });
}

int ftruncate64(int fd, off64_t size) noexcept {
  static const auto next = Next<int(int, off64_t)>("ftruncate64");
  return Count([&] { return next(fd, size); });
}

int rename(const char* from, const char* to) noexcept {
  static const auto next = Next<int(const char*, const char*)>("rename");
  return Count([&] { return next(from, to); });
}

int renameat(int from_fd, const char* from, int to_fd, const char* to) noexcept {
  static const auto next = Next<int(int, const char*, int, const char*)>("renameat");
  return Count([&] { return next(from_fd, from, to_fd, to); });
}

int renameat2(int from_fd, const char* from, int to_fd, const char* to,
              unsigned int flags) noexcept {
  static const auto next = Next<int(int, const char*, int, const char*, unsigned)>("renameat2");
  return Count([&] { return next(from_fd, from, to_fd, to, flags); });
}

int unlink(const char* path) noexcept {
  static const auto next = Next<int(const char*)>("unlink");
  return Count([&] { return next(path); });
}

int unlinkat(int fd, const char* path, int flags) noexcept {
  static const auto next = Next<int(int, const char*, int)>("unlinkat");
  return Count([&] { return next(fd, path, flags); });
}

int symlinkat(const char* target, int fd, const char* path) noexcept {
  static const auto next = Next<int(const char*, int, const char*)>("symlinkat");
  return Count([&] { return next(target, fd, path); });
}

int mkdirat(int fd, const char* path, mode_t mode) noexcept {
  static const auto next = Next<int(int, const char*, mode_t)>("mkdirat");
  return Count([&] { return next(fd, path, mode); });
}
}
