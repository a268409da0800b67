#include "tools/slipway/rollout_text.h"

#include <algorithm>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/clock.h"
#include "slipway/v1/rollout.pb.h"
#include "tools/slipway/output.h"
#include "tools/slipway/term/escape.h"

namespace slipway::cli {
namespace {

using v1::HostStatus;
using v1::PhaseStatus;
using v1::Rollout;

std::string Line(const std::string& text) {
  return Escape(text, true);
}

const char* Word(Rollout::State state) {
  switch (state) {
    case Rollout::RUNNING:
      return "running";
    case Rollout::HELD:
      return "held";
    case Rollout::ROLLING_BACK:
      return "rolling back";
    case Rollout::SUCCEEDED:
      return "done";
    case Rollout::ROLLED_BACK:
      return "rolled back";
    case Rollout::NEEDS_PERSON:
      return "needs you";
    case Rollout::ABORTED:
      return "aborted";
    default:
      return "starting";
  }
}

std::string Previous(const Rollout& rollout) {
  return rollout.previous_versions().empty() ? "" : Line(rollout.previous_versions(0));
}

absl::Duration Elapsed(const Rollout& rollout, absl::Time now) {
  const absl::Time end = rollout.has_ended() ? ToTime(rollout.ended()) : now;
  return rollout.has_created() ? end - ToTime(rollout.created()) : absl::ZeroDuration();
}

std::string PhaseLine(const Stream& stream, const PhaseStatus& phase, absl::Time now) {
  Mark mark = kWaiting;
  Tone tone = Tone::dim;
  switch (phase.state()) {
    case PhaseStatus::DONE:
      mark = kGood, tone = Tone::good;
      break;
    case PhaseStatus::FAILED:
      mark = kBad, tone = Tone::bad;
      break;
    case PhaseStatus::RUNNING:
      mark = kRunning, tone = Tone::bold;
      break;
    case PhaseStatus::UNDONE:
      mark = kOut, tone = Tone::warn;
      break;
    default:
      break;
  }
  std::string text =
      absl::StrCat(Paint(stream, tone, Show(stream, mark)), " ",
                   Fit(absl::StrCat(phase.back() ? "back: " : "", Line(phase.name())), 18));
  if (phase.state() == PhaseStatus::RUNNING && phase.batches() > 1) {
    absl::StrAppend(&text, " batch ", phase.batch(), " of ", phase.batches());
  }
  absl::StrAppend(&text, " ", phase.hosts_done(), "/", phase.hosts(), " hosts");
  if (phase.has_started()) {
    absl::StrAppend(
        &text, "  ",
        Took((phase.has_ended() ? ToTime(phase.ended()) : now) - ToTime(phase.started())));
  }
  return text + "\n";
}

std::string HostLine(const Stream& stream, const HostStatus& host) {
  Mark mark = kWaiting;
  Tone tone = Tone::plain;
  switch (host.state()) {
    case HostStatus::RUNNING:
      mark = kRunning;
      break;
    case HostStatus::DONE:
      mark = kGood, tone = Tone::good;
      break;
    case HostStatus::FAILED:
      mark = kBad, tone = Tone::bad;
      break;
    case HostStatus::UNKNOWN:
      mark = kNote, tone = Tone::warn;
      break;
    case HostStatus::OUT:
      mark = kOut, tone = Tone::warn;
      break;
    default:
      break;
  }
  std::string text = absl::StrCat("  ", Paint(stream, tone, Show(stream, mark)), " ",
                                  Fit(Line(host.name()), 16), " ", Fit(Line(host.step()), 14));
  if (host.attempt() > 1) absl::StrAppend(&text, " try ", host.attempt());
  if (!host.progress().text().empty()) absl::StrAppend(&text, " ", Line(host.progress().text()));
  if (!host.message().empty()) absl::StrAppend(&text, " ", Line(host.message()));
  if (!host.connected()) absl::StrAppend(&text, " ", Paint(stream, Tone::warn, "(not connected)"));
  return text + "\n";
}

bool IsInteresting(const HostStatus& host) {
  return host.state() == HostStatus::RUNNING || host.state() == HostStatus::FAILED ||
         host.state() == HostStatus::UNKNOWN || host.state() == HostStatus::OUT;
}

// "4 on 1.0.0, 2 stopped": where each host stands, by what was observed on it.
std::string FleetLine(const Rollout& rollout) {
  std::map<std::string, std::vector<std::string>> standings;
  for (const HostStatus& host : rollout.hosts())
    standings[host.standing()].push_back(Line(host.name()));
  std::vector<std::string> parts;
  for (const auto& [standing, hosts] : standings) {
    std::string words = standing;
    if (standing == "new") words = absl::StrCat("on ", Line(rollout.version()));
    if (standing == "old")
      words = absl::StrCat("on ",
                           Previous(rollout).empty() ? "what was there before" : Previous(rollout));
    std::string part = absl::StrCat(Count(hosts.size(), "host ", "hosts "), words);
    if (standing != "new" && standing != "old" && standing != "untouched") {
      absl::StrAppend(&part, " (", absl::StrJoin(hosts, ", "), ")");
    }
    parts.push_back(part);
  }
  return absl::StrJoin(parts, ", ");
}

std::string FailureText(const Stream& stream, const v1::FailureNote& failure) {
  std::string text =
      absl::StrCat("  ", Fit(Line(failure.host()), 16), " ", Fit(Line(failure.step()), 14), " ",
                   failure.back() ? "in the rollback: " : "",
                   failure.attempts() > 1 ? absl::StrCat(failure.attempts(), " tries, ") : "",
                   Line(failure.message().empty() ? failure.outcome() : failure.message()), "\n");
  std::vector<std::string> lines =
      absl::StrSplit(Escape(failure.excerpt()), '\n', absl::SkipWhitespace());
  constexpr std::size_t kLast = 8;
  if (lines.size() > kLast) lines.erase(lines.begin(), lines.end() - kLast);
  for (const std::string& line : lines) {
    absl::StrAppend(&text, "      ", Paint(stream, Tone::dim, Show(stream, kBar)), " ", line, "\n");
  }
  return text;
}

std::string Failures(const Stream& stream, const Rollout& rollout) {
  std::string text;
  constexpr int kMost = 5;
  for (int i = 0; i < rollout.failures_size() && i < kMost; ++i) {
    absl::StrAppend(&text, FailureText(stream, rollout.failures(i)));
  }
  if (rollout.failures_size() > kMost) {
    absl::StrAppend(&text, "  and ", rollout.failures_size() - kMost, " more: slipway logs ",
                    rollout.id(), " --failed\n");
  }
  return text;
}

std::string Verdict(const Stream& stream, const Rollout& rollout) {
  const std::string what = absl::StrCat(Line(rollout.plan()), " ", Line(rollout.version()));
  const std::string before =
      Previous(rollout).empty() ? "what was there before" : Previous(rollout);
  switch (rollout.state()) {
    case Rollout::SUCCEEDED:
      return absl::StrCat(Paint(stream, Tone::good, Show(stream, kGood)), " ", what, " is out");
    case Rollout::ROLLED_BACK:
      return absl::StrCat(Paint(stream, Tone::bad, Show(stream, kBad)), " ", what,
                          " was rolled back to ", before);
    case Rollout::NEEDS_PERSON:
      return absl::StrCat(Paint(stream, Tone::bad, Show(stream, kBad)), " ", what,
                          " failed, and a person must act");
    case Rollout::ABORTED:
      return absl::StrCat(Paint(stream, Tone::warn, Show(stream, kOut)), " ", what,
                          " was aborted; the fleet is as it was left");
    default:
      return absl::StrCat(Paint(stream, Tone::warn, Show(stream, kNote)), " ", what,
                          " waits for a person");
  }
}

// The certificate's URI ends with the name.
std::string Person(const std::string& who) {
  return Line(who.substr(who.rfind('/') + 1));
}

std::string At(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%SZ", ToTime(time), absl::UTCTimeZone());
}

// What people said to it.
std::string PeopleText(const Rollout& rollout) {
  std::string text;
  for (const auto& approval : rollout.approvals()) {
    absl::StrAppend(&text, approval.approved() ? "  approved  " : "  rejected  ",
                    Line(approval.phase()), " by ", Person(approval.who()), " as ",
                    Line(approval.role()), "  ", At(approval.at()),
                    approval.note().empty() ? "" : "  ", Line(approval.note()), "\n");
  }
  for (const auto& note : rollout.notes()) {
    absl::StrAppend(&text, "  noted     by ", Person(note.who()), "  ", At(note.at()), "  ",
                    Line(note.text()), "\n");
  }
  return text;
}

std::string NextCommands(const Rollout& rollout) {
  std::vector<std::string> lines;
  const std::string id = Line(rollout.id());
  if (rollout.failures_size() > 0) {
    const auto& first = rollout.failures(0);
    lines.push_back(absl::StrCat("slipway logs ", id, " ", Line(first.host()), " --failed"));
    lines.push_back(absl::StrCat("slipway host show ", Line(first.host())));
  }
  if (!rollout.approval_by().empty()) {
    lines.push_back(absl::StrCat("slipway approve ", id));
    lines.push_back(absl::StrCat("slipway reject ", id, " --note ..."));
  } else if (NeedsPerson(rollout)) {
    lines.push_back(absl::StrCat("slipway retry ", id, " --reason ..."));
    lines.push_back(absl::StrCat("slipway rollback ", id, " --reason ..."));
  }
  if (rollout.state() == Rollout::NEEDS_PERSON) lines.push_back("slipway fleet status");
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    absl::StrAppend(&text, i == 0 ? "  next      " : "            ", lines[i], "\n");
  }
  return text;
}

}  // namespace

bool IsOver(const Rollout& rollout) {
  return rollout.state() == Rollout::SUCCEEDED || rollout.state() == Rollout::ROLLED_BACK ||
         rollout.state() == Rollout::NEEDS_PERSON || rollout.state() == Rollout::ABORTED;
}

bool NeedsPerson(const Rollout& rollout) {
  return rollout.state() == Rollout::HELD &&
         (rollout.hold_why() == "needs_person" || rollout.hold_why() == "gate" ||
          rollout.hold_why() == "brake");
}

ExitCode ExitCodeOf(const Rollout& rollout) {
  switch (rollout.state()) {
    case Rollout::SUCCEEDED:
      return ExitCode::done;
    case Rollout::ROLLED_BACK:
      return ExitCode::rolled_back;
    case Rollout::NEEDS_PERSON:
      return ExitCode::needs_person;
    case Rollout::ABORTED:
      return ExitCode::aborted;
    case Rollout::HELD:
      return ExitCode::waiting;
    default:
      return ExitCode::unexpected;
  }
}

std::string Headline(const Stream& stream, const Rollout& rollout) {
  std::string versions = Line(rollout.version());
  if (!Previous(rollout).empty())
    versions = absl::StrCat(Previous(rollout), " ", Show(stream, kArrow), " ", versions);
  return absl::StrCat(Paint(stream, Tone::bold, Line(rollout.plan())), " ", versions, "  ",
                      Line(rollout.environment()), "  ", Line(rollout.id()), "  ",
                      Word(rollout.state()));
}

std::string StatusText(const Stream& stream, const Rollout& rollout) {
  if (IsOver(rollout)) return EndText(stream, rollout);
  const absl::Time now = SystemClock().Now();
  std::string text =
      absl::StrCat(Headline(stream, rollout), "  ", Took(Elapsed(rollout, now)), "\n");
  if (rollout.hold_why() == "gate" && !rollout.approval_by().empty()) {
    absl::StrAppend(&text, Paint(stream, Tone::warn, Show(stream, kNote)), " waits for ",
                    Line(rollout.hold_text()), "\n");
  } else if (!rollout.hold_why().empty()) {
    absl::StrAppend(&text, Paint(stream, Tone::warn, Show(stream, kNote)), " held (",
                    Line(rollout.hold_why()), "): ", Line(rollout.hold_text()), "\n");
  }
  for (const PhaseStatus& phase : rollout.phases())
    absl::StrAppend(&text, PhaseLine(stream, phase, now));
  for (const HostStatus& host : rollout.hosts()) {
    if (IsInteresting(host)) absl::StrAppend(&text, HostLine(stream, host));
  }
  return absl::StrCat(text, PeopleText(rollout), NextCommands(rollout));
}

std::string EndText(const Stream& stream, const Rollout& rollout) {
  if (rollout.state() == Rollout::SUCCEEDED && rollout.hosts().empty()) {
    return absl::StrCat(Paint(stream, Tone::good, Show(stream, kGood)),
                        " nothing to change: every host runs ", Line(rollout.plan()), " ",
                        Line(rollout.version()), " already   ", Line(rollout.id()), "\n");
  }
  std::string text = absl::StrCat("\n", Verdict(stream, rollout), "   ", Line(rollout.id()), "  ",
                                  Took(Elapsed(rollout, SystemClock().Now())), "\n");
  if (rollout.failures_size() > 0) absl::StrAppend(&text, "\n", Failures(stream, rollout));
  absl::StrAppend(&text, "\n  fleet     ", FleetLine(rollout), "\n");
  if (!rollout.text().empty()) absl::StrAppend(&text, "  note      ", Line(rollout.text()), "\n");
  if (!rollout.hold_text().empty() && !IsOver(rollout)) {
    absl::StrAppend(&text, "  waits     ", Line(rollout.hold_text()), "\n");
  }
  return absl::StrCat(text, PeopleText(rollout), NextCommands(rollout));
}

std::string ChangeLine(const Rollout& rollout, const v1::Change& change) {
  return absl::StrCat(absl::FormatTime("%H:%M:%SZ ", ToTime(change.at()), absl::UTCTimeZone()),
                      Line(rollout.id()), " ", Line(change.text()), "\n");
}

std::string LiveText(const Stream& stream, const Rollout& rollout, absl::Time now,
                     std::size_t rows) {
  std::size_t done = 0;
  for (const HostStatus& host : rollout.hosts())
    done += host.state() == HostStatus::DONE || host.standing() == "new";
  std::string text = absl::StrCat(Headline(stream, rollout), " ", Took(Elapsed(rollout, now)),
                                  "   ", done, "/", rollout.hosts_size(), " hosts\n");
  std::size_t used = 3;
  for (const PhaseStatus& phase : rollout.phases()) {
    if (++used < rows) absl::StrAppend(&text, PhaseLine(stream, phase, now));
  }
  std::size_t hidden = 0;
  for (const HostStatus& host : rollout.hosts()) {
    if (!IsInteresting(host)) continue;
    if (++used < rows) {
      absl::StrAppend(&text, HostLine(stream, host));
    } else {
      ++hidden;
    }
  }
  if (hidden > 0) absl::StrAppend(&text, "  and ", Count(hidden, "more host", "more hosts"), "\n");
  if (!rollout.hold_why().empty()) {
    absl::StrAppend(
        &text, Paint(stream, Tone::warn, absl::StrCat("held: ", Line(rollout.hold_text()))), "\n");
  }
  return absl::StrCat(text, Paint(stream, Tone::dim, "Ctrl-C leaves, the rollout goes on"), "\n");
}

}  // namespace slipway::cli
