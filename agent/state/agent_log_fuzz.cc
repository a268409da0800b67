// Any bytes as a command log, as they are and as the body of a frame whose checksums hold: refused,
// or records that are read back the same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "agent/state/bytes.h"
#include "agent/state/crc32c.h"
#include "agent/state/frames.h"
#include "agent/state/record_codec.h"

namespace {

using slipway::agent::ByteWriter;
using slipway::agent::Crc32c;

// A frame of one to 255 records around `body`, as EncodeFrame makes it.
std::string Framed(std::string_view body, std::uint8_t count) {
  ByteWriter out;
  out.Raw("SWLF");
  out.Number(static_cast<std::uint32_t>(body.size()));
  out.Number(std::uint32_t{count});
  out.Number(Crc32c(out.bytes()));
  out.Number(Crc32c(body));
  out.Raw(body);
  return out.Take();
}

void Check(std::string_view file) {
  const auto content = slipway::agent::ReadLog(file);
  if (!content.ok()) return;
  if (content->valid_size > file.size()) std::abort();
  if (content->records.empty()) return;
  const std::string written =
      slipway::agent::EncodeFileHeader() + slipway::agent::EncodeFrame(content->records);
  const auto again = slipway::agent::ReadLog(written);
  if (!again.ok() || again->records != content->records) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Check(bytes);
  if (bytes.empty()) return 0;
  const std::string frame = Framed(bytes.substr(1), data[0]);
  Check(slipway::agent::EncodeFileHeader() + frame);
  // Nothing but a torn tail follows what is valid.
  Check(slipway::agent::EncodeFileHeader() + frame + std::string(bytes));
  return 0;
}
