#include "agent/actions/binding.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agent/releases/host_releases.h"
#include "common/status_macros.h"
#include "common/template.h"
#include "common/wire/proto_time.h"
#include "slipway/v1/action.pb.h"

namespace slipway::agent {
namespace {

constexpr absl::Duration kReadyByDefault = absl::Minutes(5);

BoundRelease BindTo(const ActionContext& ctx, const std::string& app, const v1::Release& release) {
  BoundRelease bound{.app = app,
                     .digest = release.digest(),
                     .release = std::make_shared<v1::Release>(release),
                     .vars = app.empty() ? ctx.vars : WithAppVars(ctx.vars, app)};
  bound.vars["release.name"] = release.name();
  bound.vars["release.version"] = release.version();
  bound.vars["release.digest"] = release.digest();
  return bound;
}

const v1::Service* Find(const v1::Release& release, const std::string& name) {
  for (const v1::Service& service : release.services()) {
    if (service.name() == name) return &service;
  }
  return nullptr;
}

// Texts of a definition, rendered; the first problem is kept and says in which key it is.
class Texts {
 public:
  explicit Texts(const std::map<std::string, std::string>& vars) : vars_(vars) {}
  std::string operator()(const char* key, const std::string& text) {
    auto rendered = Render(text, vars_);
    if (rendered.ok()) return *std::move(rendered);
    status_.Update(absl::Status(rendered.status().code(),
                                absl::StrCat(key, ": ", rendered.status().message())));
    return "";
  }
  const absl::Status& status() const { return status_; }

 private:
  const std::map<std::string, std::string>& vars_;
  absl::Status status_;
};

// A host label or the plan may have said otherwise than the release.
absl::StatusOr<std::uint16_t> PortOf(const v1::Service& service,
                                     const std::map<std::string, std::string>& vars) {
  const auto it = vars.find("port");
  std::uint32_t port = service.port();
  if (service.port() != 0 && it != vars.end() && !absl::SimpleAtoi(it->second, &port)) port = 65536;
  if (port < 65536) return static_cast<std::uint16_t>(port);
  return absl::InvalidArgumentError(
      absl::StrCat("{{port}} of ", service.name(), " is no port: ", it->second));
}

}  // namespace

absl::StatusOr<BoundRelease> BindDigest(const ActionContext& ctx, const std::string& app,
                                        const std::string& digest) {
  SLIPWAY_ASSIGN_OR_RETURN(v1::Release release, ctx.releases.ReleaseOf(app, digest));
  if (release.digest().empty()) release.set_digest(digest);
  return BindTo(ctx, app, release);
}

absl::StatusOr<std::optional<BoundRelease>> Bind(const ActionContext& ctx, const std::string& app) {
  if (ctx.direction != Direction::previous) {
    return std::optional<BoundRelease>(BindTo(ctx, app, ctx.task.release()));
  }
  if (ctx.previous.empty()) return std::optional<BoundRelease>();
  SLIPWAY_ASSIGN_OR_RETURN(BoundRelease bound, BindDigest(ctx, app, ctx.previous));
  return std::optional<BoundRelease>(std::move(bound));
}

absl::StatusOr<BoundService> BindService(const ActionContext& ctx, const BoundRelease& release,
                                         const std::string& name) {
  const v1::Service* service = Find(*release.release, name);
  if (service == nullptr) {
    return absl::NotFoundError(absl::StrCat("release ", release.release->name(), " ",
                                            release.release->version(), " has no service ", name));
  }
  auto vars = release.vars;
  SLIPWAY_ASSIGN_OR_RETURN(const std::uint16_t port, PortOf(*service, vars));
  if (port != 0) vars["port"] = absl::StrCat(port);
  Texts text(vars);
  BoundService bound{.spec = {.id = {release.app, name}, .user = service->user()},
                     .digest = release.digest,
                     .version = release.release->version()};
  SLIPWAY_ASSIGN_OR_RETURN(bound.spec.release_dir,
                           ctx.releases.ReleaseDir(release.app, release.digest));
  bound.spec.unit = text("unit", service->unit());
  for (const std::string& arg : service->run()) bound.spec.argv.push_back(text("run", arg));
  for (const auto& [key, value] : service->env()) {
    bound.spec.env.push_back(absl::StrCat(key, "=", text("env", value)));
  }
  if (port != 0) {
    bound.spec.ports.push_back(port);
    bound.spec.env.push_back(absl::StrCat("SLIPWAY_PORT=", port));
  }
  absl::string_view log = service->log();
  if (absl::ConsumePrefix(&log, "file:")) bound.spec.log_file = text("log", std::string(log));
  bound.must_match = text("must_match", service->ready().must_match());
  for (const std::string& words : service->ready().must_not_match()) {
    bound.must_not_match.push_back(text("must_not_match", words));
  }
  bound.spec.http = text("http", service->ready().http());
  bound.spec.tcp = text("tcp", service->ready().tcp());
  if (service->identity() == v1::Service::HTTP) bound.spec.http_names = bound.version;
  bound.ready_file = text("ready_file", service->ready_file());
  bound.notice = FromProto(service->notice());
  SLIPWAY_RETURN_IF_ERROR(text.status());
  if (!bound.spec.http_names.empty() && bound.spec.http.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("service ", name, " has `identity: http` and no `ready: { http: … }` to ask"));
  }
  if (bound.spec.argv.empty() && bound.spec.unit.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("service ", name, " has neither `run:` nor `unit:`"));
  }
  bound.deadline =
      service->ready().has_deadline() ? FromProto(service->ready().deadline()) : kReadyByDefault;
  bound.spec.up_within = bound.deadline;
  bound.drain = FromProto(service->drain());
  SLIPWAY_ASSIGN_OR_RETURN(bound.ladder,
                           ParseLadder({service->ladder().begin(), service->ladder().end()}));
  return bound;
}

std::string NameOf(const BoundService& service) {
  return absl::StrCat(service.spec.id.name, " ", service.version);
}

bool TimeLeft(const ActionContext& ctx) {
  return ctx.clock.Monotonic() < ctx.deadline && !ctx.stopping() && !ctx.cancelled();
}

bool Pause(const ActionContext& ctx, absl::Duration by) {
  const absl::Duration left = ctx.deadline - ctx.clock.Monotonic();
  if (left > absl::ZeroDuration()) ctx.clock.Sleep(std::min(by, left));
  return TimeLeft(ctx);
}

}  // namespace slipway::agent
