// Label selectors: "role=web,zone!=b,canary,!retired". All parts must hold. Pure.
//
// `key=value` (== is the same), `key!=value` (also true without the label), `key` (has the label),
// `!key` (has not). The key `name` means the host's name. An empty selector matches every host.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace slipway {

// What cannot be read in a selector, and where.
struct SelectorError {
  std::size_t position = 0;  // byte, from 0
  std::size_t length = 1;
  std::string message;
};

class Selector {
 public:
  struct Part {
    enum class Kind { equals, differs, has, has_not };
    Kind kind = Kind::equals;
    std::string key, value;
    bool operator==(const Part&) const = default;
  };

  Selector() = default;

  bool Matches(std::string_view name, const std::map<std::string, std::string>& labels) const;
  const std::vector<Part>& parts() const { return parts_; }

 private:
  friend std::optional<SelectorError> ReadSelector(std::string_view text, Selector& selector);
  std::vector<Part> parts_;
};

inline constexpr std::size_t kSelectorBytesMax = 4096;

// For callers that point into a file of their own. nullopt: `selector` was read.
std::optional<SelectorError> ReadSelector(std::string_view text, Selector& selector);

// Errors: INVALID_ARGUMENT; the message shows the text and a caret below it.
absl::StatusOr<Selector> ParseSelector(std::string_view text);

}  // namespace slipway
