// From argv to an Invocation. The only door to CLI11.
#pragma once

#include <string>

#include "tools/slipway/command.h"

namespace slipway::cli {

struct Parsed {
  const Command* command = nullptr;  // nullptr: `error` says why, or `help` was asked for
  Invocation invocation;
  bool help = false;  // -h on `command`, or on the program when it is nullptr
  std::string error;  // one or more lines, with did-you-mean
};

Parsed Parse(int argc, const char* const* argv);

}  // namespace slipway::cli
