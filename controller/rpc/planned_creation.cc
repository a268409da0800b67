#include "controller/rpc/planned_creation.h"

#include <openssl/rand.h>

#include <cstdlib>
#include <utility>
#include <vector>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/artifact/digest.h"
#include "common/grpc_status.h"
#include "common/log.h"
#include "common/plan/plan_file.h"
#include "common/plan/problem_proto.h"
#include "common/status_macros.h"
#include "controller/planner/planner.h"
#include "controller/planner/preview.h"
#include "controller/rpc/plan_hosts.h"
#include "controller/rpc/rollout_convert.h"
#include "slipway/v1/plan.pb.h"
#include "slipway/v1/rollout.pb.h"

namespace slipway::controller {
namespace {

constexpr std::size_t kPlanBytesMax = 1 << 20;
constexpr std::size_t kReasonBytesMax = 1024;
constexpr std::size_t kVariablesMax = 256;
constexpr int kAcceptedMax = 64;
constexpr int kIdAttempts = 5;

// "ro-M4TZ7K": short enough to say, without letters that look like digits.
RolloutId NewId() {
  constexpr char kLetters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  unsigned char chance[6];
  RAND_bytes(chance, sizeof chance);
  std::string text = "ro-";
  for (const unsigned char byte : chance) text += kLetters[byte % 32];
  return {text};
}

// A status that carries all problems; its message is the first error.
absl::Status StatusOf(absl::StatusCode code, const std::vector<plan::Problem>& problems) {
  for (const plan::Problem& problem : problems) {
    if (problem.severity != plan::Problem::Severity::error) continue;
    const std::string place = problem.line == 0 ? ""
                                                : absl::StrCat(problem.file, ":", problem.line, ":",
                                                               problem.column, ": ");
    absl::Status status(code, absl::StrCat(place, problem.message));
    status.SetPayload(kDetailsUrl, absl::Cord(plan::ToProto(problems).SerializeAsString()));
    return status;
  }
  return absl::OkStatus();
}

absl::Status CheckRequest(const v1::CreateRolloutRequest& request) {
  if (request.plan().empty()) return absl::InvalidArgumentError("the plan is empty");
  if (request.plan().size() > kPlanBytesMax) {
    return absl::InvalidArgumentError("the plan is larger than 1 MiB");
  }
  if (request.reason().size() > kReasonBytesMax || request.ticket().size() > kReasonBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("reason or ticket is longer than ", kReasonBytesMax, " bytes"));
  }
  if (static_cast<std::size_t>(request.set().size()) > kVariablesMax) {
    return absl::InvalidArgumentError(absl::StrCat("more than ", kVariablesMax, " variables"));
  }
  if (request.accept_unproven_size() > kAcceptedMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("more than ", kAcceptedMax, " unproven versions are accepted"));
  }
  return absl::OkStatus();
}

std::uint64_t SeedOf(const std::string& plan_digest, const std::string& release,
                     const std::string& hosts) {
  const std::string text = Digest::Of(absl::StrCat(plan_digest, "\n", release, "\n", hosts)).Hex();
  return std::strtoull(text.substr(0, 16).c_str(), nullptr, 16);
}

// A rollout that would wait for ever at one of its gates does not begin.
absl::Status CheckApprovers(const engine::Schedule& forward, const std::string& who) {
  for (const engine::Batch& batch : forward.batches) {
    const engine::Gate& gate = batch.before;
    if (gate.kind != engine::Gate::Kind::approval) continue;
    const std::size_t can = engine::ApproversOf(gate, who);
    if (can >= static_cast<std::size_t>(gate.approvals)) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        "phase ", forward.phases[batch.phase].name, " needs ", gate.approvals,
        gate.approvals == 1 ? " person" : " people", " of role ", gate.role, " besides ", who,
        ", who would start the rollout, and there ", can == 1 ? "is " : "are ", can,
        ": let another person start it, or name more people in the plan"));
  }
  return absl::OkStatus();
}

}  // namespace

struct PlannedCreation::Prepared {
  plan::LoadedPlan loaded;
  ReleaseDetails release;
  v1::Release definition;
  CompiledPlan compiled;
  engine::Schedule forward;
};

absl::StatusOr<ReleaseDetails> PlannedCreation::FindRelease(const std::string& wanted,
                                                            const std::string& plan) const {
  if (wanted.empty()) {
    return absl::InvalidArgumentError("which release? name@version, a version or a digest");
  }
  if (absl::StrContains(wanted, '@') || absl::StartsWith(wanted, "sha256:")) {
    return ports_.releases.Get(wanted);
  }
  // A bare version: of the release that is called like the plan, else of the only one that has it.
  auto named = ports_.releases.Get(absl::StrCat(plan, "@", wanted));
  if (named.ok()) return named;
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<ReleaseDetails> all, ports_.releases.List(""));
  std::vector<ReleaseDetails> found;
  for (const ReleaseDetails& one : all) {
    if (one.record.version == wanted) found.push_back(one);
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) return ports_.releases.Get(wanted);
  return absl::InvalidArgumentError(absl::StrCat("version ", wanted, " exists of ",
                                                 found[0].record.name, " and of ",
                                                 found[1].record.name, "; write name@version"));
}

absl::StatusOr<PlannedCreation::Prepared> PlannedCreation::Prepare(
    const v1::CreateRolloutRequest& request) const {
  SLIPWAY_RETURN_IF_ERROR(CheckRequest(request));
  Prepared prepared;
  prepared.loaded = plan::LoadPlan(request.plan_path(), request.plan());
  SLIPWAY_RETURN_IF_ERROR(StatusOf(absl::StatusCode::kInvalidArgument, prepared.loaded.problems));
  const v1::Plan& plan = *prepared.loaded.plan;
  SLIPWAY_ASSIGN_OR_RETURN(prepared.release, FindRelease(request.release(), plan.name()));
  SLIPWAY_ASSIGN_OR_RETURN(prepared.definition,
                           ports_.releases.Definition(prepared.release.record.digest));
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<PlanHost> hosts,
                           PlanHostsOf(ports_.hosts, ports_.view, ports_.registry));
  const std::uint64_t seed =
      SeedOf(prepared.loaded.digest, prepared.release.record.digest, request.hosts());
  prepared.compiled = CompilePlan(
      plan, prepared.loaded.source, prepared.definition, hosts,
      {.hosts = request.hosts(),
       .set = {request.set().begin(), request.set().end()},
       .accept_unproven = {request.accept_unproven().begin(), request.accept_unproven().end()},
       .seed = seed});
  SLIPWAY_RETURN_IF_ERROR(StatusOf(CodeOf(prepared.compiled.problems), prepared.compiled.problems));
  prepared.forward = engine::Forward(prepared.compiled.plan, seed);
  return prepared;
}

absl::Status PlannedCreation::Preview(const v1::CreateRolloutRequest& request,
                                      v1::RolloutPreview& preview) {
  SLIPWAY_ASSIGN_OR_RETURN(const Prepared prepared, Prepare(request));
  preview =
      PreviewOf(*prepared.loaded.plan, prepared.definition, prepared.compiled, prepared.forward);
  preview.set_release_bytes(prepared.release.record.size);
  const v1::PlanProblems warnings = plan::ToProto(prepared.loaded.problems);
  for (const v1::PlanProblem& warning : warnings.problems()) *preview.add_warnings() = warning;
  return absl::OkStatus();
}

absl::StatusOr<std::string> PlannedCreation::Create(const v1::CreateRolloutRequest& request,
                                                    const std::string& who) {
  const MutexLock lock(ports_.releases.changing());  // the release stays until its rollout is seen
  SLIPWAY_ASSIGN_OR_RETURN(Prepared prepared, Prepare(request));
  SLIPWAY_RETURN_IF_ERROR(CheckApprovers(prepared.forward, who));
  const v1::Plan& plan = *prepared.loaded.plan;
  engine::Planned planned;
  planned.at = ports_.clock.Now();
  planned.hosts = std::move(prepared.compiled.targets);
  planned.forward = std::move(prepared.forward);
  planned.rollback = std::move(prepared.compiled.rollback);
  planned.before = std::move(prepared.compiled.before);
  planned.started_by = who;

  RolloutDescription description;
  description.plan = plan.name();
  description.environment = plan.environment();
  description.release = prepared.release.record.name;
  description.version = prepared.release.record.version;
  description.digest = prepared.release.record.digest;
  description.plan_digest = prepared.loaded.digest;
  description.plan_path = request.plan_path();
  description.plan_bytes = request.plan();
  description.created_by = who;
  description.reason = request.reason();
  description.ticket = request.ticket();
  engine::State found;
  found.hosts = planned.hosts;
  found.before = planned.before;
  description.previous = PreviousVersions(found);
  description.worst_case = WorstCase(planned.forward);
  planned.description = EncodeDescription(description);

  const auto hosts = planned.hosts.size();
  for (int attempt = 1;; ++attempt) {
    NewRollout rollout;
    rollout.id = NewId();
    rollout.who = who;
    rollout.reason = absl::StrCat(plan.name(), " ", description.version,
                                  request.reason().empty() ? "" : ": ", request.reason());
    rollout.at = planned.at;
    v1::Rollout answer = ToProto(RolloutSummary{rollout.id, planned.at, planned.description, {}});
    rollout.request = {
        {kCreateMethod, request.request_id(), answer.SerializeAsString(), planned.at}};
    const RolloutId id = rollout.id;
    const absl::Status created = ports_.pool.Create(std::move(rollout), planned);
    if (absl::IsAlreadyExists(created) && attempt < kIdAttempts) continue;  // the id is taken
    SLIPWAY_RETURN_IF_ERROR(created);
    log::Info("rollout created", {{"rollout", id.text},
                                  {"plan", plan.name()},
                                  {"release", description.version},
                                  {"hosts", hosts},
                                  {"by", who},
                                  {"reason", request.reason()}});
    return answer.SerializeAsString();
  }
}

}  // namespace slipway::controller
