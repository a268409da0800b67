// agent enroll: a single-use token, and the line to type on the new host.

#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "slipway/v1/fleet.grpc.pb.h"
#include "tools/slipway/controller.h"
#include "tools/slipway/output.h"
#include "tools/slipway/term/escape.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {
namespace {

// The token opens the fleet to whoever reads it: nobody else may.
absl::Status WriteSecret(const std::string& path, const std::string& text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0)
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot make ", path, " for the token"));
  const bool whole =
      write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
  const absl::Status status =
      whole ? absl::OkStatus() : absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
  close(fd);
  return status;
}

}  // namespace

ExitCode RunAgentEnroll(const Invocation& invocation) {
  v1::CreateEnrolmentTokenRequest request;
  request.set_request_id(NewRequestId());
  request.set_host(invocation.Value("HOST"));
  for (const std::string& pair : invocation.Values("label")) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos || equals == 0)
      return Usage(absl::StrCat("--label takes KEY=VALUE, not `", Escape(pair, true), "`"));
    (*request.mutable_labels())[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  if (const std::string lifetime = invocation.Value("lifetime"); !lifetime.empty()) {
    const auto parsed = ParseDuration(lifetime);
    if (!parsed.ok()) return Usage(parsed.status().message());
    request.set_lifetime_s(static_cast<std::uint32_t>(absl::ToInt64Seconds(*parsed)));
  }
  auto controller = Controller::Dial(invocation);
  if (!controller.ok()) return Fail(controller.status());
  const auto stub = v1::FleetService::NewStub((*controller)->channel());
  v1::CreateEnrolmentTokenResponse response;
  const absl::Status status = (*controller)->Call([&](grpc::ClientContext& context) {
    return stub->CreateEnrolmentToken(&context, request, &response);
  });
  if (!status.ok()) return Fail(status);
  const std::string file = invocation.Value("token-file");
  if (!file.empty()) {
    const absl::Status written = WriteSecret(file, response.token() + "\n");
    if (!written.ok()) return Fail(written);
  }
  if (Json(invocation)) {
    if (!file.empty()) response.clear_token();
    return PrintJson(response);
  }
  const std::string life = Took(ToTime(response.expires()) - SystemClock().Now());
  if (!file.empty()) {
    Print(absl::StrCat("token for ", Escape(request.host(), true), " in ", file,
                       ", good once and for ", life, "\n"));
  } else {
    Print(absl::StrCat(response.token(), "\n"));
    Write(STDERR_FILENO,
          absl::StrCat("good once and for ", life, "; on ", Escape(request.host(), true),
                       ":\n  slipway-agent enroll --token-file - --dir /var/lib/slipway/agent\n"
                       "and paste the token there\n"));
  }
  return ExitCode::done;
}

}  // namespace slipway::cli
