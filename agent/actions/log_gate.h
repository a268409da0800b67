// Watches a service's log for words that must come and words that must not.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "agent/services/service_manager.h"

namespace slipway::agent {

// Not thread-safe. Each byte from `from` on is looked at once, whatever rotates meanwhile.
class LogGate {
 public:
  LogGate(const ServiceManager& services, ServiceId id, LogPosition from, std::string must_match,
          std::vector<std::string> must_not_match);

  // Reads what came since the last look.
  void Look();

  // The words that must come were there (also when none were asked for).
  bool matched() const { return matched_; }
  // The first line with words that must not be there, of a long line what stands around the words;
  // "" = none so far.
  const std::string& offence() const { return offence_; }

 private:
  void Judge(std::string_view line);

  const ServiceManager& services_;
  const ServiceId id_;
  const std::string must_match_;
  const std::vector<std::string> must_not_match_;
  const std::size_t words_bytes_max_;  // of the longest of them
  LogPosition at_;
  std::string unfinished_;  // the last line, of which the end has not come yet
  bool matched_;
  std::string offence_;
};

}  // namespace slipway::agent
