// A controller that answers what a test tells it to, over real mTLS on loopback.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace slipway::v1 {
class CollectReleasesRequest;
class CollectReleasesResponse;
class CreateRolloutRequest;
class Host;
class LabelHostRequest;
class ListHostsResponse;
class ReleaseCheck;
class ReleaseInfo;
class RetireHostRequest;
class Rollout;
class RolloutUpdate;
class SteerRequest;
}  // namespace slipway::v1

namespace slipway::cli {

// What it answers. Set before the call; thread-safe against the calls of one client at a time.
struct Script {
  std::function<absl::StatusOr<v1::Rollout>(const v1::CreateRolloutRequest&)> create;
  std::function<absl::StatusOr<v1::Rollout>(const std::string& id)> get;
  std::function<absl::StatusOr<v1::Rollout>(const std::string& verb, const v1::SteerRequest&)>
      steer;
  std::function<absl::StatusOr<v1::ListHostsResponse>(const std::string& selector)> hosts;
  int hosts_given = 0;  // in all answers of ListHosts, which leaves out what was not asked for
  std::function<absl::StatusOr<v1::Host>(const std::string& name)> host;
  std::function<absl::StatusOr<v1::Host>(const v1::RetireHostRequest&)> retire;
  std::function<absl::StatusOr<v1::Host>(const v1::LabelHostRequest&)> label;
  std::vector<v1::ReleaseInfo> releases;
  std::function<absl::StatusOr<v1::CollectReleasesResponse>(const v1::CollectReleasesRequest&)>
      collect;
  std::vector<v1::ReleaseCheck> checks;  // VerifyReleases
  // Streamed by WatchRollout, then the stream stays open until the client leaves.
  std::vector<v1::RolloutUpdate> updates;
  std::string logs;           // GetLogs
  std::string plan_problems;  // error details of create's status
};

class FakeController {
 public:
  // Makes an authority, an operator's configuration and a listener below `dir`.
  static std::unique_ptr<FakeController> Start(const std::string& dir, Script& script);
  ~FakeController();

  // Environment for a client: SLIPWAY_CONFIG and SLIPWAY_CONTROLLER.
  std::vector<std::string> environment() const;
  void Stop();
  // On the same port, after Stop.
  bool Restart();

 private:
  struct Parts;
  explicit FakeController(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace slipway::cli
