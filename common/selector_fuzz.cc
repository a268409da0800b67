// Any bytes as a selector: an error points into the text, and what was read can be asked.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/selector.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  slipway::Selector selector;
  const auto error = slipway::ReadSelector(text, selector);
  if (error.has_value() && error->position > size) std::abort();
  selector.Matches("web-1", {{"role", "web"}});
  return 0;
}
