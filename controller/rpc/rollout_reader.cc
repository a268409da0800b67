#include "controller/rpc/rollout_reader.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status_macros.h"
#include "controller/rpc/rollout_convert.h"
#include "slipway/v1/rollout.pb.h"

namespace slipway::controller {
namespace {

constexpr std::string_view kPrefix = "ro-";
constexpr std::size_t kListedMax = 8;

bool BeginsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

}  // namespace

absl::StatusOr<RolloutId> RolloutReader::Resolve(std::string_view prefix) const {
  const std::vector<RolloutSummary> all = pool_.List();
  if (all.empty()) return absl::NotFoundError("there is no rollout yet");
  if (prefix.empty()) return all.front().id;
  std::vector<std::string> found;
  for (const RolloutSummary& rollout : all) {
    const std::string& text = rollout.id.text;
    if (text == prefix) return rollout.id;
    if (BeginsWith(text, prefix) ||
        BeginsWith(std::string_view(text).substr(kPrefix.size()), prefix)) {
      found.push_back(text);
    }
  }
  if (found.size() == 1) return RolloutId{found.front()};
  if (found.empty()) {
    return absl::NotFoundError(
        absl::StrCat("no rollout begins with \"", std::string(prefix), "\""));
  }
  if (found.size() > kListedMax) found.resize(kListedMax);
  return absl::FailedPreconditionError(absl::StrCat(
      "several rollouts begin with \"", std::string(prefix), "\": ", absl::StrJoin(found, ", ")));
}

v1::Rollout RolloutReader::Read(const RolloutView& view, absl::Time began) const {
  v1::Rollout rollout = ToProto(view, began);
  for (v1::HostStatus& host : *rollout.mutable_hosts()) {
    if (host.state() != v1::HostStatus::RUNNING) continue;
    const auto live = fleet_.Find({host.name()});
    if (!live || !live->progress || live->progress->id.rollout != view.id) continue;
    host.mutable_progress()->set_id(ToString(live->progress->id));
    host.mutable_progress()->set_text(live->progress->text);
    host.mutable_progress()->set_done(live->progress->done);
    host.mutable_progress()->set_total(live->progress->total);
  }
  return rollout;
}

absl::StatusOr<absl::Time> RolloutReader::BeganAt(const RolloutId& rollout) const {
  for (const RolloutSummary& summary : pool_.List()) {
    if (summary.id == rollout) return summary.began;
  }
  return absl::NotFoundError(absl::StrCat("no rollout ", rollout.text));
}

absl::StatusOr<v1::Rollout> RolloutReader::Read(const RolloutId& rollout) const {
  SLIPWAY_ASSIGN_OR_RETURN(const absl::Time began, BeganAt(rollout));
  SLIPWAY_ASSIGN_OR_RETURN(const auto view, pool_.View(rollout));
  return Read(*view, began);
}

v1::Rollout RolloutReader::ReadBrief(const RolloutSummary& summary) const {
  v1::Rollout rollout = ToProto(summary);
  if (summary.finished) return rollout;
  const auto view = pool_.View(summary.id);
  if (!view.ok()) return rollout;
  rollout = ToProto(**view, summary.began);
  rollout.clear_phases();
  rollout.clear_hosts();
  rollout.clear_failures();
  return rollout;
}

}  // namespace slipway::controller
