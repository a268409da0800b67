#include "tests/cli/program.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "common/clock.h"

namespace slipway::cli {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& s : strings) pointers.push_back(s.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Program::Program(const std::vector<std::string>& arguments,
                 const std::vector<std::string>& environment, bool terminal) {
  std::vector<std::string> argv = {std::string(std::getenv("SLIPWAY_BINARY_DIR")) + "/bin/slipway"};
  if (!arguments.empty() && arguments[0][0] == '/') argv.clear();
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  std::vector<std::string> env = {"LANG=C.UTF-8", "HOME=/nonexistent", "PATH=/usr/bin:/bin",
                                  "TERM=xterm"};
  env.insert(env.end(), environment.begin(), environment.end());
  int ours = -1, theirs = -1;
  if (terminal) {
    winsize size{24, 80, 0, 0};
    if (openpty(&ours, &theirs, nullptr, nullptr, &size) != 0) std::abort();
  } else {
    int pipe_ends[2];
    if (pipe(pipe_ends) != 0) std::abort();
    ours = pipe_ends[0];
    theirs = pipe_ends[1];
  }
  // A server that the program leaves behind must not hold the other end open.
  for (const int end : {ours, theirs}) fcntl(end, F_SETFD, FD_CLOEXEC);
  const auto argv_pointers = Pointers(argv);
  const auto env_pointers = Pointers(env);
  pid_ = fork();
  if (pid_ == 0) {
    dup2(terminal ? theirs : open("/dev/null", O_RDONLY), STDIN_FILENO);
    dup2(theirs, STDOUT_FILENO);
    dup2(theirs, STDERR_FILENO);
    execve(argv_pointers[0], argv_pointers.data(), env_pointers.data());
    _exit(127);
  }
  close(theirs);
  fd_ = ours;
}

Program::~Program() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  if (fd_ >= 0) close(fd_);
}

bool Program::ReadSome(absl::Duration patience) {
  pollfd waiting{fd_, POLLIN, 0};
  if (poll(&waiting, 1, static_cast<int>(absl::ToInt64Milliseconds(patience))) <= 0) return false;
  char buffer[4096];
  const ssize_t n = read(fd_, buffer, sizeof buffer);
  if (n <= 0) return false;  // a pseudo-terminal whose other end is closed says EIO
  output_.append(buffer, static_cast<std::size_t>(n));
  return true;
}

bool Program::WaitFor(const std::string& text) {
  const absl::Duration start = SystemClock().Monotonic();
  while (output_.find(text) == std::string::npos) {
    if (!ReadSome(kPatience) || SystemClock().Monotonic() - start > kPatience) {
      return output_.find(text) != std::string::npos;
    }
  }
  return true;
}

void Program::Type(const std::string& text) {
  if (write(fd_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) std::abort();
}

void Program::Signal(int number) {
  kill(pid_, number);
}

int Program::Wait() {
  while (ReadSome(kPatience)) {
  }
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace slipway::cli
