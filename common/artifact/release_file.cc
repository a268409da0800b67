#include "common/artifact/release_file.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "common/artifact/manifest.h"
#include "common/plan/scalar_values.h"
#include "common/plan/yaml_binder.h"
#include "slipway/v1/release_file.pb.h"

namespace slipway {
namespace {

using plan::ErrorCode;

// Protobuf maps have no order; a release has one.
template <typename Map>
std::map<std::string, typename Map::mapped_type> Sorted(const Map& map) {
  return {map.begin(), map.end()};
}

class Reader {
 public:
  Reader(const v1::ReleaseFile& from, plan::Bound& bound, v1::Release& to)
      : from_(from), bound_(bound), to_(to) {}

  void Read() {
    if (from_.release() != 1) {
      Refuse("release", plan::kFormatVersion,
             {absl::StrCat("release: ", from_.release(), " is not a format of this version"),
              "must be 1"});
    }
    CheckName("name", from_.name());
    CheckName("version", from_.version());
    to_.set_name(from_.name());
    to_.set_version(from_.version());
    to_.set_schema(from_.schema());
    for (const auto& [name, component] : Sorted(from_.components())) AddComponent(name, component);
    for (const auto& [name, service] : Sorted(from_.services())) AddService(name, service);
    for (const auto& [path, hook] : Sorted(from_.hooks())) AddHook(path, hook);
  }

  std::vector<BuildStep> Build() {
    std::vector<BuildStep> steps;
    for (int i = 0; i < from_.build_size(); ++i) {
      const auto& step = from_.build(i);
      const std::string at = absl::StrCat("build[", i, "]");
      if (step.run_size() == 0) RefuseValue(at + ".run", "`run` holds no program", "argv is empty");
      if (!step.into().empty()) CheckPath(at + ".into", step.into());
      steps.push_back({{step.run().begin(), step.run().end()}, step.into()});
    }
    return steps;
  }

 private:
  void Refuse(const std::string& path, const ErrorCode& code, plan::Words words) {
    bound_.problems.push_back(bound_.source.At(bound_.source.Value(path), code, std::move(words)));
  }
  void RefuseValue(const std::string& path, std::string message, std::string label) {
    Refuse(path, plan::kBadValue, {std::move(message), std::move(label)});
  }

  void CheckName(const std::string& path, const std::string& name) {
    const absl::Status valid = ValidateReleaseName(name);
    if (valid.ok()) return;
    Refuse(path, plan::kBadName,
           {std::string(valid.message()), "letters, digits and \"._+-\", at most 64"});
  }

  // A folder or file of the release; a trailing slash is allowed.
  void CheckPath(const std::string& at, std::string path) {
    if (!path.empty() && path.back() == '/') path.pop_back();
    const absl::Status valid = ValidatePath(path);
    if (!valid.ok()) RefuseValue(at, std::string(valid.message()), "a path in the release");
  }

  void AddComponent(const std::string& name, const v1::ReleaseFileComponent& component) {
    const std::string at = "components." + name;
    CheckName(at, name);
    CheckPath(at + ".path", component.path());
    if (!component.assets().empty()) CheckPath(at + ".assets", component.assets());
    v1::Component& added = *to_.add_components();
    added.set_name(name);
    added.set_path(component.path());
    if (component.path().empty() || component.path().back() != '/')
      added.mutable_path()->push_back('/');
    added.set_assets(component.assets());
  }

  void AddService(const std::string& name, const v1::ReleaseFileService& service) {
    const std::string at = "services." + name;
    CheckName(at, name);
    if (!service.component().empty() && !from_.components().contains(service.component())) {
      Refuse(at + ".component", plan::kUnknownComponent,
             {absl::StrCat("service `", name, "` names component `", service.component(),
                           "`, which is not among `components:`"),
              "no such component"});
    }
    CheckProgram(at, name, service);
    if (service.port() > 65535) RefuseValue(at + ".port", "not a TCP port", "at most 65535");
    CheckLog(at + ".log", service.log());
    for (int i = 0; i < service.stop().ladder_size(); ++i) {
      CheckRung(absl::StrCat(at, ".stop.ladder[", i, "]"), service.stop().ladder(i));
    }
    if (service.stop().has_notice() && service.stop().ready_file().empty()) {
      RefuseValue(at + ".stop.notice", "`notice` is the time to notice that `ready_file` is gone",
                  "name the `ready_file` too");
    }
    v1::Service& added = *to_.add_services();
    added.set_name(name);
    added.set_component(service.component());
    *added.mutable_run() = service.run();
    added.set_user(service.user());
    added.set_port(service.port());
    added.set_log(service.log().empty() ? "service" : service.log());
    added.set_identity(service.identity());
    if (service.stop().has_drain()) *added.mutable_drain() = service.stop().drain();
    *added.mutable_ladder() = service.stop().ladder();
    added.set_ready_file(service.stop().ready_file());
    if (service.stop().has_notice()) *added.mutable_notice() = service.stop().notice();
    if (service.has_ready()) *added.mutable_ready() = service.ready();
    *added.mutable_env() = service.env();
    added.set_unit(service.unit());
  }

  // Either the agent runs it, as said here, or systemd does, as its unit says.
  void CheckProgram(const std::string& at, const std::string& name,
                    const v1::ReleaseFileService& service) {
    if (service.unit().empty()) {
      if (service.run_size() == 0) {
        RefuseValue(at, absl::StrCat("service `", name, "` has neither `run:` nor `unit:`"),
                    "what runs it?");
      } else if (service.run(0).empty()) {
        RefuseValue(at + ".run", "`run` holds no program", "argv[0] is empty");
      }
      return;
    }
    const std::string_view suffix = ".service";
    const std::string& unit = service.unit();
    if (unit.find('/') != std::string::npos || unit.size() <= suffix.size() ||
        unit.compare(unit.size() - suffix.size(), suffix.size(), suffix) != 0) {
      RefuseValue(at + ".unit", absl::StrCat("`unit: ", unit, "` is no unit of a service"),
                  "media.service or media@{{label.zone}}.service");
    }
    for (const auto& [key, given] :
         {std::pair{"run", service.run_size() > 0}, std::pair{"user", !service.user().empty()},
          std::pair{"env", service.env_size() > 0}}) {
      if (!given) continue;
      RefuseValue(absl::StrCat(at, ".", key),
                  absl::StrCat("`", key, ":` of service `", name, "` beside `unit:`"),
                  "the unit's file on the host says that");
    }
  }

  void CheckLog(const std::string& at, const std::string& log) {
    const std::string_view prefix = "file:";
    const bool is_file = log.size() > prefix.size() && log.compare(0, prefix.size(), prefix) == 0;
    if (log.empty() || log == "service" || is_file) return;
    RefuseValue(at, absl::StrCat("`log: ", log, "` is neither `service` nor `file:PATH`"),
                "service or file:PATH");
  }

  void CheckRung(const std::string& at, const std::string& rung) {
    static const char* const kSignals[] = {"TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "KILL"};
    for (const char* const signal : kSignals) {
      if (rung == signal) return;
    }
    if (plan::ParseDuration(rung).has_value()) return;
    RefuseValue(at, absl::StrCat("`", rung, "` is neither a signal nor a duration"),
                "TERM, INT, HUP, QUIT, USR1, USR2, KILL or 20s");
  }

  void AddHook(const std::string& path, const v1::ReleaseFileHook& hook) {
    const std::string at = "hooks." + path;
    CheckPath(at, path);
    const std::string& undo = hook.undo();
    if (!undo.empty() && undo != "not_needed" && undo != "impossible" &&
        !from_.hooks().contains(undo)) {
      RefuseValue(at + ".undo",
                  absl::StrCat("`undo: ", undo,
                               "` is neither `not_needed` nor `impossible` nor "
                               "another hook of this release"),
                  "no such hook");
    }
    v1::Hook& added = *to_.add_hooks();
    added.set_path(path);
    added.set_undo(undo);
    added.set_idempotent(hook.idempotent());
    if (hook.has_timeout()) *added.mutable_timeout() = hook.timeout();
  }

  const v1::ReleaseFile& from_;
  plan::Bound& bound_;
  v1::Release& to_;
};

}  // namespace

ReleaseFileContent ReadReleaseFile(const std::string& file, std::string_view text,
                                   v1::Release& release) {
  v1::ReleaseFile parsed;
  plan::Bound bound = plan::BindYaml(file, text, parsed);
  ReleaseFileContent content;
  release.Clear();
  if (!plan::HasErrors(bound.problems)) {
    Reader reader(parsed, bound, release);
    reader.Read();
    content.build = reader.Build();
  }
  content.problems = std::move(bound.problems);
  return content;
}

}  // namespace slipway
