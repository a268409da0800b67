// The controller, as an operator's certificate reaches it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tools/slipway/command.h"

namespace grpc {
class Channel;
class ClientContext;
class Status;
}  // namespace grpc

namespace slipway::cli {

class Controller {
 public:
  // Makes a channel as client_settings.h finds it. Nothing is sent yet.
  static absl::StatusOr<std::unique_ptr<Controller>> Dial(const Invocation& invocation);
  // Test door: a channel that somebody else made.
  static std::unique_ptr<Controller> On(std::shared_ptr<grpc::Channel> channel,
                                        std::string address);

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  const std::string& address() const { return address_; }

  // Connects, or waits until it can be done; returns early when it is.
  bool WaitForConnection(absl::Duration timeout) const;

  // Makes one call with a deadline. A controller that is not there is tried again for a few
  // seconds (every mutating call carries a request id, so that a repeat is harmless).
  // `call` issues it: [&](grpc::ClientContext& context) { return stub->Method(&context, …); }
  absl::Status Call(const std::function<grpc::Status(grpc::ClientContext&)>& call,
                    absl::Duration timeout = absl::Seconds(30)) const;

 private:
  Controller(std::shared_ptr<grpc::Channel> channel, std::string address);
  const std::shared_ptr<grpc::Channel> channel_;
  const std::string address_;
};

// With serialized v1::PlanProblems as payload kPlanProblems where the controller sent them.
absl::Status FromGrpc(const grpc::Status& status, const std::string& address);
inline constexpr char kPlanProblems[] = "slipway.v1.PlanProblems";

// New for each thing that a person asked for; the same in its repeats.
std::string NewRequestId();

// Prints what went wrong, where to look and what to do, and gives the exit code.
ExitCode Fail(const absl::Status& status);

}  // namespace slipway::cli
