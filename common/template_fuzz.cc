// Any bytes as a template: refused with its place, or rendered without a variable left over.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/template.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto out = slipway::Render(text, {{"app", "/srv/media"}, {"port", "8080"}, {"a(b)", ""}});
  if (!out.ok()) {
    if (out.status().message().find(':') == absl::string_view::npos) std::abort();
    return 0;
  }
  if (text.find("{{") == std::string_view::npos ? *out != text : out->size() > 10 * size) {
    std::abort();
  }
  return 0;
}
