// A rollout in the engine, its hosts, and the words that move them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "controller/engine/engine.h"
#include "tests/scenario/plan_words.h"

namespace slipway::scenario {

class Scenario {
 public:
  // `twice`: every answer of a host is delivered twice. What is printed must not change.
  explicit Scenario(bool twice) : twice_(twice) {}

  // Runs one line and returns what happened: one line for each event, with its time.
  std::string Run(const std::string& line);

 private:
  std::string RunVerb(const std::string& verb, const Words& words);
  std::string Begin(const Words& words);
  std::string Sessions(const Words& words, bool attach);
  std::string Tick(const Words& words);
  std::string Report(const Words& words);
  std::string RunAll(const Words& words);
  std::string Person(engine::Verb::Kind kind, const Words& words);
  std::string Trip(const Words& words);
  std::string See(const Words& words);
  std::string Restart();
  std::string Show() const;
  std::string Prefixes() const;

  std::string Decide(const engine::Input& input, bool brief = false);
  std::string Deliver(const engine::Reported& reported, bool brief = false);
  Version BeforeOf(engine::HostIx host) const;
  void ChangeHost(const engine::TaskId& task);
  std::vector<engine::HostIx> HostsOf(const Words& words) const;
  std::string Print(const engine::Schedule& schedule, const std::string& indent) const;

  const bool twice_;
  PlanWords plan_;
  engine::State state_;
  engine::Presence presence_;
  engine::Time now_ = absl::UnixEpoch();
  std::vector<engine::Event> history_;
  std::map<engine::HostIx, engine::TaskIssued> last_issued_;
  std::map<engine::HostIx, engine::Reported> last_report_, unsent_;
  std::map<engine::HostIx, Version> versions_;  // what is on each host
};

}  // namespace slipway::scenario
