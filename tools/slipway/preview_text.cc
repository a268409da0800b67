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

std::string Batches(const Stream& stream, const v1::RolloutPreview& preview) {
  Table table({"", "PHASE", "HOSTS", "STEPS", "AT MOST"});
  int number = 0;
  for (const auto& batch : preview.batches()) {
    if (!batch.gate().empty())
      table.Add({"", Line(batch.phase()), "", absl::StrCat("waits for: ", Line(batch.gate())), ""});
    const std::string phase = absl::StrCat(
        Line(batch.phase()), batch.kind().empty() ? "" : absl::StrCat(", ", Line(batch.kind())));
    table.Add({absl::StrCat(++number), phase,
               absl::StrCat(batch.hosts_size(), ": ", List(batch.hosts(), 4)),
               List(batch.steps(), 20), Took(ToDuration(batch.worst_case()))});
  }
  return table.Text(stream);
}

std::string IfItFails(const Stream& stream, const v1::RolloutPreview& preview) {
  Table table({"IF THIS FAILS", "BATCH", "THEN, IN ORDER", "AT MOST"});
  std::string last;
  for (const auto& failure : preview.if_failed()) {
    const std::string undone = failure.point_of_no_return() ? "cannot be undone: a person decides"
                               : failure.undone().empty()   ? "nothing had been changed"
                                                            : List(failure.undone(), 8);
    const std::string row = absl::StrCat(failure.phase(), failure.step(), undone);
    if (row == last) continue;  // the same way back as for the step before
    last = row;
    table.Add({absl::StrCat(Line(failure.phase()), ": ", Line(failure.step())),
               absl::StrCat(failure.batch() + 1), undone,
               Took(ToDuration(failure.takes_at_most()))});
  }
  return table.empty() ? "" : table.Text(stream);
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
