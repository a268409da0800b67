// Any bytes as a journal record: refused, or an event that survives being written again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "controller/journal/event_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using slipway::controller::DecodeEvent;
  using slipway::controller::EncodeEvent;
  const auto event = DecodeEvent({reinterpret_cast<const char*>(data), size});
  if (!event.ok()) return 0;
  const std::string written = EncodeEvent(*event);
  const auto again = DecodeEvent(written);
  if (!again.ok() || EncodeEvent(*again) != written) std::abort();
  return 0;
}
