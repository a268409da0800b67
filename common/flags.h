// Command lines of the daemons: a few long flags and plain words. No exceptions, no globals.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace slipway {

struct CommandLine {
  std::vector<std::string> words;                         // what is not a flag, in order
  std::map<std::string, std::vector<std::string>> flags;  // name without dashes -> values

  bool Has(const std::string& flag) const { return flags.count(flag) != 0; }
  // The last value given, else `otherwise`.
  std::string Get(const std::string& flag, std::string otherwise = "") const;
  // All values given.
  std::vector<std::string> All(const std::string& flag) const;
};

// Splits arguments. A flag in `with_value` takes the rest behind '=', or all arguments up to the
// next flag (`--name a b`); one in `bare` takes nothing. Errors: INVALID_ARGUMENT, naming the flag.
absl::StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& arguments,
                                             const std::set<std::string>& with_value,
                                             const std::set<std::string>& bare);

}  // namespace slipway
