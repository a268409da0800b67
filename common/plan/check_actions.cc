#include <algorithm>
#include <array>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/plan/check_parts.h"
#include "common/plan/scalar_values.h"
#include "common/plan/schema.h"
#include "slipway/v1/plan.pb.h"

namespace slipway::plan {
namespace {

constexpr std::array<std::string_view, 8> kSignals = {"TERM", "KILL", "INT",  "QUIT",
                                                      "HUP",  "USR1", "USR2", "WINCH"};

// Variables are filled in on the host, so a text with one is looked at no further.
bool HasVariable(std::string_view text) {
  return text.find("{{") != std::string_view::npos;
}

void CheckAbsolute(Check& check, const std::string& text, const std::string& path) {
  const bool dots = absl::StrCat(text, "/").find("/../") != std::string::npos;
  if (text.empty() || (!dots && (text[0] == '/' || text.substr(0, 2) == "{{"))) return;
  check.AtValue(path, kBadValue,
                {absl::StrCat("`", text, "` is not an absolute path"),
                 dots ? "has `..` in it" : "begins with `/` or with a variable"});
}

void CheckInRelease(Check& check, const std::string& text, const std::string& path) {
  const bool dots = absl::StrCat("/", text, "/").find("/../") != std::string::npos;
  if (text.empty() || (!dots && text[0] != '/')) return;
  check.AtValue(path, kBadValue,
                {absl::StrCat("`", text, "` is not a path in the release"),
                 dots ? "has `..` in it" : "is absolute"});
}

void CheckEndpoint(Check& check, const std::string& text, const std::string& path) {
  const std::size_t colon = text.rfind(':');
  const bool split = colon != std::string::npos && colon > 0;
  const std::string port = split ? text.substr(colon + 1) : "";
  const auto number = ParseWhole(port, 65535);
  if (text.empty() || (split && (HasVariable(port) || number.value_or(0) > 0))) return;
  if (HasVariable(text) && text.ends_with("}}")) return;
  check.AtValue(path, kBadValue,
                {absl::StrCat("`", text, "` is not an address and a port"),
                 "write it like `db.example.org:5432`"});
}

void CheckUrl(Check& check, const std::string& text, const std::string& path) {
  if (text.empty() || text.substr(0, 7) == "http://" || text.substr(0, 8) == "https://" ||
      text.substr(0, 2) == "{{") {
    return;
  }
  check.AtValue(
      path, kBadValue,
      {absl::StrCat("`", text, "` is not an URL"), "begins with `http://` or `https://`"});
}

void CheckPreflight(Check& check, const v1::Preflight& preflight, const std::string& path) {
  bool asks = false;  // also when the binder could not read what
  for (const std::string& key : KeysOf(*v1::Preflight::descriptor())) {
    asks = asks || (key != "app" && check.source.Has(absl::StrCat(path, ".", key)));
  }
  if (!asks) {
    check.AtKey(path, kBadValue, {"`preflight` asks nothing", "no question in it"});
  }
  for (int i = 0; i < preflight.reach_size(); ++i) {
    CheckEndpoint(check, preflight.reach(i), absl::StrCat(path, ".reach[", i, "]"));
  }
  for (int i = 0; i < preflight.ports_size(); ++i) {
    if (preflight.ports(i) >= 1 && preflight.ports(i) <= 65535) continue;
    check.AtValue(absl::StrCat(path, ".ports[", i, "]"), kBadValue,
                  {absl::StrCat(preflight.ports(i), " is not a port"), "1 to 65535"});
  }
  for (int i = 0; i < preflight.files_size(); ++i) {
    CheckAbsolute(check, preflight.files(i), absl::StrCat(path, ".files[", i, "]"));
  }
  CheckAbsolute(check, preflight.app(), path + ".app");
}

// "TERM, 20s, KILL": signals with the patience between them.
void CheckLadder(Check& check, const v1::Stop& stop, const std::string& path) {
  for (int i = 0; i < stop.ladder_size(); ++i) {
    const std::string& rung = stop.ladder(i);
    const bool signal = i % 2 == 0;
    const bool good = signal ? std::find(kSignals.begin(), kSignals.end(), rung) != kSignals.end()
                             : ParseDuration(rung).has_value();
    if (good) continue;
    check.AtValue(absl::StrCat(path, ".ladder[", i, "]"), kBadValue,
                  {absl::StrCat("`", rung, "` is not ", signal ? "a signal" : "a duration"),
                   "signals and durations in turn", "write `ladder: [TERM, 20s, KILL]`"});
  }
  if (stop.ladder_size() > 0 && stop.ladder_size() % 2 == 0) {
    check.AtValue(
        path + ".ladder", kBadValue,
        {"the ladder ends with a duration", "and then?", "write `ladder: [TERM, 20s, KILL]`"});
  }
}

void CheckConfigure(Check& check, const v1::Configure& configure, const std::string& path) {
  CheckInRelease(check, configure.from(), path + ".from");
  CheckAbsolute(check, configure.to(), path + ".to");
  CheckAbsolute(check, configure.app(), path + ".app");
  const std::string& mode = configure.mode();
  const bool octal =
      std::all_of(mode.begin(), mode.end(), [](char c) { return c >= '0' && c <= '7'; });
  if (!mode.empty() && (!octal || mode.size() < 3 || mode.size() > 4)) {
    check.AtValue(path + ".mode", kBadValue,
                  {absl::StrCat("`", mode, "` is not a mode"), "octal digits, like \"0640\""});
  }
}

void CheckProbes(Check& check, const v1::Check& probe, const std::string& path) {
  if (probe.http().empty() && probe.tcp().empty() && probe.exec().empty() &&
      probe.process().empty()) {
    check.AtKey(path, kBadValue,
                {"`check` probes nothing", "needs one of: http, tcp, exec, process"});
  }
  CheckUrl(check, probe.http(), path + ".http");
  CheckEndpoint(check, probe.tcp(), path + ".tcp");
  if (!probe.exec().empty()) CheckInRelease(check, probe.exec(0), path + ".exec[0]");
  CheckAbsolute(check, probe.app(), path + ".app");
  if (probe.status() != 0 && (probe.status() < 100 || probe.status() > 599)) {
    check.AtValue(path + ".status", kBadValue,
                  {absl::StrCat(probe.status(), " is not an HTTP status"), "100 to 599"});
  }
  if (!probe.http().empty()) return;
  for (const char* key : {"status", "contains", "json"}) {
    const std::string at = absl::StrCat(path, ".", key);
    if (!check.source.Has(at)) continue;
    check.AtKey(at, kMisplacedKey,
                {absl::StrCat("`", key, "` has no effect without `http`"), "what answers?"});
  }
}

void CheckRun(Check& check, const v1::PlanStep& step, const std::string& path) {
  CheckInRelease(check, step.action().run().hook(), path + ".hook");
  CheckAbsolute(check, step.action().run().app(), path + ".app");
  const std::string& undo = step.options().undo();
  if (undo == "impossible") {
    check.AtValue(
        path + ".undo", kBadUndo,
        {"a step that cannot be undone needs `commit: true` and an approval",
         "nothing goes back from here", "`commit` is not served yet: give the hook an undo"});
  } else if (!undo.empty() && undo == step.action().run().hook()) {
    check.AtValue(path + ".undo", kBadUndo, {"a hook cannot be its own undo", "the same hook"});
  } else if (undo != "not_needed") {
    CheckInRelease(check, undo, path + ".undo");
  }
}

void CheckWait(Check& check, const v1::PlanWait& wait, const std::string& path) {
  if (check.source.Has(path + ".until")) return;
  if (wait.has_lasts() && (wait.lasts().seconds() > 0 || wait.lasts().nanos() > 0)) return;
  check.AtKey(path, kEndlessWait,
              {"a wait without a limit", "how long?", "write `wait: { lasts: 5m }`"});
}

}  // namespace

void CheckAction(Check& check, const v1::PlanStep& step, const std::string& path) {
  if (step.has_wait()) return CheckWait(check, step.wait(), path);
  if (step.has_approve()) return CheckApprove(check, step.approve(), path);
  const v1::Action& action = step.action();
  switch (action.kind_case()) {
    case v1::Action::kPreflight:
      return CheckPreflight(check, action.preflight(), path);
    case v1::Action::kStage:
      return CheckAbsolute(check, action.stage().app(), path + ".app");
    case v1::Action::kSwitch:
      return CheckAbsolute(check, action.switch_().app(), path + ".app");
    case v1::Action::kStart:
      return CheckAbsolute(check, action.start().app(), path + ".app");
    case v1::Action::kStop:
      CheckAbsolute(check, action.stop().app(), path + ".app");
      return CheckLadder(check, action.stop(), path);
    case v1::Action::kConfigure:
      return CheckConfigure(check, action.configure(), path);
    case v1::Action::kCheck:
      return CheckProbes(check, action.check(), path);
    case v1::Action::kRun:
      return CheckRun(check, step, path);
    default:
      return;
  }
}

}  // namespace slipway::plan
