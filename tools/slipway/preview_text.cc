// The dry run in words: what, where, in which order, and what if it fails.

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "slipway/v1/rollout.pb.h"
#include "tools/slipway/output.h"
#include "tools/slipway/rollout_text.h"
#include "tools/slipway/term/escape.h"

namespace slipway::cli {
namespace {

std::string Line(const std::string& text) {
  return Escape(text, true);
}

template <class Strings>
std::string List(const Strings& strings, std::size_t most) {
  std::vector<std::string> shown;
  for (const std::string& s : strings) {
    if (shown.size() == most) {
      shown.push_back(
          absl::StrCat("and ", static_cast<std::size_t>(strings.size()) - most, " more"));
      break;
    }
    shown.push_back(Line(s));
  }
  return absl::StrJoin(shown, ", ");
}

std::string Named(const v1::PreviewBatch& batch) {
  return absl::StrCat(Line(batch.phase()), batch.kind().empty() ? "" : ", ", Line(batch.kind()));
}

std::string Batches(const Stream& stream, const v1::RolloutPreview& preview) {
  Table table({"", "PHASE", "HOSTS", "STEPS", "AT MOST"});
  int number = 0;
  for (const auto& batch : preview.batches()) {
    if (!batch.gate().empty())
      table.Add({"", Line(batch.phase()), "", absl::StrCat("waits for: ", Line(batch.gate())), ""});
    table.Add({absl::StrCat(++number), Named(batch),
               absl::StrCat(batch.hosts_size(), ": ", List(batch.hosts(), 4)),
               List(batch.steps(), 20), Took(ToDuration(batch.worst_case()))});
  }
  return table.Text(stream);
}

// Steps of one batch that have the same way back are one paragraph.
std::string IfItFails(const Stream& stream, const v1::RolloutPreview& preview) {
  constexpr std::size_t kLinesMax = 12;
  std::string text;
  for (int i = 0; i < preview.if_failed_size();) {
    const auto& first = preview.if_failed(i);
    int last = i;
    const auto same = [&](const v1::PreviewFailure& other) {
      return std::equal(other.undone().begin(), other.undone().end(), first.undone().begin(),
                        first.undone().end()) &&
             other.point_of_no_return() == first.point_of_no_return();
    };
    while (last + 1 < preview.if_failed_size() && same(preview.if_failed(last + 1))) ++last;
    const auto& end = preview.if_failed(last);
    const auto batch = [&](const v1::PreviewFailure& failure) {
      const auto index = static_cast<int>(failure.batch());
      return index < preview.batches_size() ? Named(preview.batches(index)) : Line(failure.phase());
    };
    std::string where =
        absl::StrCat(first.batch() + 1, "  ", batch(first), ": ", Line(first.step()));
    if (last > i) {
      const bool elsewhere = end.batch() != first.batch();
      absl::StrAppend(&where, " to ",
                      elsewhere ? absl::StrCat(end.batch() + 1, "  ", batch(end), ": ") : "",
                      Line(end.step()));
    }
    absl::StrAppend(&text, Paint(stream, Tone::bold, where));
    i = last + 1;
    if (first.point_of_no_return()) {
      absl::StrAppend(&text, "   cannot be undone: a person decides\n");
      continue;
    }
    if (first.undone().empty()) {
      absl::StrAppend(&text, "   nothing had been changed\n");
      continue;
    }
    absl::StrAppend(&text, "   at most ", Took(ToDuration(end.takes_at_most())), "\n");
    std::size_t lines = 0;
    for (const std::string& undone : first.undone()) {
      if (++lines > kLinesMax) break;
      absl::StrAppend(&text, "     ", Line(undone), "\n");
    }
    const auto all = static_cast<std::size_t>(first.undone_size());
    if (all > kLinesMax) absl::StrAppend(&text, "     and ", all - kLinesMax, " more\n");
  }
  return text.empty()
             ? ""
             : absl::StrCat("If it fails there, the fleet goes back, in this order:\n", text);
}

}  // namespace

std::string PreviewText(const Stream& stream, const v1::RolloutPreview& preview) {
  const std::string from =
      preview.previous_versions().empty()
          ? ""
          : absl::StrCat(Line(preview.previous_versions(0)), " ", Show(stream, kArrow), " ");
  std::string text = absl::StrCat(Paint(stream, Tone::bold, Line(preview.plan())), " ", from,
                                  Line(preview.version()), "   ", Line(preview.environment()),
                                  "   nothing was changed\n\n");
  absl::StrAppend(&text, "  release   ", Line(preview.release()), " ", Line(preview.version()),
                  ", ", Bytes(preview.release_bytes()), "   ", Line(preview.digest()), "\n");
  if (preview.hosts_already_there_size() > 0) {
    absl::StrAppend(
        &text, "  there     ",
        Count(static_cast<std::size_t>(preview.hosts_already_there_size()), "host", "hosts"),
        " already run it: ", List(preview.hosts_already_there(), 6), "\n");
  }
  for (const auto& host : preview.left_out()) {
    absl::StrAppend(&text, "  left out  ", Line(host.host()), ": ", Line(host.why()), "\n");
  }
  for (const auto& warning : preview.warnings()) {
    absl::StrAppend(&text, "  ", Paint(stream, Tone::warn, "warning"), "   ",
                    Line(warning.message()), "\n");
  }
  if (preview.batches().empty())
    return absl::StrCat(text, "\nNothing to change: every host runs it already.\n");
  absl::StrAppend(&text, "\n", Batches(stream, preview), "\n", IfItFails(stream, preview));
  return absl::StrCat(text, "\nAt most ", Took(ToDuration(preview.worst_case())), ", and ",
                      Took(ToDuration(preview.worst_case_back())), " for the whole way back.\n");
}

}  // namespace slipway::cli
