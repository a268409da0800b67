// The words in which a scenario describes its plan.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "controller/engine/event.h"
#include "controller/engine/schedule.h"

namespace slipway::scenario {

// "word key=value key=value": the rest of a line after its verb.
struct Words {
  std::vector<std::string> plain;
  std::map<std::string, std::string> named;
  std::string text;  // after " : ", free text

  bool Has(const std::string& word) const;
  std::string Named(const std::string& key, const std::string& otherwise = "") const;
};
Words ParseWords(const std::string& line);
std::vector<std::string> Split(const std::string& text, char separator);

// Collects `hosts`, `step`, `phase`, `part` and `rollback` lines.
class PlanWords {
 public:
  // INVALID_ARGUMENT for a word that it does not know; NOT_FOUND when `verb` is not of a plan.
  absl::Status Add(const std::string& verb, const Words& words);
  engine::Planned Build(std::uint64_t seed) const;
  absl::StatusOr<engine::HostIx> Host(const std::string& name) const;

 private:
  absl::Status AddStep(const Words& words);
  absl::Status AddPart(const Words& words);
  absl::Status SetRollback(const Words& words);
  absl::StatusOr<std::vector<engine::HostIx>> Hosts(const std::string& names) const;
  absl::StatusOr<std::vector<engine::Step>> Steps(const std::string& names) const;

  std::vector<engine::Target> hosts_;
  std::map<std::string, engine::Step> steps_;
  engine::Plan plan_;
  engine::RollbackPolicy rollback_;
};

}  // namespace slipway::scenario
