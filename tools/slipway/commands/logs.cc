// logs: what steps printed, as their hosts kept it.

#include <grpcpp/grpcpp.h>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "slipway/v1/rollout.grpc.pb.h"
#include "tools/slipway/controller.h"
#include "tools/slipway/output.h"
#include "tools/slipway/pause.h"
#include "tools/slipway/term/escape.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {
namespace {

void PrintChunk(const Invocation& invocation, const v1::LogChunk& chunk, std::string& heading) {
  if (Json(invocation)) {
    Print(ToJson(chunk, false));
    return;
  }
  if (invocation.Flag("raw")) {
    Print(chunk.data());
    return;
  }
  const std::string now = absl::StrCat(chunk.host(), "  ", chunk.step());
  if (now != heading) {
    heading = now;
    Print(absl::StrCat(Paint(StandardOutput(), Tone::bold, Escape(now, true)), "\n"));
  }
  if (chunk.dropped() > 0)
    Print(absl::StrCat("... ", Bytes(chunk.dropped()), " were not kept ...\n"));
  Print(Escape(chunk.data()));
}

}  // namespace

ExitCode RunLogs(const Invocation& invocation) {
  if (invocation.Flag("raw") && StandardOutput().terminal) {
    return Usage("--raw could drive your terminal: send it to a file or a pipe");
  }
  auto controller = Controller::Dial(invocation);
  if (!controller.ok()) return Fail(controller.status());
  v1::GetLogsRequest request;
  request.set_id(invocation.Value("ROLLOUT"));
  request.set_host(invocation.Value("HOST"));
  request.set_phase(invocation.Value("phase"));
  request.set_step(invocation.Value("step"));
  request.set_failed_only(invocation.Flag("failed"));
  request.set_follow(invocation.Flag("follow"));
  const auto stub = v1::RolloutService::NewStub((*controller)->channel());
  grpc::ClientContext context;
  if (!request.follow())
    context.set_deadline(absl::ToChronoTime(SystemClock().Now() + absl::Minutes(2)));
  const auto reader = stub->GetLogs(&context, request);
  v1::LogChunk chunk;
  std::string heading;
  while (reader->Read(&chunk)) PrintChunk(invocation, chunk, heading);
  const absl::Status status = FromGrpc(reader->Finish(), (*controller)->address());
  if (!status.ok()) return Fail(status);
  if (heading.empty() && !Json(invocation) && !invocation.Flag("raw"))
    Print("nothing was printed\n");
  return ExitCode::done;
}

}  // namespace slipway::cli
