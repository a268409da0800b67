#include "agent/actions/traffic.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "agent/actions/config_file.h"
#include "common/status_macros.h"

namespace slipway::agent {

absl::StatusOr<bool> IsInTraffic(const BoundService& service) {
  if (service.ready_file.empty()) return true;
  SLIPWAY_ASSIGN_OR_RETURN(const ConfigPath path,
                           ResolveConfigPath(service.spec.id.app, service.ready_file));
  SLIPWAY_ASSIGN_OR_RETURN(const FileState found, ReadConfig(path));
  return found.exists;
}

absl::Status PutIntoTraffic(const BoundService& service) {
  SLIPWAY_ASSIGN_OR_RETURN(const bool already, IsInTraffic(service));
  if (already) return absl::OkStatus();
  SLIPWAY_ASSIGN_OR_RETURN(const ConfigPath path,
                           ResolveConfigPath(service.spec.id.app, service.ready_file));
  return WriteConfig(path, {.exists = true,
                            .bytes = absl::StrCat(NameOf(service), "\n"),
                            .owner = ::geteuid(),
                            .group = ::getegid(),
                            .mode = 0644});
}

absl::Status TakeOutOfTraffic(ActionContext& ctx, const BoundService& service) {
  if (service.ready_file.empty()) return absl::OkStatus();
  SLIPWAY_ASSIGN_OR_RETURN(const bool in, IsInTraffic(service));
  if (!in) return absl::OkStatus();
  SLIPWAY_ASSIGN_OR_RETURN(const ConfigPath path,
                           ResolveConfigPath(service.spec.id.app, service.ready_file));
  SLIPWAY_RETURN_IF_ERROR(WriteConfig(path, {}));
  if (ctx.services.Inspect(service.spec.id).state != ServiceStatus::State::running) {
    return absl::OkStatus();
  }
  ctx.progress(absl::StrCat("out of traffic: ", NameOf(service)), 0, 0);
  const absl::Duration left = ctx.deadline - ctx.clock.Monotonic();
  if (left > absl::ZeroDuration()) ctx.clock.Sleep(std::min(service.notice, left));
  return absl::OkStatus();
}

}  // namespace slipway::agent
