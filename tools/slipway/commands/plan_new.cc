// plan new: a commented plan to begin with.

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tools/slipway/output.h"
#include "tools/slipway/term/escape.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {
namespace {

constexpr char kPlan[] = R"(# slipway plan validate FILE      checks it
# slipway deploy FILE --version V --dry-run      shows what would happen, and what undoes it
plan: 1
name: NAME                     # the release of this name is meant by --version
environment: staging

groups:
  web: { select: "role=web", min: 1 }        # labels are given by: slipway agent enroll --label

strategy:
  canary: { hosts: 1, bake: 30s }            # first one host; healthy for so long before the rest
  batch: [25%, 50%]                          # then a quarter, then half by half
  bake: 10s
  max_failed: 0                              # hosts; one more turns the whole rollout back

phases:
  - phase: prepare                           # changes nothing that runs
    steps:
      - preflight: { hosts: web, disk_free: 1GiB, ports_of: [NAME] }
      - stage:     { hosts: web, component: NAME, app: /srv/NAME }

  - phase: switch                            # batch by batch, each host does all of it
    hosts: web
    steps:
      - stop:      { service: NAME }
      - switch:    { app: /srv/NAME }
      - start:     { service: NAME }
      - check:     { http: "http://127.0.0.1:{{port}}/health", status: 200, on_rollback: true }

rollback:
  triggers: [step_failed, check_failed, manual]
  strategy: { batch: 50% }                   # never all at once, on the way back neither
  within: 10m
)";

bool IsName(const std::string& name) {
  return !name.empty() && name.size() <= 64 &&
         name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
             std::string::npos;
}

}  // namespace

ExitCode RunPlanNew(const Invocation& invocation) {
  const std::string name = invocation.Value("NAME", "shop");
  if (!IsName(name)) {
    return Usage(
        absl::StrCat("`", Escape(name, true), "` is no name: 1 to 64 letters, digits and \"._-\""));
  }
  Print(absl::StrReplaceAll(kPlan, {{"NAME", name}}));
  return ExitCode::done;
}

}  // namespace slipway::cli
