// `{{name}}`: the only thing that a template can do.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace slipway {

// `text` with each `{{name}}` or `{{ name }}` replaced by vars[name]. Values are inserted as they
// are and not looked at again. A name consists of letters, digits and "_.-()".
//
// Errors: INVALID_ARGUMENT with line:column when a variable is not defined (with the nearest
// defined name), a name is empty or malformed, or a `{{` is never closed.
absl::StatusOr<std::string> Render(std::string_view text,
                                   const std::map<std::string, std::string>& vars);

}  // namespace slipway
