#include "agent/health/host_room.h"

#include <sys/statvfs.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace slipway::agent {
namespace {

// "MemAvailable:   16265120 kB"
std::uint64_t MemoryField(const std::string& field) {
  std::ifstream file("/proc/meminfo");
  std::string name, unit;
  std::uint64_t kib = 0;
  while (file >> name >> kib) {
    std::getline(file, unit);
    if (name == field) return kib * 1024;
  }
  return 0;
}

}  // namespace

DiskRoom RoomAt(const std::string& path) {
  std::filesystem::path folder = path.empty() ? "/" : path;
  std::error_code ignored;
  while (!std::filesystem::exists(folder, ignored) && folder.has_relative_path()) {
    folder = folder.parent_path();
  }
  struct statvfs info{};
  if (statvfs(folder.c_str(), &info) != 0) return {.path = folder.string()};
  return {.path = folder.string(),
          .free_bytes = std::uint64_t{info.f_bavail} * info.f_frsize,
          .total_bytes = std::uint64_t{info.f_blocks} * info.f_frsize,
          .free_inodes = info.f_favail};
}

absl::Status ProveDiskFree(const std::string& path, std::uint64_t wanted_bytes) {
  const DiskRoom room = RoomAt(path);
  if (room.free_bytes >= wanted_bytes) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(AsSize(room.free_bytes), " free on the disk of ",
                                                   path.empty() ? "/" : path, ", ",
                                                   AsSize(wanted_bytes), " wanted"));
}

std::uint64_t MemoryTotal() {
  return MemoryField("MemTotal:");
}
std::uint64_t MemoryAvailable() {
  return MemoryField("MemAvailable:");
}

std::string AsSize(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  int unit = 0;
  for (; value >= 1024 && unit < 4; ++unit) value /= 1024;
  return unit == 0 ? absl::StrCat(bytes, " bytes")
                   : absl::StrFormat("%.1f %s", value, kUnits[unit]);
}

}  // namespace slipway::agent
