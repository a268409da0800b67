#include "common/process/ports.h"

#include <dirent.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/process/proc.h"

namespace slipway {
namespace {

// States of the kernel's table.
constexpr absl::string_view kEstablished = "01", kCloseWait = "08", kListen = "0A";

struct Socket {
  std::uint16_t port = 0;
  std::string state;
  std::uint64_t inode = 0;
};

// "  0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000  0 12345 …"
void EachSocket(const char* table, const std::function<void(const Socket&)>& visit) {
  std::ifstream file(table);
  std::string line;
  std::getline(file, line);  // the heading
  while (std::getline(file, line)) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (fields.size() < 10) continue;
    const std::vector<absl::string_view> local = absl::StrSplit(fields[1], ':');
    std::uint32_t port = 0;
    Socket socket;
    if (local.size() != 2 || !absl::SimpleHexAtoi(local[1], &port)) continue;
    if (!absl::SimpleAtoi(fields[9], &socket.inode)) continue;
    socket.port = static_cast<std::uint16_t>(port);
    socket.state = std::string(fields[3]);
    visit(socket);
  }
}

void EachSocket(const std::function<void(const Socket&)>& visit) {
  EachSocket("/proc/net/tcp", visit);
  EachSocket("/proc/net/tcp6", visit);
}

bool HoldsSocket(pid_t pid, const std::string& link) {
  const std::string folder = absl::StrCat("/proc/", pid, "/fd");
  DIR* dir = opendir(folder.c_str());
  if (dir == nullptr) return false;
  bool found = false;
  while (const dirent* entry = readdir(dir)) {
    char target[64];
    const std::string path = absl::StrCat(folder, "/", entry->d_name);
    const ssize_t n = readlink(path.c_str(), target, sizeof target);
    if (n > 0 && std::string_view(target, static_cast<std::size_t>(n)) == link) found = true;
  }
  closedir(dir);
  return found;
}

}  // namespace

std::vector<Listener> ListenersOn(std::uint16_t port) {
  std::vector<Listener> found;
  EachSocket([&](const Socket& socket) {
    if (socket.port == port && socket.state == kListen) found.push_back({port, socket.inode});
  });
  return found;
}

int EstablishedOn(std::uint16_t port) {
  int count = 0;
  EachSocket([&](const Socket& socket) {
    if (socket.port != port) return;
    if (socket.state == kEstablished || socket.state == kCloseWait) ++count;
  });
  return count;
}

std::vector<pid_t> OwnersOf(const Listener& listener) {
  std::vector<pid_t> owners;
  const std::string link = absl::StrCat("socket:[", listener.inode, "]");
  for (const ProcessStat& process : AllProcesses()) {
    if (HoldsSocket(process.pid, link)) owners.push_back(process.pid);
  }
  return owners;
}

}  // namespace slipway
