// Who has which role in a plan. Pure.
#pragma once

#include <string>
#include <vector>

namespace slipway::v1 {
class Plan;
}

namespace slipway::plan {

// The name of the operator's certificate that an entry of `people` means: what stands before "@".
std::string OperatorOf(const std::string& person);

// Those of a role, each once, in order; none when there is no such role.
std::vector<std::string> OperatorsOf(const v1::Plan& plan, const std::string& role);

}  // namespace slipway::plan
