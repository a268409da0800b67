#include "controller/planner/planner_fixture.h"

#include <gtest/gtest.h>

#include "common/plan/plan_file.h"
#include "common/plan/render_problems.h"
#include "controller/planner/preview.h"
#include "google/protobuf/text_format.h"
#include "slipway/v1/plan.pb.h"
#include "slipway/v1/rollout.pb.h"

namespace slipway::controller {
namespace {

constexpr char kRelease[] = R"pb(
  name: "unified-media"
  version: "2.0.0"
  digest: "sha256:new"
  components { name: "backend" path: "backend/" }
  services {
    name: "media"
    component: "backend"
    port: 8080
    drain { seconds: 30 }
    ladder: "TERM"
    ladder: "20s"
    ladder: "KILL"
    ready {
      http: "http://127.0.0.1:{{port}}/health"
      deadline { seconds: 1200 }
    }
  }
  hooks {
    path: "hooks/smoke"
    undo: "not_needed"
    idempotent: true
    timeout { seconds: 180 }
  }
  hooks { path: "hooks/undeclared" }
  hooks { path: "hooks/final" undo: "impossible" }
)pb";

v1::Release Release() {
  v1::Release release;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(kRelease, &release));
  return release;
}

plan::LoadedPlan Load(const std::string& text) {
  plan::LoadedPlan loaded = plan::LoadPlan("plan.yaml", text);
  EXPECT_FALSE(plan::HasErrors(loaded.problems))
      << plan::RenderProblems(loaded.problems, plan::Colour::none);
  return loaded;
}

}  // namespace

const char kMediaPlan[] = R"(plan: 1
name: unified-media
environment: staging
groups:
  web: { select: "role=web", min: 2 }
strategy: { canary: { hosts: 1, bake: 30s }, batch: [50%, 100%], bake: 10s }
phases:
  - phase: prepare
    steps:
      - preflight: { hosts: web, cpus: 1, ports_of: [media] }
      - stage: { hosts: web, component: backend, app: "{{root}}/media" }
  - phase: backend
    hosts: web
    steps:
      - stop: { service: media, timeout: 1m, retries: 2 }
      - configure: { from: config/media.toml.tmpl, to: "{{shared}}/media.toml" }
      - switch: { app: "{{root}}/media" }
      - start: { service: media }
      - check: { http: "http://127.0.0.1:{{port}}/health", on_rollback: true }
  - phase: verify
    steps:
      - run: { hosts: web, hook: hooks/smoke }
rollback: { within: 5m }
)";

std::string PlanWith(const std::string& text) {
  return "plan: 1\nname: p\nenvironment: staging\ngroups: { web: { select: \"role=web\" } }\n" +
         text;
}

std::vector<PlanHost> WebHosts(int count) {
  std::vector<PlanHost> hosts;
  for (int i = 1; i <= count; ++i) {
    PlanHost host;
    const std::string number = std::to_string(i);
    host.id.text = "web-" + number;
    host.address = "10.0.0." + number;
    host.labels = {{"role", "web"}, {"zone", "a"}, {"root", "/srv/h" + number}};
    hosts.push_back(host);
  }
  return hosts;
}

CompiledPlan Compile(const std::string& text, const std::vector<PlanHost>& hosts,
                     const PlanOptions& options) {
  const plan::LoadedPlan loaded = Load(text);
  return CompilePlan(*loaded.plan, loaded.source, Release(), hosts, options);
}

v1::RolloutPreview Preview(const std::string& text, const std::vector<PlanHost>& hosts) {
  const plan::LoadedPlan loaded = Load(text);
  const CompiledPlan compiled = CompilePlan(*loaded.plan, loaded.source, Release(), hosts, {});
  EXPECT_FALSE(plan::HasErrors(compiled.problems)) << Problems(compiled);
  return PreviewOf(*loaded.plan, Release(), compiled, engine::Forward(compiled.plan, 7));
}

std::vector<std::string> Codes(const CompiledPlan& compiled) {
  std::vector<std::string> codes;
  for (const plan::Problem& problem : compiled.problems) codes.push_back(problem.code);
  return codes;
}

std::string Problems(const CompiledPlan& compiled) {
  return plan::RenderProblems(compiled.problems, plan::Colour::none);
}

}  // namespace slipway::controller
