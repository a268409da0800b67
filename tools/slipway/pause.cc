#include "tools/slipway/pause.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

namespace slipway::cli {
namespace {

std::atomic<int> caught = 0;
int wake[2] = {-1, -1};

extern "C" void OnSignal(int number) {
  if (caught.exchange(number) != 0) _exit(number == SIGINT ? 130 : 143);
  const char byte = 0;
  // A full pipe wakes as well; nothing else can be done in a handler.
  if (write(wake[1], &byte, 1) < 0) return;
}

}  // namespace

void WatchForSignals() {
  if (wake[0] >= 0) return;
  if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) != 0) return;
  struct sigaction action{};
  action.sa_handler = OnSignal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

int SignalCaught() {
  return caught.load();
}

ExitCode ExitCodeOfSignal(int signal) {
  return signal == SIGTERM ? ExitCode::terminated : ExitCode::interrupted;
}

int SignalDescriptor() {
  return wake[0];
}

bool PauseFor(absl::Duration duration) {
  pollfd fd{wake[0], POLLIN, 0};
  const auto ms = std::clamp<std::int64_t>(absl::ToInt64Milliseconds(duration), 0, 3'600'000);
  poll(&fd, wake[0] >= 0 ? 1 : 0, static_cast<int>(ms));
  return caught.load() == 0;
}

}  // namespace slipway::cli
