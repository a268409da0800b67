#include "controller/rpc/hello.h"

#include "absl/strings/str_cat.h"
#include "common/wire/proto_time.h"
#include "slipway/v1/agent_session.pb.h"

namespace slipway::controller {
namespace {

constexpr std::uint32_t kProtocol = 1;
constexpr std::size_t kNonceBytesMin = 16;
constexpr std::size_t kNonceBytesMax = 128;

}  // namespace

absl::Status CheckHello(const v1::Hello& hello) {
  if (hello.protocol() != kProtocol) {
    return absl::FailedPreconditionError(absl::StrCat("this controller speaks protocol ", kProtocol,
                                                      ", the agent ", hello.protocol()));
  }
  if (hello.nonce().size() < kNonceBytesMin || hello.nonce().size() > kNonceBytesMax ||
      hello.agent_id().empty() || hello.boot_id().empty()) {
    return absl::InvalidArgumentError("hello without a good nonce, agent id or boot id");
  }
  return absl::OkStatus();
}

LiveHost LiveHostOf(const v1::Hello& hello, absl::Time now) {
  LiveHost live;
  live.connected = true;
  live.connected_since = live.last_seen = now;
  live.agent_version = hello.agent_version();
  live.labels = std::make_shared<std::map<std::string, std::string>>(hello.labels().begin(),
                                                                     hello.labels().end());
  live.facts = std::make_shared<v1::Facts>(hello.facts());
  if (hello.has_health()) live.health = std::make_shared<v1::HealthReport>(hello.health());
  if (hello.has_clock()) live.clock_offset = FromProto(hello.clock()) - now;
  return live;
}

}  // namespace slipway::controller
