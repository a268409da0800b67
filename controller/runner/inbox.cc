#include "controller/runner/inbox.h"

#include <utility>

namespace slipway::controller {

bool Inbox::Push(Message message) {
  MutexLock lock(mu_);
  if (closed_ || batch_.messages.size() >= limit_) return false;
  batch_.messages.push_back(std::move(message));
  arrived_.NotifyOne();
  return true;
}

void Inbox::SetPresence(const HostId& host, bool attached) {
  MutexLock lock(mu_);
  batch_.presence[host] = attached;
  arrived_.NotifyOne();
}

void Inbox::SetSighting(const HostId& host, Observed observed) {
  MutexLock lock(mu_);
  batch_.sightings[host] = std::move(observed);
  arrived_.NotifyOne();
}

Inbox::Batch Inbox::Take(absl::Duration timeout) {
  MutexLock lock(mu_);
  const auto empty = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return batch_.messages.empty() && batch_.sightings.empty() && batch_.presence.empty();
  };
  if (empty() && !closed_ && timeout > absl::ZeroDuration()) arrived_.WaitFor(mu_, timeout);
  return std::exchange(batch_, Batch());
}

void Inbox::Close() {
  MutexLock lock(mu_);
  closed_ = true;
  arrived_.NotifyAll();
}

bool Inbox::closed() const {
  MutexLock lock(mu_);
  return closed_;
}

}  // namespace slipway::controller
