#include "agent/services/exec_shim.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "absl/strings/str_cat.h"
#include "agent/services/exec_cgroup.h"
#include "agent/services/exec_output.h"
#include "agent/services/exec_program.h"
#include "agent/services/exec_spec.h"
#include "common/clock.h"
#include "common/process/proc.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

constexpr int kReadyFd = 3;
// What the program left behind has this long to follow a TERM.
constexpr absl::Duration kLeftoverGrace = absl::Seconds(2);
// After this long KILLs have no effect: the process hangs in the kernel.
constexpr absl::Duration kUnkillableAfter = absl::Seconds(10);
constexpr absl::Duration kEndingTick = absl::Milliseconds(20);

absl::Duration Now() {
  return SystemClock().Monotonic();
}

// Blocks what the shim reads through a descriptor or does not want to hear.
int BlockSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE}) {
    sigaddset(&set, signal);
  }
  sigprocmask(SIG_BLOCK, &set, nullptr);
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

class Shim {
 public:
  explicit Shim(std::string dir) : dir_(std::move(dir)) {}
  int Main();

 private:
  absl::Status Start();
  absl::Status Exclude() const;
  void Watch();
  void Reap();
  void EnforceTime();
  void KillAll();
  void Wait();
  void ReadSignals();
  void ReadOutput();
  int Timeout() const;

  const std::string dir_;
  ExecSpec spec_;
  ExecExit exit_;
  Program program_;
  std::unique_ptr<OutputSink> sink_;
  std::string cgroup_;
  int signals_ = -1;
  bool ended_ = false;                                    // the program itself
  bool childless_ = false;                                // nothing of the run is left
  bool killing_ = false;                                  // only KILL from now on
  absl::Duration term_at_ = absl::InfiniteDuration();     // the program's deadline
  absl::Duration kill_at_ = absl::InfiniteDuration();     // after a TERM that came from here
  absl::Duration give_up_at_ = absl::InfiniteDuration();  // nothing dies
};

int LockFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0) return -1;
  return fd;
}

bool WasUsed(const std::string& dir) {
  return access((dir + "/running").c_str(), F_OK) == 0 ||
         access((dir + "/exit").c_str(), F_OK) == 0;
}

int Shim::Main() {
  setsid();
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  prctl(PR_SET_NAME, "slipway-exec");
  umask(022);
  const bool tells_ready = fcntl(kReadyFd, F_GETFD) >= 0;
  if (!tells_ready) dup2(0, kReadyFd);  // keeps the number free for nothing else
  fcntl(kReadyFd, F_SETFD, FD_CLOEXEC);
  signals_ = BlockSignals();

  if (LockFile(dir_ + "/lock") < 0 || WasUsed(dir_)) return 1;
  const absl::Status started = Start();
  if (!started.ok()) {
    exit_.refused = std::string(started.message());
  } else {
    close(kReadyFd);
    Watch();
  }
  exit_.at = SystemClock().Now();
  const absl::Status written = WriteExit(dir_, exit_);
  if (!written.ok()) dprintf(2, "%s\n", std::string(written.message()).c_str());
  RemoveCgroup(cgroup_);
  return written.ok() ? 0 : 1;
}

absl::Status Shim::Exclude() const {
  if (spec_.exclusive.empty() || LockFile(spec_.exclusive) >= 0) return absl::OkStatus();
  return absl::AlreadyExistsError(absl::StrCat("another run holds ", spec_.exclusive));
}

absl::Status Shim::Start() {
  SLIPWAY_ASSIGN_OR_RETURN(spec_, ReadSpec(dir_));
  SLIPWAY_RETURN_IF_ERROR(Exclude());
  SLIPWAY_RETURN_IF_ERROR(ReserveExit(dir_));
  if (spec_.log.empty()) {
    sink_ = std::make_unique<SpoolSink>(dir_);
  } else {
    sink_ = std::make_unique<LogSink>(spec_.log, spec_.log_bytes_max, spec_.log_keep);
  }
  cgroup_ = CgroupFor(dir_);
  if (!MakeCgroup(cgroup_, spec_.processes_max)) cgroup_.clear();

  SLIPWAY_RETURN_IF_ERROR(program_.Fork(spec_, dir_, cgroup_));
  ExecRunning running;
  if (const auto self = IdentityOf(getpid())) running.shim = *self;
  if (const auto child = IdentityOf(program_.pid())) running.child = *child;
  running.since = SystemClock().Now();
  const absl::Status durable = WriteRunning(dir_, running);
  const absl::Status executed = durable.ok() ? program_.Execute() : program_.Abandon(durable);
  if (executed.ok() && spec_.deadline > absl::ZeroDuration()) term_at_ = Now() + spec_.deadline;
  return executed;
}

void Shim::Watch() {
  for (Reap(); !(ended_ && childless_) && Now() < give_up_at_; Reap()) {
    EnforceTime();
    Wait();
  }
  if (!childless_) exit_.leftovers = static_cast<int>(Descendants(getpid()).size());
  ReadOutput();
}

void Shim::Reap() {
  int status = 0;
  pid_t pid = 0;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid != program_.pid()) continue;
    ended_ = true;
    term_at_ = absl::InfiniteDuration();
    exit_.code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    exit_.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    kill_at_ = Now() + kLeftoverGrace;
    for (const ProcessStat& left : Descendants(getpid())) {
      ++exit_.leftovers;
      kill(left.pid, SIGTERM);
    }
  }
  childless_ = pid < 0 && errno == ECHILD;
}

void Shim::EnforceTime() {
  const absl::Duration now = Now();
  if (now >= term_at_) {
    exit_.timed_out = true;
    term_at_ = absl::InfiniteDuration();
    kill_at_ = now + spec_.grace;
    kill(-program_.pid(), SIGTERM);
  }
  if (now >= kill_at_) killing_ = true;
  if (killing_) KillAll();
}

// Again and again until none is left: a fork that is faster than one walk is not faster than all.
void Shim::KillAll() {
  if (!cgroup_.empty()) KillCgroup(cgroup_);
  for (const ProcessStat& process : Descendants(getpid())) kill(process.pid, SIGKILL);
  if (ended_ && give_up_at_ == absl::InfiniteDuration()) give_up_at_ = Now() + kUnkillableAfter;
}

int Shim::Timeout() const {
  if (killing_) return static_cast<int>(absl::ToInt64Milliseconds(kEndingTick));
  const absl::Duration next = std::min(term_at_, kill_at_);
  if (next == absl::InfiniteDuration()) return -1;
  const absl::Duration left = std::clamp(next - Now(), absl::Milliseconds(1), absl::Hours(1));
  return static_cast<int>(absl::ToInt64Milliseconds(left));
}

void Shim::Wait() {
  pollfd fds[] = {{signals_, POLLIN, 0}, {program_.output(), POLLIN, 0}};
  poll(fds, 2, Timeout());
  if (fds[0].revents != 0) ReadSignals();
  if (fds[1].revents != 0) ReadOutput();
}

void Shim::ReadSignals() {
  signalfd_siginfo info{};
  while (read(signals_, &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGTERM) killing_ = true;
  }
}

// A bounded number of pieces, so that a program that never stops writing does not hide its end.
void Shim::ReadOutput() {
  char buffer[64 << 10];
  for (int i = 0; i < 64; ++i) {
    const ssize_t n = read(program_.output(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) program_.CloseOutput();
    if (n <= 0) return;
    sink_->Write({buffer, static_cast<std::size_t>(n)});
  }
}

}  // namespace

int ExecShimMain(const std::string& dir) {
  return Shim(dir).Main();
}

}  // namespace slipway::agent
