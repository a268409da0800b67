// Problems as people read them in a terminal. Pure.
#pragma once

#include <string>
#include <vector>

#include "common/plan/problem.h"

namespace slipway::plan {

enum class Colour { none, ansi };

// Each problem with its place, the line and a caret, separated by empty lines; ends with a newline.
std::string RenderProblems(const std::vector<Problem>& problems, Colour colour);

// "deploy/shop.yaml: 2 errors, 1 warning".
std::string CountProblems(const std::string& file, const std::vector<Problem>& problems);

}  // namespace slipway::plan
