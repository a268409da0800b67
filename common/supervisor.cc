#include "common/supervisor.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace slipway {
namespace {

constexpr int kAlivePerInterval = 4;
// A service manager whose queue is full must not hold the loops up that it watches.
constexpr timeval kSendAtMost = {.tv_sec = 2, .tv_usec = 0};

std::string Take(const char* name) {
  const char* value = ::getenv(name);
  const std::string text = value == nullptr ? "" : value;
  ::unsetenv(name);
  return text;
}

absl::Duration WatchdogInterval(const std::string& usec, const std::string& pid) {
  std::int64_t interval = 0;
  std::int64_t whose = 0;
  if (!absl::SimpleAtoi(usec, &interval) || interval <= 0) return absl::InfiniteDuration();
  if (!pid.empty() && (!absl::SimpleAtoi(pid, &whose) || whose != ::getpid())) {
    return absl::InfiniteDuration();
  }
  return absl::Microseconds(interval);
}

}  // namespace

Supervisor::Supervisor(const Clock& clock)
    : clock_(clock), alive_at_us_(std::numeric_limits<std::int64_t>::min() / 2) {
  address_ = Take("NOTIFY_SOCKET");
  const std::string usec = Take("WATCHDOG_USEC");
  const std::string pid = Take("WATCHDOG_PID");
  // '@' stands for the abstract namespace.
  if (address_.empty() || (address_[0] != '/' && address_[0] != '@')) return;
  if (address_.size() >= sizeof(sockaddr_un::sun_path)) return;
  socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return;
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &kSendAtMost, sizeof kSendAtMost);
  interval_ = WatchdogInterval(usec, pid);
}

Supervisor::~Supervisor() {
  if (socket_ >= 0) ::close(socket_);
}

void Supervisor::Ready(std::string_view status) const {
  Send(absl::StrCat("READY=1\nSTATUS=", absl::string_view(status.data(), status.size())));
}

void Supervisor::Status(std::string_view status) const {
  Send(absl::StrCat("STATUS=", absl::string_view(status.data(), status.size())));
}

void Supervisor::Stopping() const {
  Send("STOPPING=1\nSTATUS=going down");
}

void Supervisor::Alive() {
  if (interval_ == absl::InfiniteDuration()) return;
  const std::int64_t now = absl::ToInt64Microseconds(clock_.Monotonic());
  std::int64_t before = alive_at_us_.load(std::memory_order_relaxed);
  if (now - before < absl::ToInt64Microseconds(interval_ / kAlivePerInterval)) return;
  if (alive_at_us_.compare_exchange_strong(before, now, std::memory_order_relaxed)) {
    Send("WATCHDOG=1");
  }
}

void Supervisor::Send(const std::string& lines) const {
  if (socket_ < 0) return;
  sockaddr_un to = {};
  to.sun_family = AF_UNIX;
  ::memcpy(to.sun_path, address_.data(), address_.size());
  if (to.sun_path[0] == '@') to.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  // Nobody to complain to when it fails: the service manager draws its own conclusions.
  (void)::sendto(socket_, lines.data(), lines.size(), MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&to), size);
}

}  // namespace slipway
