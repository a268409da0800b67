#include "agent/health/http_reply.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

// Of the head, and with the size of a chunk: all that is kept but for the body.
constexpr std::size_t kLineBytesMax = 64 << 10;

absl::Status NotHttp(std::string_view why) {
  return absl::UnavailableError(absl::StrCat("the answer is not HTTP: ", std::string(why)));
}

// All of `text` as a number.
bool ReadNumber(std::string_view text, int base, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc() && end == text.data() + text.size();
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && absl::ascii_isspace(static_cast<unsigned char>(text.front()))) {
    text.remove_prefix(1);
  }
  while (!text.empty() && absl::ascii_isspace(static_cast<unsigned char>(text.back()))) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace

absl::Status HttpReplyReader::Add(std::string_view bytes) {
  while (!bytes.empty() && !done()) {
    if (expecting_ == Expecting::body_to_the_end) {
      TakeBody(bytes);
      break;
    }
    if (expecting_ == Expecting::body_of_length || expecting_ == Expecting::chunk) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
      TakeBody(bytes.substr(0, size));
      bytes.remove_prefix(size);
      left_ -= size;
      if (left_ > 0) break;
      expecting_ = expecting_ == Expecting::chunk ? Expecting::end_of_chunk : Expecting::nothing;
      continue;
    }
    const std::size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    if (line_.size() + part.size() > kLineBytesMax) return NotHttp("a line of it does not end");
    line_.append(part);
    if (end == std::string_view::npos) break;
    bytes.remove_prefix(end + 1);
    if (!line_.empty() && line_.back() == '\r') line_.pop_back();
    SLIPWAY_RETURN_IF_ERROR(TakeLine(line_));
    line_.clear();
  }
  return absl::OkStatus();
}

absl::Status HttpReplyReader::End() {
  if (expecting_ == Expecting::body_to_the_end) expecting_ = Expecting::nothing;
  if (done()) return absl::OkStatus();
  return absl::UnavailableError(expecting_ == Expecting::status_line && line_.empty()
                                    ? "the connection ended without an answer"
                                    : "the connection ended in the middle of the answer");
}

absl::Status HttpReplyReader::TakeLine(std::string_view line) {
  switch (expecting_) {
    case Expecting::status_line:
      return TakeStatusLine(line);
    case Expecting::field:
      if (!line.empty()) return TakeField(line);
      BeginBody();
      return absl::OkStatus();
    case Expecting::chunk_size:
      return TakeChunkSize(line);
    case Expecting::end_of_chunk:
      expecting_ = Expecting::chunk_size;
      return line.empty() ? absl::OkStatus() : NotHttp("a chunk is longer than it says");
    case Expecting::trailer:
      if (line.empty()) expecting_ = Expecting::nothing;
      return absl::OkStatus();
    case Expecting::body_of_length:
    case Expecting::body_to_the_end:
    case Expecting::chunk:
    case Expecting::nothing:
      break;
  }
  return absl::OkStatus();
}

// HTTP/1.1 200 OK
absl::Status HttpReplyReader::TakeStatusLine(std::string_view line) {
  std::uint64_t status = 0;
  if (line.size() < 12 || line.substr(0, 7) != "HTTP/1." || line[8] != ' ' ||
      !ReadNumber(line.substr(9, 3), 10, status) || status < 100 ||
      (line.size() > 12 && line[12] != ' ')) {
    return NotHttp("it does not begin with a status");
  }
  reply_.status = static_cast<int>(status);
  chunked_ = has_length_ = false;
  expecting_ = Expecting::field;
  return absl::OkStatus();
}

absl::Status HttpReplyReader::TakeField(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return NotHttp("a line of its head has no colon");
  const absl::string_view name(line.data(), colon);
  const std::string_view value = Trimmed(line.substr(colon + 1));
  if (absl::EqualsIgnoreCase(name, "content-length")) return TakeLength(value);
  if (absl::EqualsIgnoreCase(name, "transfer-encoding")) {
    if (!absl::EqualsIgnoreCase(absl::string_view(value.data(), value.size()), "chunked")) {
      return NotHttp("it has a transfer encoding that was not asked for");
    }
    chunked_ = true;
  }
  return absl::OkStatus();
}

absl::Status HttpReplyReader::TakeLength(std::string_view value) {
  std::uint64_t length = 0;
  if (!ReadNumber(value, 10, length) || (has_length_ && length != left_)) {
    return NotHttp("its length is not a number");
  }
  has_length_ = true;
  left_ = length;
  return absl::OkStatus();
}

// "1a; name=value": what follows the size says nothing to us.
absl::Status HttpReplyReader::TakeChunkSize(std::string_view line) {
  if (!ReadNumber(Trimmed(line.substr(0, line.find(';'))), 16, left_)) {
    return NotHttp("the size of a chunk is not a number");
  }
  expecting_ = left_ == 0 ? Expecting::trailer : Expecting::chunk;
  return absl::OkStatus();
}

void HttpReplyReader::BeginBody() {
  if (reply_.status < 200) {
    expecting_ = Expecting::status_line;  // the answer proper follows
  } else if (reply_.status == 204 || reply_.status == 304) {
    expecting_ = Expecting::nothing;
  } else if (chunked_) {
    expecting_ = Expecting::chunk_size;
  } else if (has_length_) {
    expecting_ = left_ == 0 ? Expecting::nothing : Expecting::body_of_length;
  } else {
    expecting_ = Expecting::body_to_the_end;
  }
}

void HttpReplyReader::TakeBody(std::string_view bytes) {
  reply_.body.append(bytes.substr(0, kProbeBodyBytesMax - reply_.body.size()));
}

}  // namespace slipway::agent
