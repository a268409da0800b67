// The plan language for editors, from the same descriptors that the binder walks.
#pragma once

#include <string>

namespace slipway::plan {

// JSON Schema (draft 2020-12) of a plan file: keys that nothing serves yet are left out. What one
// key says of another is for `slipway plan validate`.
std::string PlanJsonSchema();

}  // namespace slipway::plan
