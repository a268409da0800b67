// Which chunk of output is for whom. For agent_sessions.cc; of the sessions' thread alone.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "common/model/ids.h"
#include "controller/fleet/output_stream.h"

namespace slipway::v1 {
class OutputChunk;
}

namespace slipway::controller {

class OutputRoutes {
 public:
  // A request that its agent should stop serving.
  struct Cancel {
    HostId host;
    std::string request;
  };

  void Add(const std::string& request, const HostId& host, std::shared_ptr<OutputStream> stream);
  // Passes the chunk on. Chunks of unknown requests, or from another host, are dropped.
  std::optional<Cancel> Pass(const HostId& from, v1::OutputChunk chunk);
  // The reader has left.
  std::optional<Cancel> Forget(const std::shared_ptr<OutputStream>& stream);
  // Its streams end with UNAVAILABLE.
  void HostLeft(const HostId& host);

 private:
  struct Route {
    HostId host;
    std::shared_ptr<OutputStream> stream;
  };
  std::map<std::string, Route> routes_;  // by request
};

}  // namespace slipway::controller
