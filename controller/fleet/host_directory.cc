#include "controller/fleet/host_directory.h"

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace slipway::controller {

absl::Status HostDirectory::Load() {
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<HostRecord> hosts, registry_.ListHosts());
  MutexLock lock(mu_);
  hosts_.clear();
  for (const HostRecord& host : hosts) hosts_[host.id] = std::make_shared<HostRecord>(host);
  return absl::OkStatus();
}

absl::Status HostDirectory::Refresh(const HostId& host) {
  SLIPWAY_ASSIGN_OR_RETURN(HostRecord record, registry_.GetHost(host));
  MutexLock lock(mu_);
  hosts_[host] = std::make_shared<HostRecord>(std::move(record));
  return absl::OkStatus();
}

absl::Status HostDirectory::Admit(const HostId& host, std::string_view fingerprint) {
  const auto refused = [&](const std::string& why) {
    return absl::PermissionDeniedError(absl::StrCat(host.text, " ", why));
  };
  MutexLock lock(mu_);
  const auto it = hosts_.find(host);
  if (it == hosts_.end()) return refused("is not enrolled here");
  const HostRecord& record = *it->second;
  switch (record.state) {
    case HostRecord::State::enrolled:
      break;
    case HostRecord::State::quarantined:
      return refused(absl::StrCat("is in quarantine: ", record.state_reason));
    case HostRecord::State::retired:
      return refused("is retired; enrol it again");
  }
  if (record.certificate.fingerprint != fingerprint) {
    return refused("was enrolled anew; this certificate is of no use any more");
  }
  return absl::OkStatus();
}

std::shared_ptr<const HostRecord> HostDirectory::Find(const HostId& host) const {
  MutexLock lock(mu_);
  const auto it = hosts_.find(host);
  if (it == hosts_.end() || it->second->state == HostRecord::State::retired) {
    return nullptr;
  }
  return it->second;
}

std::vector<std::shared_ptr<const HostRecord>> HostDirectory::All() const {
  MutexLock lock(mu_);
  std::vector<std::shared_ptr<const HostRecord>> hosts;
  hosts.reserve(hosts_.size());
  for (const auto& [id, record] : hosts_) {
    if (record->state != HostRecord::State::retired) hosts.push_back(record);
  }
  return hosts;
}

}  // namespace slipway::controller
