#include "deploy/media-repository/asset.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"

namespace media {
namespace {

constexpr std::array<std::pair<absl::string_view, Kind>, 7> kContentTypes = {{
    {"image/png", Kind::image},
    {"image/jpeg", Kind::image},
    {"image/gif", Kind::image},
    {"image/webp", Kind::image},
    {"video/mp4", Kind::video},
    {"video/webm", Kind::video},
    {"video/quicktime", Kind::video},
}};

// Length of the well-formed UTF-8 sequence that `text` begins with; 0 if there is none.
std::size_t SequenceLength(absl::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const unsigned char second = byte(1);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool surrogate = lead == 0xED && second > 0x9F;
  const bool beyond_unicode = lead == 0xF4 && second > 0x8F;
  return overlong || surrogate || beyond_unicode ? 0 : length;
}

}  // namespace

absl::string_view KindName(Kind kind) {
  return kind == Kind::image ? "image" : "video";
}

std::optional<Kind> KindFromName(absl::string_view name) {
  for (const Kind kind : {Kind::image, Kind::video}) {
    if (name == KindName(kind)) return kind;
  }
  return std::nullopt;
}

std::optional<Kind> KindOfContentType(absl::string_view content_type) {
  for (const auto& [name, kind] : kContentTypes) {
    if (name == content_type) return kind;
  }
  return std::nullopt;
}

std::string NewId() {
  std::string random(16, '\0');
  // 16 bytes are never cut short and never fail once the kernel's pool is initialised.
  while (getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
  }
  return absl::BytesToHexString(random);
}

bool IsId(absl::string_view text) {
  return text.size() == 32 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool IsTitle(absl::string_view text) {
  if (text.empty() || text.size() > kTitleBytesMax) return false;
  while (!text.empty()) {
    const std::size_t length = SequenceLength(text);
    const bool control = length == 1 && (text[0] < ' ' || text[0] == 0x7F);
    if (length == 0 || control) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::int64_t NowMillis() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
}

std::string FormatTime(std::int64_t millis) {
  const std::time_t seconds = millis / 1000;
  std::tm utc = {};
  gmtime_r(&seconds, &utc);
  return absl::StrFormat("%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900, utc.tm_mon + 1,
                         utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, millis % 1000);
}

}  // namespace media
