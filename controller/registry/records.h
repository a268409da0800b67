// What the controller remembers beside the rollouts' events: values, one struct a table.
//
// Times are kept to the microsecond; callers take them from their Clock.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "common/model/ids.h"

namespace slipway::controller {

using Labels = std::map<std::string, std::string>;

// Somebody keeps a host out of new rollouts.
struct Cordon {
  std::string who, why;
  absl::Time at;
  bool operator==(const Cordon&) const = default;
};

// The certificate by which a host is known. Its fingerprint tells a renewed from a stolen name.
struct Certificate {
  std::string serial;       // hex
  std::string fingerprint;  // "sha256:…" of the DER bytes
  std::string pem;
  bool operator==(const Certificate&) const = default;
};

struct HostRecord {
  enum class State {
    enrolled,
    quarantined,  // by the system: nothing is sent there until a person looked at it
    retired,      // gone for good; its name may be enrolled again
  };
  HostId id;
  Labels labels;
  Certificate certificate;
  State state = State::enrolled;
  std::string state_reason;
  std::optional<Cordon> cordon;
  absl::Time first_seen = absl::InfiniteFuture();  // infinite future: not yet
  absl::Time last_seen = absl::InfinitePast();     // infinite past: not yet
  std::string report = {};  // what it said of itself last (controller/fleet/last_report.h)
  bool operator==(const HostRecord&) const = default;
};

// A single-use right to become a host. Only its hash is kept.
struct EnrolToken {
  std::string hash;  // "sha256:…" of the token's secret part
  HostId host;
  Labels labels;
  std::string created_by;
  absl::Time expires;
  std::string used_by_key;  // "sha256:…" of the public key that spent it; "" = unspent
  bool operator==(const EnrolToken&) const = default;
};

// A host belongs to one rollout at a time.
struct HostLock {
  HostId host;
  RolloutId rollout;
  std::string who, reason;
  absl::Time at;
  bool operator==(const HostLock&) const = default;
};

// A sealed release that was pushed. (name, version) means one digest for ever.
struct ReleaseRecord {
  std::string name, version;
  std::string digest;      // "sha256:…"
  std::uint64_t size = 0;  // bytes of its files
  std::string pushed_by;
  absl::Time pushed_at;
  bool operator==(const ReleaseRecord&) const = default;
};

// What the last finished rollout left on a host; drift is measured against it.
struct Wanted {
  HostId host;
  std::string app;     // application directory
  std::string digest;  // of the release
  std::string label;   // the release's version, for people
  RolloutId rollout;
  bool operator==(const Wanted&) const = default;
};

// A mutating call that was answered, so that its repetition gets the same answer.
struct AnsweredRequest {
  std::string method, id;
  std::string answer;  // serialized response
  absl::Time at;
  bool operator==(const AnsweredRequest&) const = default;
};

}  // namespace slipway::controller
