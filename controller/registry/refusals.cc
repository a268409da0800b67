#include "controller/registry/refusals.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace slipway::controller {
namespace {

constexpr std::size_t kLocksNamed = 3;

std::string Text(std::string_view text) {
  return std::string(text);
}

}  // namespace

absl::Status NoSuchHost(const HostId& host) {
  return absl::NotFoundError(absl::StrCat("no host ", host.text, " is enrolled"));
}

absl::Status NoSuchToken() {
  return absl::NotFoundError("this token is unknown, or for another host; make a new one");
}

absl::Status MaySpend(const EnrolToken& token, std::string_view key, absl::Time now) {
  if (now >= token.expires) {
    return absl::FailedPreconditionError(
        absl::StrCat("the token for host ", token.host.text, " has expired; make a new one"));
  }
  if (!token.used_by_key.empty() && token.used_by_key != key) {
    return absl::FailedPreconditionError(
        absl::StrCat("the token for host ", token.host.text, " was used already; make a new one"));
  }
  return absl::OkStatus();
}

absl::Status NoSuchRelease(std::string_view name, std::string_view version) {
  return absl::NotFoundError(
      absl::StrCat("no release ", Text(name), "@", Text(version), " was pushed"));
}

absl::Status ReleaseIsImmutable(const ReleaseRecord& known, const ReleaseRecord& added) {
  return absl::AlreadyExistsError(
      absl::StrCat("release ", known.name, "@", known.version, " is ", known.digest, ", not ",
                   added.digest, ": a release never changes; push it under a new version"));
}

absl::Status AnsweredBefore(std::string_view method, std::string_view id) {
  return absl::AlreadyExistsError(
      absl::StrCat("request ", Text(id), " of ", Text(method), " was answered before"));
}

absl::Status RolloutExists(const RolloutId& rollout) {
  return absl::AlreadyExistsError(absl::StrCat("rollout ", rollout.text, " exists already"));
}

absl::Status HostsLocked(const std::vector<HostLock>& held) {
  std::string text;
  for (std::size_t i = 0; i < held.size() && i < kLocksNamed; ++i) {
    const HostLock& lock = held[i];
    absl::StrAppend(&text, i == 0 ? "" : ", ", lock.host.text, " by rollout ", lock.rollout.text,
                    " of ", lock.who, lock.reason.empty() ? "" : " (", lock.reason,
                    lock.reason.empty() ? "" : ")");
  }
  if (held.size() > kLocksNamed) {
    absl::StrAppend(&text, " and ", held.size() - kLocksNamed, " more");
  }
  return absl::FailedPreconditionError(absl::StrCat(held.size() == 1 ? "a host is" : "hosts are",
                                                    " locked: ", text,
                                                    "; wait until that rollout ends, or abort it"));
}

}  // namespace slipway::controller
