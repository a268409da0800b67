// A mutating call happens once for each request id, however often it is repeated.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "controller/registry/registry.h"

namespace slipway::controller {

// Thread-safe. `registry` and `clock` outlive the object.
class RequestOnce {
 public:
  RequestOnce(Registry& registry, const Clock& clock) : registry_(registry), clock_(clock) {}

  // Who remembers the answer: this object, or `call` itself in its own transaction.
  enum class Remembers { here, call };

  // The answer (serialized) of the first call with this id; a failed one leaves no trace and may
  // be tried again. A repetition waits for a call that is under way.
  // Errors: INVALID_ARGUMENT (no id), those of the registry and of `call`.
  absl::StatusOr<std::string> Run(const std::string& method, const std::string& id,
                                  Remembers remembers,
                                  const std::function<absl::StatusOr<std::string>()>& call)
      ABSL_LOCKS_EXCLUDED(mu_);

 private:
  using Key = std::pair<std::string, std::string>;
  absl::StatusOr<std::string> RunAlone(const Key& key, Remembers remembers,
                                       const std::function<absl::StatusOr<std::string>()>& call);

  Registry& registry_;
  const Clock& clock_;
  Mutex mu_;
  CondVar done_;
  std::set<Key> under_way_ ABSL_GUARDED_BY(mu_);
};

}  // namespace slipway::controller
