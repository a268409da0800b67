#include "controller/rpc/request_once.h"

#include "common/status_macros.h"

namespace slipway::controller {
namespace {

constexpr std::size_t kIdBytesMax = 128;
constexpr absl::Duration kRemembered = absl::Hours(24 * 7);

}  // namespace

absl::StatusOr<std::string> RequestOnce::Run(
    const std::string& method, const std::string& id, Remembers remembers,
    const std::function<absl::StatusOr<std::string>()>& call) {
  if (id.empty() || id.size() > kIdBytesMax) {
    return absl::InvalidArgumentError(
        "request_id is missing or longer than 128 bytes; send any unique text, the same when you "
        "repeat the call");
  }
  const Key key(method, id);
  {
    MutexLock lock(mu_);
    while (under_way_.count(key) != 0) done_.Wait(mu_);
    under_way_.insert(key);
  }
  auto answer = RunAlone(key, remembers, call);
  MutexLock lock(mu_);
  under_way_.erase(key);
  done_.NotifyAll();
  return answer;
}

absl::StatusOr<std::string> RequestOnce::RunAlone(
    const Key& key, Remembers remembers, const std::function<absl::StatusOr<std::string>()>& call) {
  SLIPWAY_ASSIGN_OR_RETURN(const auto known, registry_.FindRequest(key.first, key.second));
  if (known) return known->answer;
  SLIPWAY_ASSIGN_OR_RETURN(const std::string answer, call());
  if (remembers == Remembers::call) return answer;
  const absl::Time now = clock_.Now();
  SLIPWAY_RETURN_IF_ERROR(registry_.AddRequest({key.first, key.second, answer, now}));
  SLIPWAY_RETURN_IF_ERROR(registry_.DropRequests(now - kRemembered));
  return answer;
}

}  // namespace slipway::controller
