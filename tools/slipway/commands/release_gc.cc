// release gc: makes room in the controller's store.

#include <grpcpp/grpcpp.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "slipway/v1/artifact.grpc.pb.h"
#include "tools/slipway/controller.h"
#include "tools/slipway/output.h"
#include "tools/slipway/term/escape.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {
namespace {

std::string NameOf(const v1::JudgedRelease& release) {
  return absl::StrCat(Escape(release.name(), true), "@", Escape(release.version(), true), "   ",
                      Short(release.digest()));
}

std::string CollectedText(const v1::CollectReleasesResponse& response, bool dry_run) {
  std::string text;
  for (const auto& kept : response.kept()) {
    absl::StrAppend(&text, "  keep    ", NameOf(kept), "   ", Escape(kept.why(), true), "\n");
  }
  for (const auto& removed : response.removed()) {
    absl::StrAppend(&text, "  remove  ", NameOf(removed), "\n");
  }
  if (response.removed().empty()) return absl::StrCat(text, "nothing to remove\n");
  const std::string count =
      Count(static_cast<std::uint64_t>(response.removed_size()), "release", "releases");
  const std::string bytes = Bytes(response.freed_bytes());
  return absl::StrCat(text, count,
                      dry_run ? absl::StrCat(" would be removed, ", bytes, " freed\n")
                              : absl::StrCat(" removed, ", bytes, " freed\n"));
}

}  // namespace

ExitCode RunReleaseGc(const Invocation& invocation) {
  v1::CollectReleasesRequest request;
  std::uint32_t keep = 0;
  if (!absl::SimpleAtoi(invocation.Value("keep", "5"), &keep) || keep == 0) {
    return Usage("--keep takes the number of releases of each name that stay, 1 at least");
  }
  request.set_keep(keep);
  request.set_dry_run(invocation.Flag("dry-run"));
  auto controller = Controller::Dial(invocation);
  if (!controller.ok()) return Fail(controller.status());
  const auto stub = v1::ArtifactService::NewStub((*controller)->channel());
  v1::CollectReleasesResponse response;
  const absl::Status status = (*controller)->Call([&](grpc::ClientContext& context) {
    return stub->CollectReleases(&context, request, &response);
  });
  if (!status.ok()) return Fail(status);
  if (Json(invocation)) return PrintJson(response);
  Print(CollectedText(response, request.dry_run()));
  return ExitCode::done;
}

}  // namespace slipway::cli
