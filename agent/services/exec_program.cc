#include "agent/services/exec_program.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/services/exec_cgroup.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

struct Pipe {
  int read = -1;
  int write = -1;
};

absl::StatusOr<Pipe> MakePipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "cannot make a pipe");
  return Pipe{fds[0], fds[1]};
}

struct User {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
};

// nullopt: stay who we are.
absl::StatusOr<std::optional<User>> LookUp(const std::string& name) {
  if (name.empty()) return std::optional<User>();
  const passwd* entry = getpwnam(name.c_str());
  if (entry == nullptr) {
    return absl::NotFoundError(absl::StrCat("user ", name, " does not exist on this host"));
  }
  if (entry->pw_uid == geteuid()) return std::optional<User>();
  if (geteuid() != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat("only an agent that runs as root can run programs as ", name));
  }
  return std::optional<User>(User{name, entry->pw_uid, entry->pw_gid});
}

// All that the child needs to know, gathered before the fork.
struct Child {
  const ExecSpec& spec;
  const std::string& cgroup;
  std::optional<User> user;
  std::vector<char*> argv, env;
  int output, go, failed;
};

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& s : strings) pointers.push_back(const_cast<char*>(s.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

[[noreturn]] void Fail(int fd, const std::string& what) {
  const std::string text = absl::StrCat(what, ": ", strerror(errno));
  [[maybe_unused]] const ssize_t n = write(fd, text.data(), text.size());
  _exit(127);
}

void ResetSignals() {
  for (int signal = 1; signal < SIGRTMAX; ++signal) {
    if (signal != SIGKILL && signal != SIGSTOP) ::signal(signal, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Counted by the user's id, so that it bounds what a service and its neighbours fork together.
void LimitProcesses(int most) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NPROC, &limit) != 0) return;
  limit.rlim_max = std::min(limit.rlim_max, static_cast<rlim_t>(most));
  limit.rlim_cur = std::min(limit.rlim_cur, limit.rlim_max);
  setrlimit(RLIMIT_NPROC, &limit);
}

void BecomeUser(const User& user, int failed) {
  if (initgroups(user.name.c_str(), user.gid) != 0 || setgid(user.gid) != 0 ||
      setuid(user.uid) != 0) {
    Fail(failed, "cannot become user " + user.name);
  }
}

[[noreturn]] void RunChild(const Child& child) {
  setsid();
  char go = 0;
  if (read(child.go, &go, 1) != 1) _exit(127);  // the shim died: nothing was recorded, nothing runs
  if (!child.cgroup.empty()) EnterCgroup(child.cgroup);
  dup2(open("/dev/null", O_RDONLY), 0);
  dup2(child.output, 1);
  dup2(child.output, 2);
  const int failed = dup3(child.failed, 3, O_CLOEXEC) < 0 ? child.failed : 3;
  close_range(4, ~0u, CLOSE_RANGE_CLOEXEC);
  ResetSignals();
  LimitProcesses(child.spec.processes_max);
  if (child.user) BecomeUser(*child.user, failed);
  if (chdir(child.spec.cwd.c_str()) != 0) Fail(failed, "cannot enter " + child.spec.cwd);
  execve(child.argv[0], child.argv.data(), child.env.data());
  Fail(failed, "cannot execute " + child.spec.argv[0]);
}

}  // namespace

absl::Status Program::Fork(const ExecSpec& spec, const std::string& dir,
                           const std::string& cgroup) {
  std::vector<std::string> env = spec.env;
  env.push_back(absl::StrCat(kExecMark, "=", dir));
  SLIPWAY_ASSIGN_OR_RETURN(std::optional<User> user, LookUp(spec.user));
  SLIPWAY_ASSIGN_OR_RETURN(const Pipe output, MakePipe());
  SLIPWAY_ASSIGN_OR_RETURN(const Pipe go, MakePipe());
  SLIPWAY_ASSIGN_OR_RETURN(const Pipe failed, MakePipe());
  pid_ = fork();
  if (pid_ < 0) return absl::ErrnoToStatus(errno, "cannot fork");
  if (pid_ == 0) {
    close(go.write);
    RunChild({spec, cgroup, std::move(user), Pointers(spec.argv), Pointers(env), output.write,
              go.read, failed.write});
  }
  close(output.write);
  close(go.read);
  close(failed.write);
  output_ = output.read;
  go_ = go.write;
  failed_ = failed.read;
  fcntl(output_, F_SETFL, O_NONBLOCK);
  return absl::OkStatus();
}

absl::Status Program::Execute() {
  [[maybe_unused]] const ssize_t told = write(go_, "g", 1);
  close(go_);
  std::string text;
  char buffer[512];
  for (ssize_t n = 0; (n = read(failed_, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(n));
  }
  close(failed_);
  if (text.empty()) return absl::OkStatus();
  waitpid(pid_, nullptr, 0);
  return absl::InternalError(text);
}

absl::Status Program::Abandon(const absl::Status& why) {
  close(go_);
  waitpid(pid_, nullptr, 0);
  return why;
}

void Program::CloseOutput() {
  if (output_ >= 0) close(output_);
  output_ = -1;
}

}  // namespace slipway::agent
