#include "agent/services/execution.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "agent/services/exec_cgroup.h"
#include "agent/services/record_file.h"
#include "common/clock.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

constexpr int kReadyFd = 3;
// A shim that does not get as far as its program in this time is left to itself.
constexpr int kReadyWithinMs = 30'000;
constexpr absl::Duration kLeavesWithin = absl::Seconds(5);
constexpr absl::Duration kPollMost = absl::Milliseconds(200);

// Reaps the shim when it is our child; after a restart of the agent it is init's.
bool ShimLives(const ExecRunning& running) {
  if (IsAlive(running.shim)) return true;
  waitpid(running.shim.pid, nullptr, WNOHANG);
  return false;
}

// Nothing was recorded. True when nothing ever will be: we hold the folder's lock and remove the
// spec, without which a shim that comes late does nothing.
bool TakePossession(const std::string& dir) {
  const int lock = open((dir + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return errno == ENOENT;  // no folder, no run
  const bool ours = flock(lock, LOCK_EX | LOCK_NB) == 0;
  const bool unused = ours && access((dir + "/running").c_str(), F_OK) != 0;
  if (unused) unlink((dir + "/spec").c_str());
  close(lock);
  return unused;
}

std::optional<ExecState> Recorded(const std::string& dir) {
  ExecState state;
  const auto running = ReadRunning(dir);
  if (running.ok()) state.running = *running;
  const auto exit = ReadExit(dir);
  if (exit.ok()) {
    // Until the shim is gone it holds its locks: a next run could not begin.
    const bool leaving = running.ok() && ShimLives(*running);
    state.kind = leaving ? ExecState::Kind::running : ExecState::Kind::exited;
    state.exit = *exit;
    return state;
  }
  if (!running.ok()) return std::nullopt;
  state.kind = ExecState::Kind::running;
  return state;
}

// Waits until `fd` is readable or hung up.
void WaitOn(int fd, absl::Duration most) {
  pollfd entry{fd, POLLIN, 0};
  poll(&entry, fd < 0 ? 0 : 1, static_cast<int>(absl::ToInt64Milliseconds(most)) + 1);
}

}  // namespace

ExecState Execution::State() const {
  auto state = Recorded(dir_);
  if (!state) {
    if (TakePossession(dir_)) return {};
    state = Recorded(dir_);
    // The shim holds the lock and is on its way to the program.
    if (!state) return {.kind = ExecState::Kind::running, .running = {}, .exit = {}};
  }
  if (state->kind == ExecState::Kind::exited || ShimLives(state->running)) return *state;
  // The shim may have written its last record between our two looks.
  if (const auto again = Recorded(dir_)) state = again;
  if (state->kind == ExecState::Kind::exited || !Processes().empty()) return *state;
  state->kind = ExecState::Kind::lost;
  return *state;
}

bool Execution::WaitFor(absl::Duration limit) const {
  const absl::Duration give_up = SystemClock().Monotonic() + limit;
  int shim = -1;
  bool over = false;
  while (true) {
    const ExecState state = State();
    over = state.kind != ExecState::Kind::running;
    const absl::Duration left = give_up - SystemClock().Monotonic();
    if (over || left <= absl::ZeroDuration()) break;
    if (shim < 0 && state.running.shim.pid > 0 && IsAlive(state.running.shim)) {
      shim = static_cast<int>(syscall(SYS_pidfd_open, state.running.shim.pid, 0));
    }
    WaitOn(shim, std::min(left, kPollMost));
    if (shim >= 0 && !IsAlive(state.running.shim)) {
      close(shim);  // it would wake us without end while the program outlives its shim
      shim = -1;
    }
  }
  if (shim >= 0) close(shim);
  return over;
}

void Execution::Signal(int signal) const {
  const auto running = ReadRunning(dir_);
  if (running.ok() && IsAlive(running->child)) kill(-running->child.pid, signal);
}

void Execution::KillAll() const {
  const auto running = ReadRunning(dir_);
  if (running.ok() && ShimLives(*running)) {
    kill(running->shim.pid, SIGTERM);  // it knows its descendants better than anyone
    return;
  }
  const std::string cgroup = CgroupFor(dir_);
  if (!cgroup.empty()) KillCgroup(cgroup);
  for (const ProcessStat& process : Processes()) kill(process.pid, SIGKILL);
  RemoveCgroup(cgroup);
}

std::vector<ProcessStat> Execution::Processes() const {
  const auto running = ReadRunning(dir_);
  if (!running.ok()) return {};
  if (IsAlive(running->shim)) return Descendants(running->shim.pid);
  std::vector<ProcessStat> found = ProcessesWithEnvironment(kExecMark, dir_);
  const bool marked = std::any_of(found.begin(), found.end(), [&](const ProcessStat& process) {
    return process.pid == running->child.pid;
  });
  // A program may hide its environment from us.
  const auto child = ReadProcessStat(running->child.pid);
  if (!marked && child && IsAlive(running->child)) found.push_back(*child);
  return found;
}

absl::StatusOr<Execution> ExecLauncher::Start(const std::string& dir, const ExecSpec& spec) const {
  if (mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot create ", dir));
  }
  for (const char* trace : {"/spec", "/lock", "/running", "/exit"}) {
    if (access((dir + trace).c_str(), F_OK) == 0) {
      return absl::AlreadyExistsError(absl::StrCat(dir, " was used by a run before"));
    }
  }
  SLIPWAY_RETURN_IF_ERROR(WriteSpec(dir, spec));
  // A record in a folder that a power cut takes away would prove that nothing ran.
  SLIPWAY_RETURN_IF_ERROR(SyncFolder(std::filesystem::path(dir).parent_path().string()));
  int ready[2];
  if (pipe2(ready, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "cannot make a pipe");
  const absl::StatusOr<pid_t> shim = Spawn(dir, ready[1]);
  close(ready[1]);
  pollfd entry{ready[0], POLLIN, 0};
  const bool told = shim.ok() && poll(&entry, 1, kReadyWithinMs) > 0;
  close(ready[0]);
  SLIPWAY_RETURN_IF_ERROR(shim.status());
  // Without a record of its program it is on its way out, and State() will not know its pid.
  if (told && !ReadRunning(dir).ok()) waitpid(*shim, nullptr, 0);
  Execution run(dir);
  if (ReadExit(dir).ok()) run.WaitFor(kLeavesWithin);  // so that State() tells why it was refused
  return run;
}

absl::StatusOr<pid_t> ExecLauncher::Spawn(const std::string& dir, int ready) const {
  std::vector<std::string> command = shim_;
  command.push_back(dir);
  std::vector<char*> argv;
  for (std::string& arg : command) argv.push_back(arg.data());
  argv.push_back(nullptr);
  const std::string complaints = dir + "/shim.err";

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, ready, kReadyFd);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&files, 2, complaints.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                   0600);
  posix_spawn_file_actions_addclosefrom_np(&files, kReadyFd + 1);

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);

  pid_t pid = 0;
  const int error = posix_spawn(&pid, argv[0], &files, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) return absl::ErrnoToStatus(error, absl::StrCat("cannot start ", argv[0]));
  return pid;
}

}  // namespace slipway::agent
