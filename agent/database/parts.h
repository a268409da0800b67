// A database action is a fixed sequence of named parts: children that run at most once.
//
// The same action, begun again after the agent died, goes through the same names. A part that ended
// is not started again, its end is read; one that still runs is waited for; one whose end nobody
// saw is UNKNOWN, and the sequence stops there. So nothing is ever done twice, and the sequence
// goes on where it was. What a part finds out it leaves in a file of `folder()`.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/services/hook_runner.h"

namespace slipway::agent {

struct PartOrder {
  std::vector<std::string> argv;      // argv[0] is absolute; secrets never stand in here
  std::vector<std::string> env = {};  // nor in here
  absl::Duration overtime = absl::ZeroDuration();  // it may end so long after the deadline
};

// One thread at a time.
class Parts {
 public:
  virtual ~Parts() = default;

  // Waits for the one run of part `name`; starts it where it never ran. A name is used once in a
  // sequence: a second time is INTERNAL.
  //
  // OK: it ended with status 0. FAILED_PRECONDITION: with another, and the message has its last
  // words. UNKNOWN, DEADLINE_EXCEEDED, ABORTED and CANCELLED as HookRunner::Run; after CANCELLED
  // the part goes on, so that nothing that it needs may be taken away.
  virtual absl::Status Run(const std::string& name, const PartOrder& order) = 0;

  // Absolute, of this sequence alone, 0700; gone when the rollout is forgotten.
  virtual const std::string& folder() const = 0;

  // Unique among all sequences of this host: names what is theirs. Letters, digits and "_".
  virtual const std::string& tag() const = 0;
};

// Whether a part that never ran may begin. Where not, it is CANCELLED: the sequence stops there, as
// if the agent had, and what ran before it is known.
enum class NewParts { begin, refuse };

// Parts under the child shim, as runs of one command.
class HookParts final : public Parts {
 public:
  // `folder` is made (0700) where absent. All references outlive this.
  static absl::StatusOr<std::unique_ptr<HookParts>> Open(const std::string& folder,
                                                         HookRunner& hooks, const CommandId& id,
                                                         OutputSpool& output,
                                                         absl::Duration deadline, HookWatch watch,
                                                         NewParts fresh = NewParts::begin);

  absl::Status Run(const std::string& name, const PartOrder& order) override;
  const std::string& folder() const override { return folder_; }
  const std::string& tag() const override { return tag_; }

 private:
  HookParts(std::string folder, HookRunner& hooks, const CommandId& id, OutputSpool& output,
            absl::Duration deadline, HookWatch watch, NewParts fresh);

  const std::string folder_;
  const std::string tag_;
  HookRunner& hooks_;
  const CommandId& id_;
  OutputSpool& output_;
  const absl::Duration deadline_;
  const HookWatch watch_;
  const NewParts fresh_;
  std::set<std::string> used_;
};

}  // namespace slipway::agent
