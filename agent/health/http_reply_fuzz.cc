// Any bytes as an HTTP reply, in one piece and byte by byte: the same comes out, and no more than
// the bound is kept.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/health/http_reply.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace slipway::agent;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  HttpReplyReader whole;
  HttpReplyReader pieces;
  const bool good = whole.Add(bytes).ok() && whole.End().ok();
  bool also = true;
  for (std::size_t i = 0; i < size && also; ++i) also = pieces.Add(bytes.substr(i, 1)).ok();
  also = also && pieces.End().ok();
  if (good != also) std::abort();
  if (!good) return 0;
  const HttpReply a = whole.Take();
  const HttpReply b = pieces.Take();
  if (a.status != b.status || a.body != b.body || a.body.size() > kProbeBodyBytesMax) std::abort();
  return 0;
}
