// The controller's database: the journal and the registry, and what touches both at once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "controller/journal/journal.h"
#include "controller/registry/registry.h"

namespace slipway::controller {

// A rollout that is about to begin.
struct NewRollout {
  RolloutId id;
  std::vector<HostId> hosts;  // locked all or none
  std::string who, reason;    // shown with each lock
  absl::Time at;
  std::string first_record;  // EncodeEvent(Planned)
  // The call that asked for it, with its answer; nullopt: nobody may repeat it.
  std::optional<AnsweredRequest> request;
};

// Thread-safe, as its parts are. The parts live as long as the store.
class Store {
 public:
  virtual ~Store() = default;

  virtual Journal& journal() = 0;
  virtual Registry& registry() = 0;

  // Takes the locks, remembers the request and appends the first record, in one transaction: all of
  // it is durable or nothing happened. The lease is at epoch 1, next 2.
  //
  // Errors: FAILED_PRECONDITION when a host is locked (the message names host, owner and reason;
  // the first three hosts at most); ALREADY_EXISTS when the rollout or the request is known already
  // (Registry::FindRequest has the answer); else those of Journal::Append.
  virtual absl::StatusOr<Lease> CreateRollout(const NewRollout& rollout) = 0;

  // "" or why nothing could be written just now, though nobody tried. Heals by itself.
  virtual std::string Trouble() const { return ""; }
};

}  // namespace slipway::controller
