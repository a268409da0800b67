#include "agent/services/systemd.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace slipway::agent {

bool GoesDown(const Systemd& systemd) {
  const auto session = systemd.Connect();
  if (!session.ok()) return false;
  const auto down = (*session)->GoesDown();
  return down.ok() && *down;
}

absl::Status FromBusError(absl::string_view name, absl::string_view message,
                          absl::string_view doing) {
  const std::string text = absl::StrCat("cannot ", doing, ": ", message.empty() ? name : message);
  const auto is = [&](absl::string_view known) { return name == known; };
  if (is("org.freedesktop.systemd1.NoSuchUnit")) {
    return absl::NotFoundError(absl::StrCat(text, " Install its unit file"));
  }
  if (is("org.freedesktop.systemd1.UnitMasked")) {
    return absl::FailedPreconditionError(absl::StrCat(text, " `systemctl unmask` allows it again"));
  }
  if (is("org.freedesktop.DBus.Error.AccessDenied") ||
      is("org.freedesktop.DBus.Error.InteractiveAuthorizationRequired")) {
    return absl::PermissionDeniedError(
        absl::StrCat(text, "; the agent has to run as root, or polkit has to grant it ",
                     "org.freedesktop.systemd1.manage-units"));
  }
  // The bus or systemd went away, or systemd is executing itself anew.
  if (is("org.freedesktop.DBus.Error.NoReply") || is("org.freedesktop.DBus.Error.Disconnected") ||
      is("org.freedesktop.DBus.Error.Timeout") || is("org.freedesktop.DBus.Error.NameHasNoOwner") ||
      is("org.freedesktop.DBus.Error.ServiceUnknown") ||
      is("org.freedesktop.DBus.Error.NoServer") || absl::StartsWith(name, "System.Error.E")) {
    return absl::UnavailableError(text);
  }
  return absl::FailedPreconditionError(text);
}

}  // namespace slipway::agent
