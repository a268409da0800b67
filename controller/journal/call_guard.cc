#include "controller/journal/call_guard.h"

#include <sys/socket.h>

namespace slipway::controller {
namespace {

constexpr absl::Duration kLook = absl::Milliseconds(200);

}  // namespace

CallGuard::CallGuard(const Clock& clock) : clock_(clock), thread_([this] { Loop(); }) {}

CallGuard::~CallGuard() {
  {
    MutexLock lock(mu_);
    closing_ = true;
    closing_changed_.NotifyAll();
  }
  thread_.join();
}

void CallGuard::Loop() {
  MutexLock lock(mu_);
  while (!closing_) {
    closing_changed_.WaitFor(mu_, kLook);
    const absl::Duration now = clock_.Monotonic();
    for (const Call* call : calls_) {
      if (now >= call->deadline_) ::shutdown(call->socket_, SHUT_RDWR);
    }
  }
}

CallGuard::Call::Call(CallGuard& guard, int socket, absl::Duration limit)
    : guard_(guard), socket_(socket), deadline_(guard.clock_.Monotonic() + limit) {
  MutexLock lock(guard_.mu_);
  guard_.calls_.insert(this);
}

CallGuard::Call::~Call() {
  MutexLock lock(guard_.mu_);
  guard_.calls_.erase(this);
}

}  // namespace slipway::controller
