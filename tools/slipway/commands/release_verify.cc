// release verify: whether the controller still has what was pushed.

#include <grpcpp/grpcpp.h>

#include "absl/strings/str_cat.h"
#include "slipway/v1/artifact.grpc.pb.h"
#include "tools/slipway/controller.h"
#include "tools/slipway/output.h"
#include "tools/slipway/term/escape.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {
namespace {

// A large store on a slow disk; who does not want to wait presses Ctrl-C.
constexpr absl::Duration kPatience = absl::Hours(12);

std::string CheckText(const v1::ReleaseCheck& check) {
  const Stream& out = StandardOutput();
  const bool sound = check.damaged().empty();
  std::string text =
      absl::StrCat(Paint(out, sound ? Tone::good : Tone::bad, Show(out, sound ? kGood : kBad)), " ",
                   Escape(check.name(), true), "@", Escape(check.version(), true), "   ",
                   Short(check.digest()), "   ", Bytes(check.bytes_read()), " read\n");
  for (const auto& content : check.damaged()) {
    absl::StrAppend(&text, "    ",
                    content.path().empty() ? "manifest" : Escape(content.path(), true), "  ",
                    Escape(content.problem(), true), "\n      should be ",
                    Escape(content.digest(), true), "\n");
  }
  return text;
}

}  // namespace

ExitCode RunReleaseVerify(const Invocation& invocation) {
  auto controller = Controller::Dial(invocation);
  if (!controller.ok()) return Fail(controller.status());
  const auto stub = v1::ArtifactService::NewStub((*controller)->channel());
  v1::VerifyReleasesRequest request;
  request.set_name(invocation.Value("RELEASE"));
  std::size_t checked = 0, damaged = 0;
  const absl::Status status =
      (*controller)
          ->Call(
              [&](grpc::ClientContext& context) {
                const auto stream = stub->VerifyReleases(&context, request);
                checked = damaged = 0;  // a repeated call begins anew
                for (v1::ReleaseCheck check; stream->Read(&check);) {
                  ++checked;
                  damaged += !check.damaged().empty();
                  Print(Json(invocation) ? ToJson(check, false) : CheckText(check));
                }
                return stream->Finish();
              },
              kPatience);
  if (!status.ok()) return Fail(status);
  if (!Json(invocation)) {
    Print(absl::StrCat(Count(checked, "release", "releases"), ", ", damaged, " damaged\n"));
  }
  return damaged > 0 ? ExitCode::unsound : ExitCode::done;
}

}  // namespace slipway::cli
