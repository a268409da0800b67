#include "agent/services/exec_cgroup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <fstream>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace slipway::agent {
namespace {

void WriteTo(const std::string& path, std::string_view text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  [[maybe_unused]] const ssize_t n = write(fd, text.data(), text.size());
  close(fd);
}

// Where the v2 hierarchy is: alone, or beside v1.
std::string Mount() {
  for (const char* mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    if (access(absl::StrCat(mount, "/cgroup.controllers").c_str(), F_OK) == 0) return mount;
  }
  return "";
}

// FNV-1a: the same folder has the same name after a restart of the agent.
std::uint64_t Hash(std::string_view text) {
  std::uint64_t hash = 14695981039346656037u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return hash;
}

}  // namespace

std::string CgroupFor(const std::string& dir) {
  const std::string mount = Mount();
  if (mount.empty()) return "";
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("0::/", 0) != 0) continue;
    const std::string own = line == "0::/" ? "" : line.substr(3);
    return absl::StrCat(mount, own, "/slipway-", absl::Hex(Hash(dir), absl::kZeroPad16));
  }
  return "";
}

bool MakeCgroup(const std::string& cgroup, int processes_max) {
  if (cgroup.empty()) return false;
  if (mkdir(cgroup.c_str(), 0755) != 0 && errno != EEXIST) return false;
  // Of all controllers this is one that may be on while there are processes beside the new group.
  WriteTo(cgroup.substr(0, cgroup.rfind('/')) + "/cgroup.subtree_control", "+pids");
  WriteTo(cgroup + "/pids.max", absl::StrCat(processes_max));
  return access((cgroup + "/cgroup.kill").c_str(), W_OK) == 0;
}

void EnterCgroup(const std::string& cgroup) {
  WriteTo(cgroup + "/cgroup.procs", "0");
}

void KillCgroup(const std::string& cgroup) {
  WriteTo(cgroup + "/cgroup.kill", "1");
}

void RemoveCgroup(const std::string& cgroup) {
  if (!cgroup.empty()) rmdir(cgroup.c_str());
}

}  // namespace slipway::agent
