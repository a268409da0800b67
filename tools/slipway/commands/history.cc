// history: rollouts, newest first.

#include <grpcpp/grpcpp.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "slipway/v1/rollout.grpc.pb.h"
#include "tools/slipway/controller.h"
#include "tools/slipway/output.h"
#include "tools/slipway/rollout_text.h"
#include "tools/slipway/term/escape.h"
#include "tools/slipway/term/table.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {
namespace {

std::string Result(const v1::Rollout& rollout) {
  switch (rollout.state()) {
    case v1::Rollout::SUCCEEDED:
      return "done";
    case v1::Rollout::ROLLED_BACK:
      return "rolled back";
    case v1::Rollout::NEEDS_PERSON:
      return "needs you";
    case v1::Rollout::ABORTED:
      return "aborted";
    case v1::Rollout::HELD:
      return absl::StrCat("held: ", Escape(rollout.hold_why(), true));
    case v1::Rollout::ROLLING_BACK:
      return "rolling back";
    default:
      return "running";
  }
}

}  // namespace

ExitCode RunHistory(const Invocation& invocation) {
  v1::ListRolloutsRequest request;
  std::uint32_t limit = 20;
  if (!absl::SimpleAtoi(invocation.Value("limit", "20"), &limit) || limit == 0) {
    return Usage("--limit takes a number above 0");
  }
  request.set_page_size(limit);
  request.set_plan(invocation.Value("plan"));
  auto controller = Controller::Dial(invocation);
  if (!controller.ok()) return Fail(controller.status());
  const auto stub = v1::RolloutService::NewStub((*controller)->channel());
  v1::ListRolloutsResponse response;
  const absl::Status status = (*controller)->Call([&](grpc::ClientContext& context) {
    return stub->ListRollouts(&context, request, &response);
  });
  if (!status.ok()) return Fail(status);
  if (Json(invocation)) return PrintJson(response);
  if (response.rollouts().empty()) {
    Print("no rollout yet\n");
    return ExitCode::done;
  }
  const absl::Time now = SystemClock().Now();
  Table table = Table::Of(invocation);
  for (const auto& r : response.rollouts()) {
    const std::string before = r.previous_versions().empty()
                                   ? ""
                                   : absl::StrCat(Escape(r.previous_versions(0), true), " ",
                                                  Show(StandardOutput(), kArrow), " ");
    table.Add(
        {Escape(r.id(), true), Age(ToTime(r.created()), now), Escape(r.plan(), true),
         absl::StrCat(before, Escape(r.version(), true)), Result(r),
         Lasted((r.has_ended() ? ToTime(r.ended()) : now) - ToTime(r.created())),
         Escape(r.created_by(), true),
         Escape(absl::StrCat(r.reason(), r.ticket().empty() ? "" : absl::StrCat(" ", r.ticket())),
                true)});
  }
  Print(table.Text(StandardOutput()));
  return ExitCode::done;
}

}  // namespace slipway::cli
