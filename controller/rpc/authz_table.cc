#include "controller/rpc/authz_table.h"

#include <algorithm>
#include <iterator>

namespace slipway::controller {
namespace {

constexpr AuthzRow kRows[] = {
    {"/grpc.health.v1.Health/Check", kAgents | kOperators},
    {"/grpc.health.v1.Health/Watch", kAgents | kOperators},
    {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", kOperators},

    {"/slipway.v1.EnrolmentService/Enrol", kAnyone},
    {"/slipway.v1.AgentSessionService/Connect", kAgents},

    {"/slipway.v1.ArtifactService/FindMissing", kOperators},
    {"/slipway.v1.ArtifactService/Put", kOperators},
    {"/slipway.v1.ArtifactService/CreateRelease", kOperators},
    {"/slipway.v1.ArtifactService/ListReleases", kOperators},
    {"/slipway.v1.ArtifactService/GetRelease", kOperators},
    {"/slipway.v1.ArtifactService/VerifyReleases", kOperators},
    {"/slipway.v1.ArtifactService/CollectReleases", kOperators},
    {"/slipway.v1.ArtifactService/GetManifest", kAgents | kOperators},
    {"/slipway.v1.ArtifactService/Fetch", kAgents},

    {"/slipway.v1.FleetService/ListHosts", kOperators},
    {"/slipway.v1.FleetService/GetHost", kOperators},
    {"/slipway.v1.FleetService/CordonHost", kOperators},
    {"/slipway.v1.FleetService/UncordonHost", kOperators},
    {"/slipway.v1.FleetService/LabelHost", kOperators},
    {"/slipway.v1.FleetService/RetireHost", kOperators},
    {"/slipway.v1.FleetService/CreateEnrolmentToken", kOperators},

    {"/slipway.v1.RolloutService/PreviewRollout", kOperators},
    {"/slipway.v1.RolloutService/CreateRollout", kOperators},
    {"/slipway.v1.RolloutService/GetRollout", kOperators},
    {"/slipway.v1.RolloutService/ListRollouts", kOperators},
    {"/slipway.v1.RolloutService/WatchRollout", kOperators},
    {"/slipway.v1.RolloutService/PauseRollout", kOperators},
    {"/slipway.v1.RolloutService/ResumeRollout", kOperators},
    {"/slipway.v1.RolloutService/AbortRollout", kOperators},
    {"/slipway.v1.RolloutService/RetryRollout", kOperators},
    {"/slipway.v1.RolloutService/SkipHosts", kOperators},
    {"/slipway.v1.RolloutService/RollBack", kOperators},
    {"/slipway.v1.RolloutService/ApproveRollout", kOperators},
    {"/slipway.v1.RolloutService/RejectRollout", kOperators},
    {"/slipway.v1.RolloutService/NoteRollout", kOperators},
    {"/slipway.v1.RolloutService/GetLogs", kOperators},
};

// Written by list_methods.py from the .proto files at each build.
constexpr std::string_view kMethods[] = {
#include "authz_methods.inc"
};

constexpr bool EveryMethodHasItsRow() {
  return std::all_of(std::begin(kMethods), std::end(kMethods), [](std::string_view method) {
    return std::count_if(std::begin(kRows), std::end(kRows),
                         [&](const AuthzRow& row) { return row.method == method; }) == 1;
  });
}
static_assert(EveryMethodHasItsRow(),
              "a method of proto/slipway/v1 has no row, or two: add it to kRows");
static_assert(std::size(kRows) == std::size(kMethods), "a row names a method that no .proto has");

constexpr bool OnlyEnrolmentIsForAnyone() {
  return std::all_of(std::begin(kRows), std::end(kRows), [](const AuthzRow& row) {
    return (row.callers & kAnyone) == 0 || row.method == "/slipway.v1.EnrolmentService/Enrol";
  });
}
static_assert(OnlyEnrolmentIsForAnyone(), "every other method needs a certificate");

}  // namespace

std::span<const AuthzRow> AuthzTable() {
  return kRows;
}

const AuthzRow* FindAuthzRow(std::string_view method) {
  const auto* row =
      std::find_if(std::begin(kRows), std::end(kRows),
                   [&](const AuthzRow& candidate) { return candidate.method == method; });
  return row == std::end(kRows) ? nullptr : row;
}

}  // namespace slipway::controller
