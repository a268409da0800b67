#include "controller/metrics/metrics_listener.h"

#include <prometheus/exposer.h>

#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"

namespace slipway::controller {
namespace {

// One that asks and one that asks beside it; a reader that hangs is cut off.
constexpr char kThreads[] = "2";
constexpr char kRequestMilliseconds[] = "5000";

}  // namespace

absl::StatusOr<std::unique_ptr<MetricsListener>> MetricsListener::Start(
    const std::string& address, std::vector<std::shared_ptr<prometheus::Collectable>> sources) {
  std::unique_ptr<prometheus::Exposer> exposer;
  try {
    exposer = std::make_unique<prometheus::Exposer>(
        std::vector<std::string>{"listening_ports", address, "num_threads", kThreads,
                                 "request_timeout_ms", kRequestMilliseconds});
  } catch (const std::exception& refused) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", address, " (", refused.what(), "); is it in use?"));
  }
  const std::vector<int> ports = exposer->GetListeningPorts();
  if (ports.empty()) return absl::UnavailableError(absl::StrCat("cannot listen on ", address));
  const std::string bound = absl::StrCat(address.substr(0, address.rfind(':')), ":", ports.front());
  return std::unique_ptr<MetricsListener>(
      new MetricsListener(std::move(exposer), bound, std::move(sources)));
}

MetricsListener::MetricsListener(std::unique_ptr<prometheus::Exposer> exposer, std::string address,
                                 std::vector<std::shared_ptr<prometheus::Collectable>> sources)
    : sources_(std::move(sources)), exposer_(std::move(exposer)), address_(std::move(address)) {
  for (const auto& source : sources_) exposer_->RegisterCollectable(source);
}

MetricsListener::~MetricsListener() = default;

}  // namespace slipway::controller
