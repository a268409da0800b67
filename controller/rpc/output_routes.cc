#include "controller/rpc/output_routes.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "slipway/v1/agent_session.pb.h"

namespace slipway::controller {

void OutputRoutes::Add(const std::string& request, const HostId& host,
                       std::shared_ptr<OutputStream> stream) {
  routes_[request] = {host, std::move(stream)};
}

std::optional<OutputRoutes::Cancel> OutputRoutes::Pass(const HostId& from, v1::OutputChunk chunk) {
  const auto it = routes_.find(chunk.request());
  if (it == routes_.end() || it->second.host != from) return std::nullopt;
  OutputStream& stream = *it->second.stream;
  if (!chunk.error().empty()) {
    stream.End(absl::NotFoundError(chunk.error()));
    routes_.erase(it);
    return std::nullopt;
  }
  const bool wanted = stream.Push({std::move(*chunk.mutable_data()), chunk.dropped()});
  if (!chunk.end() && wanted) return std::nullopt;
  const Cancel cancel{from, it->first};
  stream.End(absl::OkStatus());
  routes_.erase(it);
  return chunk.end() ? std::nullopt : std::optional(cancel);
}

std::optional<OutputRoutes::Cancel> OutputRoutes::Forget(
    const std::shared_ptr<OutputStream>& stream) {
  for (auto it = routes_.begin(); it != routes_.end(); ++it) {
    if (it->second.stream != stream) continue;
    const Cancel cancel{it->second.host, it->first};
    routes_.erase(it);
    return cancel;
  }
  return std::nullopt;
}

void OutputRoutes::HostLeft(const HostId& host) {
  for (auto it = routes_.begin(); it != routes_.end();) {
    if (it->second.host != host) {
      ++it;
      continue;
    }
    it->second.stream->End(absl::UnavailableError(absl::StrCat(host.text, " went away")));
    it = routes_.erase(it);
  }
}

}  // namespace slipway::controller
