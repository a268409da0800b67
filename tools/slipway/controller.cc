#include "tools/slipway/controller.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/grpcpp.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/status_macros.h"
#include "tools/slipway/client_settings.h"
#include "tools/slipway/pause.h"
#include "tools/slipway/plan_problems.h"
#include "tools/slipway/term/escape.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {

absl::StatusOr<std::unique_ptr<Controller>> Controller::Dial(const Invocation& invocation) {
  SLIPWAY_ASSIGN_OR_RETURN(const ClientSettings settings, FindClientSettings(invocation));
  const tls::ClientConfig config = settings.Config();
  SLIPWAY_ASSIGN_OR_RETURN(tls::KeyMaterial keys, tls::LoadKeyMaterial(config));

  grpc::SslCredentialsOptions options;
  options.pem_root_certs = std::move(keys.ca_pem);
  options.pem_cert_chain = std::move(keys.certificate_pem);
  options.pem_private_key = std::move(keys.key_pem);
  grpc::ChannelArguments arguments;
  // A restarted controller is found again at once, not after gRPC's default two minutes.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 15000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5000);
  auto channel =
      grpc::CreateCustomChannel(config.address, grpc::SslCredentials(options), arguments);
  return On(std::move(channel), config.address);
}

std::unique_ptr<Controller> Controller::On(std::shared_ptr<grpc::Channel> channel,
                                           std::string address) {
  return std::unique_ptr<Controller>(new Controller(std::move(channel), std::move(address)));
}

Controller::Controller(std::shared_ptr<grpc::Channel> channel, std::string address)
    : channel_(std::move(channel)), address_(std::move(address)) {}

bool Controller::WaitForConnection(absl::Duration timeout) const {
  return channel_->WaitForConnected(absl::ToChronoTime(SystemClock().Now() + timeout));
}

absl::Status Controller::Call(const std::function<grpc::Status(grpc::ClientContext&)>& call,
                              absl::Duration timeout) const {
  constexpr absl::Duration kKeepTrying = absl::Seconds(3);
  const absl::Duration start = SystemClock().Monotonic();
  while (true) {
    WaitForConnection(absl::Milliseconds(500));
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(SystemClock().Now() + timeout));
    const grpc::Status status = call(context);
    if (status.error_code() != grpc::StatusCode::UNAVAILABLE ||
        SystemClock().Monotonic() - start > std::min(kKeepTrying, timeout)) {
      return FromGrpc(status, address_);
    }
    if (!PauseFor(absl::Milliseconds(100))) return absl::CancelledError("interrupted");
  }
}

absl::Status FromGrpc(const grpc::Status& status, const std::string& address) {
  if (status.ok()) return absl::OkStatus();
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  std::string message = status.error_message();
  if (code == absl::StatusCode::kUnavailable) {
    message = absl::StrCat("controller at ", address, " is not reachable: ", message);
  }
  absl::Status result(code, message);
  if (!status.error_details().empty()) {
    result.SetPayload(kPlanProblems, absl::Cord(status.error_details()));
  }
  return result;
}

std::string NewRequestId() {
  unsigned char bytes[16];
  if (getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes)) std::abort();
  return absl::BytesToHexString({reinterpret_cast<const char*>(bytes), sizeof bytes});
}

ExitCode Fail(const absl::Status& status) {
  const auto payload = status.GetPayload(kPlanProblems);
  std::string text = payload.has_value() ? RenderPlanProblems(std::string(*payload)) : "";
  if (text.empty()) text = absl::StrCat("error: ", Escape(std::string(status.message())), "\n");
  Write(STDERR_FILENO, text);
  return ExitCodeOf(status);
}

}  // namespace slipway::cli
