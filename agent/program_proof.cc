#include "agent/program_proof.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/services/record_file.h"
#include "common/log.h"

namespace slipway::agent {
namespace {

// Longer than any back-off of the session.
constexpr absl::Duration kAttachWithin = absl::Minutes(2);

std::string LineOf(const std::string& path) {
  std::string line;
  std::ifstream file(path);
  std::getline(file, line);
  return line;
}

// Whether the starts of this very program are counted.
bool IsTried(const std::string& dir, const std::string& executable) {
  const std::string tries = LineOf(dir + "/tries");
  const auto space = tries.find(' ');
  return space != std::string::npos && tries.substr(space + 1) == executable;
}

}  // namespace

ProgramProof::ProgramProof(std::string dir, std::string executable, absl::Duration now)
    : dir_(absl::StrCat(dir, "/program")), executable_(std::move(executable)) {
  proven_ = executable_.empty() || LineOf(dir_ + "/proven") == executable_;
  if (!proven_ && IsTried(dir_, executable_)) give_up_at_ = now + kAttachWithin;
}

absl::Status ProgramProof::Look(bool attached, absl::Duration now) {
  if (proven_) return absl::OkStatus();
  if (!attached) {
    if (now < give_up_at_) return absl::OkStatus();
    return absl::DeadlineExceededError(
        absl::StrCat(executable_, " is new here and was not attached within ",
                     absl::FormatDuration(kAttachWithin), "; after three such starts the program ",
                     "before it goes on"));
  }
  give_up_at_ = absl::InfiniteDuration();
  if (::mkdir(dir_.c_str(), 0700) != 0 && errno != EEXIST) return absl::OkStatus();
  proven_ = WriteRecord(dir_, "proven", executable_ + "\n", Survives::power_cut).ok();
  if (proven_) log::Info("attached for the first time with this program", {{"path", executable_}});
  return absl::OkStatus();
}

std::string OwnExecutable() {
  char path[PATH_MAX];
  const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
  return size <= 0 ? "" : std::string(path, static_cast<std::size_t>(size));
}

}  // namespace slipway::agent
