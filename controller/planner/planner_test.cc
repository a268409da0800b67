#include "controller/planner/planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/plan/plan_errors.h"
#include "common/plan/render_problems.h"
#include "controller/planner/planner_fixture.h"
#include "slipway/v1/plan.pb.h"

namespace slipway::controller {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

std::vector<std::string> PhaseNames(const CompiledPlan& compiled) {
  std::vector<std::string> names;
  for (const engine::Phase& phase : compiled.plan.phases) names.push_back(phase.name);
  return names;
}

// "prepare: preflight", part by part.
std::vector<std::string> PartNames(const CompiledPlan& compiled) {
  std::vector<std::string> parts;
  for (const engine::Part& part : compiled.plan.parts) {
    std::string text = compiled.plan.phases[part.phase].name + ":";
    for (const engine::Step& step : part.steps) text += " " + step.action;
    if (part.strategy.bake) text += " +bake";
    parts.push_back(text);
  }
  return parts;
}

std::vector<std::string> Targets(const CompiledPlan& compiled) {
  std::vector<std::string> names;
  for (const engine::Target& target : compiled.targets) names.push_back(target.id.text);
  return names;
}

v1::Task TaskOf(const engine::Step& step) {
  v1::Task task;
  EXPECT_TRUE(task.ParseFromString(step.payload));
  return task;
}

v1::HostVars VarsOf(const engine::Target& target) {
  v1::HostVars vars;
  EXPECT_TRUE(vars.ParseFromString(target.vars));
  return vars;
}

TEST(Planner, CompilesPhasesIntoParts) {
  const CompiledPlan compiled = Compile(kMediaPlan, WebHosts(6));
  EXPECT_EQ(Problems(compiled), "");
  EXPECT_THAT(PhaseNames(compiled), ElementsAre("prepare", "readiness", "backend", "verify"));
  EXPECT_THAT(PartNames(compiled),
              ElementsAre("prepare: preflight", "prepare: stage", "readiness: readiness",
                          "backend: stop configure switch start check +bake", "verify: run"));
  EXPECT_THAT(Targets(compiled), ElementsAre("web-1", "web-2", "web-3", "web-4", "web-5", "web-6"));
  for (const engine::Part& part : compiled.plan.parts) EXPECT_EQ(part.hosts.size(), 6U);
  const engine::Strategy& strategy = compiled.plan.parts[3].strategy;
  EXPECT_EQ(strategy.canary, (engine::Share{1, 0}));
  EXPECT_THAT(strategy.ramp, ElementsAre(engine::Share{0, 50}, engine::Share{0, 100}));
  EXPECT_EQ(strategy.canary_bake->traits.timeout, absl::Minutes(1));
}

TEST(Planner, PayloadsSayAllThatAnAgentNeeds) {
  const CompiledPlan compiled = Compile(kMediaPlan, WebHosts(2));
  const std::vector<engine::Step>& steps = compiled.plan.parts[3].steps;
  const v1::Task configure = TaskOf(steps[1]);
  EXPECT_EQ(configure.phase(), "backend");
  EXPECT_EQ(configure.step(), "configure media.toml");
  EXPECT_EQ(configure.app(), "{{root}}/media");
  EXPECT_EQ(configure.action().configure().to(), "{{root}}/media/shared/media.toml");
  EXPECT_EQ(configure.release().version(), "2.0.0");
  EXPECT_EQ(configure.vars().at("release.version"), "2.0.0");
  EXPECT_EQ(configure.vars().at("environment"), "staging");
  EXPECT_EQ(configure.vars().at("web"), "10.0.0.1,10.0.0.2");
  for (const engine::Step& step : steps) EXPECT_EQ(step.app, "{{root}}/media") << step.name;
  const v1::HostVars vars = VarsOf(compiled.targets[1]);
  EXPECT_EQ(vars.vars().at("host"), "web-2");
  EXPECT_EQ(vars.vars().at("port"), "8080");
  EXPECT_EQ(vars.vars().at("root"), "/srv/h2");
  EXPECT_EQ(vars.vars().at("label.zone"), "a");
  EXPECT_EQ(vars.vars().at("zone"), "a");
}

TEST(Planner, AHostLabelOverridesThePort) {
  std::vector<PlanHost> hosts = WebHosts(2);
  hosts[0].labels["port"] = "9001";
  const CompiledPlan compiled = Compile(kMediaPlan, hosts);
  EXPECT_EQ(VarsOf(compiled.targets[0]).vars().at("port"), "9001");
  EXPECT_EQ(VarsOf(compiled.targets[1]).vars().at("port"), "8080");
}

TEST(Planner, WantedAndBeforeAreByDirectoryOnTheHost) {
  std::vector<PlanHost> hosts = WebHosts(2);
  hosts[0].observed["/srv/h1/media"] = Version{"sha256:old", "sha256:old", "1.0.0", true};
  const CompiledPlan compiled = Compile(kMediaPlan, hosts);
  EXPECT_THAT(compiled.targets[0].wanted, ElementsAre(Pair("/srv/h1/media", "sha256:new")));
  EXPECT_EQ(compiled.before.at(0).at("/srv/h1/media").label, "1.0.0");
  EXPECT_EQ(compiled.before.at(1).at("/srv/h2/media"), Version()) << "absent, and known to be";
}

TEST(Planner, TraitsFollowTheAction) {
  const CompiledPlan compiled = Compile(kMediaPlan, WebHosts(2));
  const auto traits = [&](std::size_t part, std::size_t step) {
    return compiled.plan.parts[part].steps[step].traits;
  };
  EXPECT_EQ(traits(0, 0).undo, engine::Undo::not_needed);
  EXPECT_FALSE(traits(1, 0).disruptive);
  EXPECT_EQ(traits(1, 0).undo, engine::Undo::built_in);
  EXPECT_TRUE(traits(3, 0).disruptive);
  EXPECT_EQ(traits(3, 0).sweep, engine::Sweep::resume) << "a stop is undone by a start";
  EXPECT_EQ(traits(3, 3).sweep, engine::Sweep::quiesce);
  EXPECT_EQ(traits(3, 0).retries, 2);
  EXPECT_EQ(traits(3, 0).timeout, absl::Minutes(1)) << "as the plan says";
  EXPECT_EQ(traits(3, 3).timeout, absl::Minutes(20) + absl::Seconds(30)) << "longer than ready";
  EXPECT_TRUE(traits(3, 4).verifies);
  EXPECT_TRUE(traits(3, 4).on_rollback);
  EXPECT_TRUE(traits(4, 0).probe_decides) << "the hook is idempotent";
  EXPECT_EQ(traits(4, 0).timeout, absl::Minutes(3)) << "of the hook";
}

TEST(Planner, CordonedHostsAreLeftOutAndNamed) {
  std::vector<PlanHost> hosts = WebHosts(3);
  hosts[1].kept_out = "cordoned by ops-a: disk swap";
  const CompiledPlan compiled = Compile(kMediaPlan, hosts);
  EXPECT_EQ(Problems(compiled), "");
  EXPECT_THAT(Targets(compiled), ElementsAre("web-1", "web-3"));
  EXPECT_THAT(compiled.left_out,
              ElementsAre(LeftOutHost{{"web-2"}, "cordoned by ops-a: disk swap"}));
}

TEST(Planner, GroupsAreGuarded) {
  EXPECT_THAT(Codes(Compile(kMediaPlan, {})), ElementsAre("P060"));
  EXPECT_EQ(CodeOf(Compile(kMediaPlan, {}).problems), absl::StatusCode::kNotFound);
  const CompiledPlan too_few = Compile(kMediaPlan, WebHosts(1));
  EXPECT_THAT(Codes(too_few), ElementsAre("P061"));
  EXPECT_EQ(CodeOf(too_few.problems), absl::StatusCode::kInvalidArgument);
  std::vector<PlanHost> cordoned = WebHosts(2);
  cordoned[0].kept_out = "cordoned";
  EXPECT_THAT(Codes(Compile(kMediaPlan, cordoned)), ElementsAre("P061"));
  cordoned[1].kept_out = "cordoned";
  EXPECT_THAT(Codes(Compile(kMediaPlan, cordoned)), ElementsAre("P060"));
}

TEST(Planner, ALockedHostIsNamedWithItsOwner) {
  std::vector<PlanHost> hosts = WebHosts(2);
  hosts[1].locked_by = "ro-M4TZ7K (ops-a: release 1.9)";
  const CompiledPlan compiled = Compile(kMediaPlan, hosts);
  EXPECT_THAT(Problems(compiled),
              HasSubstr("host web-2 is held by rollout ro-M4TZ7K (ops-a: release 1.9)"));
  EXPECT_EQ(CodeOf(compiled.problems), absl::StatusCode::kFailedPrecondition);
}

TEST(Planner, ALockOnAHostThatIsAlreadyThereIsNobodysConcern) {
  std::vector<PlanHost> hosts = WebHosts(2);
  hosts[1].locked_by = "ro-M4TZ7K (ops-a: release 1.9)";
  hosts[1].observed["/srv/h2/media"] = Version{"sha256:new", "sha256:new", "2.0.0", true};
  EXPECT_EQ(Problems(Compile(kMediaPlan, hosts)), "");
}

TEST(Planner, HostsProvenOnTheReleaseAreSkipped) {
  std::vector<PlanHost> hosts = WebHosts(3);
  hosts[0].observed["/srv/h1/media"] = Version{"sha256:new", "sha256:new", "2.0.0", true};
  hosts[1].observed["/srv/h2/media"] = Version{"sha256:new", "unproven", "2.0.0", true};
  hosts[2].observed["/srv/h3/media"] = Version{"sha256:new", "sha256:new", "2.0.0", false};
  const CompiledPlan compiled = Compile(kMediaPlan, hosts);
  EXPECT_THAT(compiled.already_there, ElementsAre(HostId{"web-1"}));
  EXPECT_THAT(Targets(compiled), ElementsAre("web-2", "web-3"));
  EXPECT_FALSE(compiled.nothing_to_do);
}

TEST(Planner, NothingToDoWhenEveryHostIsThere) {
  std::vector<PlanHost> hosts = WebHosts(2);
  for (PlanHost& host : hosts) {
    host.observed[host.labels["root"] + "/media"] = Version{"sha256:new", "sha256:new", "", true};
  }
  const CompiledPlan compiled = Compile(kMediaPlan, hosts);
  EXPECT_TRUE(compiled.nothing_to_do);
  EXPECT_EQ(CodeOf(compiled.problems), absl::StatusCode::kOk);
  EXPECT_THAT(compiled.targets, IsEmpty());
}

TEST(Planner, APlanWithoutApplicationsAlwaysRuns) {
  const CompiledPlan compiled =
      Compile(PlanWith("phases: [{ phase: a, steps: [{ noop: { hosts: web } }] }]\n"), WebHosts(2));
  EXPECT_EQ(Problems(compiled), "");
  EXPECT_THAT(PartNames(compiled), ElementsAre("a: noop")) << "nothing is disturbed: no readiness";
  EXPECT_FALSE(compiled.nothing_to_do);
}

TEST(Planner, HostsNarrowEveryGroup) {
  PlanOptions options;
  options.hosts = "name=web-2";
  const CompiledPlan compiled = Compile(kMediaPlan, WebHosts(3), options);
  EXPECT_EQ(Problems(compiled), "");
  EXPECT_THAT(Targets(compiled), ElementsAre("web-2"));
  EXPECT_EQ(TaskOf(compiled.plan.parts[0].steps[0]).vars().at("web"), "10.0.0.1,10.0.0.2,10.0.0.3");
  options.hosts = "name=db-1";
  EXPECT_THAT(Codes(Compile(kMediaPlan, WebHosts(3), options)), ElementsAre("P060"));
  options.hosts = "name=";
  EXPECT_THAT(Codes(Compile(kMediaPlan, WebHosts(3), options)), ElementsAre("P037"));
}

TEST(Planner, NamesWhatTheReleaseDoesNotHave) {
  const CompiledPlan compiled = Compile(PlanWith(R"(phases:
  - phase: a
    hosts: web
    steps:
      - stage: { component: backed, app: /srv/media }
      - stop: { service: medai }
      - run: { hook: hooks/smoek }
      - preflight: { ports_of: [other] }
)"),
                                        WebHosts(2));
  EXPECT_THAT(Codes(compiled), ElementsAre("P063", "P062", "P064", "P062"));
  EXPECT_THAT(Problems(compiled), HasSubstr("did you mean `media`?"));
}

TEST(Planner, RefusesAHookThatNobodyCanUndo) {
  for (const char* hook : {"hooks/undeclared", "hooks/final"}) {
    const CompiledPlan compiled =
        Compile(PlanWith(std::string("phases: [{ phase: a, hosts: web, steps: [{ run: { hook: ") +
                         hook + " } }] }]\n"),
                WebHosts(2));
    EXPECT_THAT(Codes(compiled), ElementsAre("P066"));
    EXPECT_EQ(CodeOf(compiled.problems), absl::StatusCode::kFailedPrecondition);
  }
}

TEST(Planner, TheStepsUndoReachesTheAgent) {
  const CompiledPlan compiled = Compile(PlanWith(R"(phases:
  - phase: a
    hosts: web
    steps:
      - run: { hook: hooks/undeclared, undo: hooks/smoke }
)"),
                                        WebHosts(2));
  EXPECT_EQ(Problems(compiled), "");
  const engine::Step& step = compiled.plan.parts[0].steps[0];
  EXPECT_EQ(step.traits.undo, engine::Undo::built_in);
  const v1::Task task = TaskOf(step);
  EXPECT_EQ(task.release().hooks(1).undo(), "hooks/smoke");
}

TEST(Planner, UndefinedVariablesAreFoundBeforeAnythingStarts) {
  std::vector<PlanHost> hosts = WebHosts(2);
  hosts[0].labels["rack"] = "7";
  const CompiledPlan compiled = Compile(PlanWith(R"(phases:
  - phase: a
    hosts: web
    steps:
      - check: { http: "http://{{prot}}/{{rack}}/{{label.zone}}/{{zone}}/{{colour}}" }
      - check: { tcp: "{{web}}:80" }
      - check: { tcp: "{{any(web)}}:80" }
)"),
                                        hosts);
  EXPECT_THAT(Codes(compiled), ElementsAre("P045", "P045", "P045", "P045"));
  EXPECT_THAT(Problems(compiled), HasSubstr("`{{rack}}` is not defined on host web-2"));
  EXPECT_THAT(Problems(compiled), HasSubstr("group `web` has 2 hosts, and one is needed here"));
}

TEST(Planner, SetVariablesGoOverThoseOfThePlan) {
  PlanOptions options;
  options.set = {{"colour", "green"}, {"size", "2"}};
  const std::string text = PlanWith(
      "vars: { colour: blue }\nphases: [{ phase: a, hosts: web, steps: "
      "[{ check: { http: \"http://{{colour}}/{{size}}\" } }] }]\n");
  const CompiledPlan compiled = Compile(text, WebHosts(2), options);
  EXPECT_EQ(Problems(compiled), "");
  EXPECT_EQ(TaskOf(compiled.plan.parts[0].steps[0]).vars().at("colour"), "green");
  options.set = {{"port", "80"}};
  EXPECT_THAT(Codes(Compile(text, WebHosts(2), options)), testing::Contains("P045"));
}

TEST(Planner, ADirectoryKeepsOnlyTheHostsOwnVariables) {
  const CompiledPlan compiled = Compile(PlanWith(R"(vars: { site: /opt }
phases:
  - phase: a
    hosts: web
    steps:
      - stage: { component: backend, app: "{{site}}{{root}}/media" }
      - check: { exec: [bin/probe, "{{ shared }}", "{{current}}", "{{app}}"] }
)"),
                                        WebHosts(2));
  EXPECT_EQ(Problems(compiled), "");
  const engine::Step& check = compiled.plan.parts[0].steps[1];
  EXPECT_EQ(check.app, "/opt{{root}}/media");
  EXPECT_THAT(TaskOf(check).action().check().exec(),
              ElementsAre("bin/probe", "/opt{{root}}/media/shared", "/opt{{root}}/media/current",
                          "/opt{{root}}/media"));
}

TEST(Planner, ReachStandsForEachHostOfAGroup) {
  const CompiledPlan compiled = Compile(PlanWith(R"(phases:
  - phase: a
    hosts: web
    steps:
      - preflight: { reach: ["{{web}}:8080", "db.example.org:5432"] }
)"),
                                        WebHosts(2));
  EXPECT_EQ(Problems(compiled), "");
  EXPECT_THAT(TaskOf(compiled.plan.parts[0].steps[0]).action().preflight().reach(),
              ElementsAre("10.0.0.1:8080", "10.0.0.2:8080", "db.example.org:5432"));
}

TEST(Planner, AWaitIsAGateWithoutHosts) {
  const CompiledPlan compiled = Compile(PlanWith(R"(phases:
  - phase: a
    steps:
      - noop: { hosts: web }
      - wait: { lasts: 5m }
)"),
                                        WebHosts(2));
  ASSERT_EQ(compiled.plan.parts.size(), 2U);
  EXPECT_THAT(compiled.plan.parts[1].hosts, IsEmpty());
  EXPECT_EQ(compiled.plan.parts[1].before.kind, engine::Gate::Kind::wait);
  EXPECT_EQ(compiled.plan.parts[1].before.within, absl::Minutes(5));
}

TEST(Planner, AnApprovalIsAGateOfThePeopleWhoHaveTheRole) {
  const CompiledPlan compiled =
      Compile(PlanWith(R"(people: { dba: [lena@example.org, max, lena], qa: [kim] }
phases:
  - phase: a
    hosts: web
    approve: { by: dba, people: 2, on_timeout: rollback }
    steps:
      - noop: {}
  - phase: b
    steps:
      - approve: { by: qa, question: "Fine?", within: 2h }
)"),
              WebHosts(4));
  EXPECT_EQ(Problems(compiled), "");
  ASSERT_EQ(compiled.plan.parts.size(), 3U);
  const engine::Gate& first = compiled.plan.parts[0].before;
  EXPECT_THAT(compiled.plan.parts[0].hosts, IsEmpty());
  EXPECT_EQ(first.kind, engine::Gate::Kind::approval);
  EXPECT_EQ(first.role, "dba");
  EXPECT_THAT(first.people, ElementsAre("lena", "max"));
  EXPECT_EQ(first.approvals, 2);
  EXPECT_EQ(first.within, absl::Hours(72));
  EXPECT_EQ(first.on_timeout, engine::Gate::OnTimeout::roll_back);
  EXPECT_EQ(compiled.plan.parts[1].before.kind, engine::Gate::Kind::none);
  const engine::Gate& second = compiled.plan.parts[2].before;
  EXPECT_EQ(second.text, "Fine?");
  EXPECT_EQ(second.within, absl::Hours(2));
  EXPECT_EQ(second.on_timeout, engine::Gate::OnTimeout::hold);
}

TEST(Planner, NobodyIsAskedBeforeTheWayBackIsKnown) {
  const CompiledPlan compiled = Compile(PlanWith(R"(people: { dba: [lena] }
phases:
  - phase: prepare
    hosts: web
    steps:
      - stage: { component: backend, app: /srv/media }
  - phase: go
    hosts: web
    approve: { by: dba }
    steps:
      - stop: { service: media }
      - switch: { app: /srv/media }
      - start: { service: media }
)"),
                                        WebHosts(2));
  ASSERT_EQ(compiled.plan.parts.size(), 4U) << Problems(compiled);
  EXPECT_EQ(compiled.plan.parts[1].steps.front().name, "readiness");
  EXPECT_EQ(compiled.plan.parts[2].before.kind, engine::Gate::Kind::approval);
  EXPECT_EQ(compiled.plan.phases[compiled.plan.parts[2].phase].name, "go");
  EXPECT_EQ(compiled.plan.parts[3].steps.front().action, "stop");
}

TEST(Planner, MaxFailedIsANumberOfHosts) {
  const auto max_failed = [](const std::string& share, int hosts) {
    const CompiledPlan compiled =
        Compile(PlanWith("strategy: { max_failed: " + share +
                         " }\nphases: [{ phase: a, hosts: web, steps: [{ noop: {} }] }]\n"),
                WebHosts(hosts));
    return compiled.plan.phases[0].max_failed;
  };
  EXPECT_EQ(max_failed("0", 10), 0);
  EXPECT_EQ(max_failed("3", 10), 3);
  EXPECT_EQ(max_failed("25%", 10), 2);
  EXPECT_EQ(max_failed("5%", 10), 1) << "never below 1, and warned about";
}

TEST(Planner, WarnsWhenABatchLeavesNobodyUp) {
  const std::string text = PlanWith(R"(strategy: { canary: { hosts: 0 }, batch: 100% }
phases:
  - phase: a
    hosts: web
    steps:
      - stage: { component: backend, app: /srv/media }
      - switch: { app: /srv/media }
)");
  EXPECT_THAT(Codes(Compile(text, WebHosts(4))), ElementsAre("P102"));
  EXPECT_THAT(Codes(Compile(kMediaPlan, WebHosts(4))), IsEmpty());
}

TEST(Planner, AwayHostsAreNamedAndKept) {
  std::vector<PlanHost> hosts = WebHosts(2);
  hosts[0].connected = false;
  const CompiledPlan compiled = Compile(kMediaPlan, hosts);
  EXPECT_THAT(Codes(compiled), ElementsAre("P107"));
  EXPECT_EQ(compiled.targets.size(), 2U);
}

TEST(Planner, ReadinessKnowsWhatIsStagedBefore) {
  const CompiledPlan compiled = Compile(kMediaPlan, WebHosts(2));
  const v1::Task task = TaskOf(compiled.plan.parts[2].steps[0]);
  EXPECT_THAT(task.action().readiness().apps(), ElementsAre("{{root}}/media"));
  EXPECT_THAT(task.action().readiness().staged(), ElementsAre("{{root}}/media"));
}

TEST(Planner, WhatIsAcceptedByNameReachesTheHosts) {
  PlanOptions options;
  options.accept_unproven = {"1.9"};
  const CompiledPlan compiled = Compile(kMediaPlan, WebHosts(2), options);
  const v1::Task task = TaskOf(compiled.plan.parts[2].steps[0]);
  EXPECT_THAT(task.action().readiness().accept_unproven(), ElementsAre("1.9"));
}

TEST(Planner, RollbackPolicyIsThatOfThePlan) {
  const CompiledPlan compiled = Compile(kMediaPlan, WebHosts(2));
  EXPECT_EQ(compiled.rollback.database, engine::DatabaseWay::keep);
  EXPECT_EQ(compiled.rollback.within, absl::Minutes(5));
  EXPECT_THAT(compiled.rollback.ramp, ElementsAre(engine::Share{0, 100}));
  EXPECT_TRUE(compiled.rollback.triggers.step_failed);
  EXPECT_TRUE(compiled.rollback.triggers.check_failed);
}

TEST(Planner, TheSameInputsGiveTheSamePlan) {
  const CompiledPlan one = Compile(kMediaPlan, WebHosts(6));
  const CompiledPlan two = Compile(kMediaPlan, WebHosts(6));
  EXPECT_TRUE(engine::Forward(one.plan, 7) == engine::Forward(two.plan, 7));
  EXPECT_TRUE(one.targets == two.targets);
}

// The plan's databases, of this kind, and a migration before the service is started.
std::string MigratingPlan(const std::string& kind, const std::string& keys) {
  return PlanWith("database:\n  media: { kind: " + kind +
                  ", url: secret:MEDIA, used_by: [web], migrations: db/migrations, tables: [items],"
                  " lock_timeout: 3s }\n"
                  "phases:\n  - phase: database\n    steps:\n"
                  "      - backup: { hosts: web, database: media }\n"
                  "      - migrate: { hosts: web, database: media" +
                  keys +
                  " }\n"
                  "  - phase: web\n    hosts: web\n    steps:\n"
                  "      - start: { service: media, app: /srv/media }\n"
                  "      - check: { http: \"http://127.0.0.1/\", on_rollback: true }\n");
}

TEST(Planner, DatabaseStepsHoldWhatTheHostNeedsAndNoSecret) {
  const CompiledPlan compiled = Compile(MigratingPlan("postgres", ""), WebHosts(1));
  EXPECT_EQ(Problems(compiled).find("error"), std::string::npos) << Problems(compiled);
  EXPECT_EQ(compiled.rollback.database, engine::DatabaseWay::down);
  EXPECT_THAT(PartNames(compiled), ElementsAre("database: backup", "readiness: readiness",
                                               "database: migrate", "web: start check +bake"));
  const engine::Step& migrate = compiled.plan.parts[2].steps[0];
  EXPECT_EQ(migrate.name, "migrate media");
  EXPECT_EQ(migrate.traits.sweep, engine::Sweep::restore);
  EXPECT_FALSE(migrate.traits.probe_decides)
      << "whether a silent host migrated, a person finds out";
  const v1::DatabaseTarget target = TaskOf(migrate).action().migrate().target();
  EXPECT_EQ(target.url(), "secret:MEDIA");
  EXPECT_EQ(target.migrations(), "db/migrations");
  EXPECT_EQ(target.lock_timeout().seconds(), 3);
  EXPECT_EQ(TaskOf(compiled.plan.parts[0].steps[0]).action().backup().target().name(), "media");
}

TEST(Planner, QuietStopsWhatIsStartedLater) {
  const CompiledPlan compiled =
      Compile(MigratingPlan("sqlite", ", rehearse: inplace, quiet: stop"), WebHosts(2));
  EXPECT_EQ(Problems(compiled).find("error"), std::string::npos) << Problems(compiled);
  EXPECT_THAT(PartNames(compiled),
              ElementsAre("database: backup", "readiness: readiness", "database: stop",
                          "database: migrate", "web: start check +bake"));
  const v1::Task stop = TaskOf(compiled.plan.parts[2].steps[0]);
  EXPECT_EQ(stop.action().stop().service(), "media");
  EXPECT_EQ(stop.app(), "/srv/media");
  EXPECT_EQ(compiled.plan.parts[2].hosts.size(), 2u);
}

TEST(Planner, OneHostMigratesADatabaseOfAServer) {
  EXPECT_THAT(Codes(Compile(MigratingPlan("postgres", ""), WebHosts(2))),
              testing::Contains(std::string(plan::kManyMigrate.code)));
  EXPECT_THAT(Codes(Compile(MigratingPlan("sqlite", ""), WebHosts(2))),
              testing::Not(testing::Contains(std::string(plan::kManyMigrate.code))));
  EXPECT_THAT(
      Codes(Compile(MigratingPlan("sqlite", ", rehearse: inplace, quiet: none"), WebHosts(1))),
      testing::Contains(std::string(plan::kBadValue.code)));
}

}  // namespace
}  // namespace slipway::controller
