#include "tests/hostile/bounded_child.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

namespace slipway::test {

namespace {

// A figure of /proc/self/status, in bytes.
std::uint64_t OwnMemory(const char* name) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::uint64_t kilobytes = 0;
    if (word == name && status >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

// What `work` says, behind the eight bytes of how much memory it took at most.
std::string Measured(const std::function<std::string()>& work) {
  std::ofstream("/proc/self/clear_refs") << 5;  // the peak begins anew
  const std::uint64_t before = OwnMemory("VmRSS:");
  const std::string said = work();
  const std::uint64_t peak = OwnMemory("VmHWM:") - before;
  return std::string(reinterpret_cast<const char*>(&peak), sizeof peak) + said;
}

}  // namespace

ChildEnd InChild(const std::function<std::string()>& work) {
  int fds[2];
  EXPECT_EQ(pipe(fds), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    close(fds[0]);
    const std::string all = Measured(work);
    const ssize_t n = write(fds[1], all.data(), all.size());
    _exit(n == static_cast<ssize_t>(all.size()) ? 0 : 1);
  }
  close(fds[1]);
  std::string all;
  char buffer[4096];
  for (ssize_t n = 0; (n = read(fds[0], buffer, sizeof buffer)) > 0;) {
    all.append(buffer, static_cast<std::size_t>(n));
  }
  close(fds[0]);
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "wait status " << status;
  ChildEnd end;
  if (all.size() < sizeof end.peak_bytes) return end;
  std::memcpy(&end.peak_bytes, all.data(), sizeof end.peak_bytes);
  end.said = all.substr(sizeof end.peak_bytes);
  return end;
}

}  // namespace slipway::test
