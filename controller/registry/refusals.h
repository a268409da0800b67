// What every registry answers when it refuses: one wording for all backends.
#pragma once

#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "controller/registry/records.h"

namespace slipway::controller {

absl::Status NoSuchHost(const HostId& host);
absl::Status NoSuchToken();
// OK when `key` may spend `token` at `now`.
absl::Status MaySpend(const EnrolToken& token, std::string_view key, absl::Time now);
absl::Status NoSuchRelease(std::string_view name, std::string_view version);
absl::Status ReleaseIsImmutable(const ReleaseRecord& known, const ReleaseRecord& added);
absl::Status AnsweredBefore(std::string_view method, std::string_view id);
absl::Status RolloutExists(const RolloutId& rollout);
// `held` is not empty.
absl::Status HostsLocked(const std::vector<HostLock>& held);

}  // namespace slipway::controller
