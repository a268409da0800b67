#include "common/artifact/build_steps.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/fs/directory.h"
#include "common/status_macros.h"

namespace slipway {
namespace {

std::string Words(const BuildStep& step) {
  return absl::StrJoin(step.run, " ");
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> EnvironmentWith(const std::string& variable) {
  std::vector<std::string> environment = {variable};
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (std::strncmp(*entry, "SLIPWAY_INTO=", 13) != 0) environment.emplace_back(*entry);
  }
  return environment;
}

absl::StatusOr<int> RunToEnd(const std::string& dir, const BuildStep& step,
                             const std::string& into) {
  std::vector<std::string> words = step.run;
  std::vector<std::string> environment = EnvironmentWith("SLIPWAY_INTO=" + into);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, dir.c_str());
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, words[0].c_str(), &actions, nullptr,
                                    Pointers(words).data(), Pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("build step `", Words(step), "` cannot be started: ", std::strerror(failed)));
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return absl::ErrnoToStatus(errno, "cannot wait for the build step");
  }
  return status;
}

absl::Status RunOne(const std::string& dir, const BuildStep& step) {
  std::string into;
  if (!step.into.empty()) {
    SLIPWAY_ASSIGN_OR_RETURN(const Directory root, Directory::Open(dir));
    std::string folder = step.into;
    if (folder.back() == '/') folder.pop_back();
    SLIPWAY_ASSIGN_OR_RETURN(const Directory made, root.MakeBelow(folder, 0755));
    into = made.path();
  }
  SLIPWAY_ASSIGN_OR_RETURN(const int status, RunToEnd(dir, step, into));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("build step `", Words(step), "` ",
                   WIFEXITED(status) ? absl::StrCat("ended with status ", WEXITSTATUS(status))
                                     : absl::StrCat("was killed by signal ", WTERMSIG(status)),
                   "; its output is above"));
}

}  // namespace

absl::Status RunBuildSteps(const std::string& dir, const std::vector<BuildStep>& steps,
                           const std::function<void(const BuildStep&)>& begin) {
  for (const BuildStep& step : steps) {
    if (begin) begin(step);
    SLIPWAY_RETURN_IF_ERROR(RunOne(dir, step));
  }
  return absl::OkStatus();
}

}  // namespace slipway
