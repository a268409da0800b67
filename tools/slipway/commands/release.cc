// release build, push, list, show: what can be rolled out.

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/artifact/release_push.h"
#include "common/artifact/seal.h"
#include "common/clock.h"
#include "common/plan/render_problems.h"
#include "slipway/v1/artifact.grpc.pb.h"
#include "tools/slipway/controller.h"
#include "tools/slipway/output.h"
#include "tools/slipway/term/escape.h"
#include "tools/slipway/term/table.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {
namespace {

std::string Line(const std::string& text) {
  return Escape(text, true);
}

std::string ReleaseText(const v1::ReleaseInfo& release) {
  return absl::StrCat(Paint(StandardOutput(), Tone::bold, Line(release.name())), " ",
                      Line(release.version()), "\n  digest      ", Line(release.digest()),
                      "\n  size        ", Bytes(release.total_bytes()), " in ",
                      Count(release.files(), "file", "files"), "\n  components  ",
                      Line(absl::StrJoin(release.components(), ", ")), "\n  services    ",
                      Line(absl::StrJoin(release.services(), ", ")), "\n  pushed      ",
                      Ago(absl::FromUnixMicros(release.pushed_at_us()), SystemClock().Now()),
                      " by ", Line(release.pushed_by()), "\n");
}

// Seals, or says where release.yaml is wrong.
absl::StatusOr<SealedRelease> Seal(const Invocation& invocation, bool build) {
  SealOptions options;
  options.build = build;
  options.begin = [&](const BuildStep& step) {
    if (!invocation.Flag("quiet")) {
      Write(STDERR_FILENO, absl::StrCat("  ", Line(absl::StrJoin(step.run, " ")), "\n"));
    }
  };
  std::vector<plan::Problem> problems;
  auto sealed = SealRelease(invocation.Value("DIR"), options, &problems);
  if (!problems.empty()) {
    const auto colour = StandardError().colour ? plan::Colour::ansi : plan::Colour::none;
    Write(STDERR_FILENO, plan::RenderProblems(problems, colour));
  }
  return sealed;
}

}  // namespace

ExitCode RunReleaseBuild(const Invocation& invocation) {
  const auto sealed = Seal(invocation, /*build=*/true);
  if (!sealed.ok()) return Fail(sealed.status());
  v1::ReleaseInfo release;
  release.set_name(sealed->manifest.name);
  release.set_version(sealed->manifest.version);
  release.set_digest(sealed->digest.ToString());
  release.set_files(static_cast<std::uint32_t>(sealed->manifest.files.size()));
  release.set_total_bytes(TotalBytes(sealed->manifest.files));
  if (Json(invocation)) return PrintJson(release);
  Print(absl::StrCat(Line(release.name()), " ", Line(release.version()), "   ", release.digest(),
                     "   ", Count(release.files(), "file", "files"), ", ",
                     Bytes(release.total_bytes()), "\n"));
  return ExitCode::done;
}

ExitCode RunReleasePush(const Invocation& invocation) {
  const auto sealed = Seal(invocation, /*build=*/false);
  if (!sealed.ok()) return Fail(sealed.status());
  auto controller = Controller::Dial(invocation);
  if (!controller.ok()) return Fail(controller.status());
  PushOptions options{SystemClock()};
  const bool live = StandardError().terminal && !invocation.Flag("quiet");
  if (live) {
    options.progress = [](std::uint64_t done, std::uint64_t total) {
      Write(STDERR_FILENO, absl::StrCat("\r  ", Bytes(done), " of ", Bytes(total), "   "));
    };
  }
  v1::ReleaseInfo release;
  const auto pushed = PushRelease((*controller)->channel(), *sealed, options, release);
  if (live) Write(STDERR_FILENO, "\r");
  if (!pushed.ok()) return Fail(pushed.status());
  if (Json(invocation)) return PrintJson(release);
  Print(absl::StrCat(Line(release.name()), " ", Line(release.version()), "   ", release.digest(),
                     "   ", Count(pushed->objects_sent, "object", "objects"), " sent (",
                     Bytes(pushed->bytes_wire), "), ", Bytes(pushed->bytes_there),
                     " were there\n"));
  return ExitCode::done;
}

ExitCode RunReleaseList(const Invocation& invocation) {
  auto controller = Controller::Dial(invocation);
  if (!controller.ok()) return Fail(controller.status());
  const auto stub = v1::ArtifactService::NewStub((*controller)->channel());
  v1::ListReleasesRequest request;
  request.set_name(invocation.Value("NAME"));
  v1::ListReleasesResponse response;
  const absl::Status status = (*controller)->Call([&](grpc::ClientContext& context) {
    return stub->ListReleases(&context, request, &response);
  });
  if (!status.ok()) return Fail(status);
  if (Json(invocation)) return PrintJson(response);
  Table table = Table::Of(invocation);
  const absl::Time now = SystemClock().Now();
  for (const auto& r : response.releases()) {
    table.Add({Line(r.name()), Line(r.version()), Short(r.digest()), Size(r.total_bytes()),
               Age(absl::FromUnixMicros(r.pushed_at_us()), now), Line(r.pushed_by())});
  }
  Print(table.empty() ? "no release yet: slipway release push DIR\n"
                      : table.Text(StandardOutput()));
  return ExitCode::done;
}

ExitCode RunReleaseShow(const Invocation& invocation) {
  auto controller = Controller::Dial(invocation);
  if (!controller.ok()) return Fail(controller.status());
  const auto stub = v1::ArtifactService::NewStub((*controller)->channel());
  v1::GetReleaseRequest request;
  request.set_name(invocation.Value("RELEASE"));
  v1::ReleaseInfo release;
  const absl::Status status = (*controller)->Call([&](grpc::ClientContext& context) {
    return stub->GetRelease(&context, request, &release);
  });
  if (!status.ok()) return Fail(status);
  if (Json(invocation)) return PrintJson(release);
  Print(ReleaseText(release));
  return ExitCode::done;
}

}  // namespace slipway::cli
