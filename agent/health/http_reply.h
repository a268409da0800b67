// An HTTP/1 reply (RFC 9112) out of the pieces in which it arrives. Pure: no I/O, no clock.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "agent/health/probe.h"

namespace slipway::agent {

// Used by one thread at a time. The peer is not believed: what is kept is bounded.
class HttpReplyReader {
 public:
  // Takes what came next; what follows a whole reply is ignored. UNAVAILABLE: not a reply, with
  // what is wrong; nothing more is to be added then.
  absl::Status Add(std::string_view bytes);
  // The peer sends nothing more. UNAVAILABLE: the reply is not whole.
  absl::Status End();
  // The reply is whole.
  bool done() const { return expecting_ == Expecting::nothing; }
  HttpReply Take() { return std::move(reply_); }

 private:
  enum class Expecting {
    status_line,
    field,  // a line of the head
    body_of_length,
    body_to_the_end,
    chunk_size,
    chunk,
    end_of_chunk,
    trailer,
    nothing
  };

  absl::Status TakeLine(std::string_view line);
  absl::Status TakeStatusLine(std::string_view line);
  absl::Status TakeField(std::string_view line);
  absl::Status TakeLength(std::string_view value);
  absl::Status TakeChunkSize(std::string_view line);
  void BeginBody();
  void TakeBody(std::string_view bytes);

  Expecting expecting_ = Expecting::status_line;
  std::string line_;  // begun and not ended
  bool chunked_ = false;
  bool has_length_ = false;
  std::uint64_t left_ = 0;  // of the body, or of the chunk
  HttpReply reply_;
};

}  // namespace slipway::agent
