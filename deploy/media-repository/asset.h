// An uploaded image or video, as the catalogue knows it, and the values it is made of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace media {

enum class Kind { image, video };

// "image" or "video".
absl::string_view KindName(Kind kind);
std::optional<Kind> KindFromName(absl::string_view name);

struct Asset {
  Kind kind = Kind::image;
  std::string id = {};            // 32 lower-case hex digits, unique over all kinds
  std::string title = {};         // UTF-8, 1 to kTitleBytesMax bytes, no control characters
  std::string content_type = {};  // one of the types KindOfContentType knows
  std::int64_t bytes = 0;
  std::string sha256 = {};      // of the content, lower-case hex
  std::int64_t created_ms = 0;  // since the epoch

  bool operator==(const Asset&) const = default;
};

inline constexpr std::size_t kTitleBytesMax = 200;

// What a media type such as `image/png` holds; empty for a type that is not accepted. Types that
// a browser would run (SVG, HTML) are not.
std::optional<Kind> KindOfContentType(absl::string_view content_type);

// 128 random bits from the kernel.
std::string NewId();
bool IsId(absl::string_view text);

// Whether `text` may be a title; see Asset::title.
bool IsTitle(absl::string_view text);

// Wall time, and its textual form `2026-01-31T12:00:00.000Z`.
std::int64_t NowMillis();
std::string FormatTime(std::int64_t millis);

}  // namespace media
