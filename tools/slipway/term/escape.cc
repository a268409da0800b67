#include "tools/slipway/term/escape.h"

#include <wchar.h>

#include <cstdint>

#include "absl/strings/str_format.h"

namespace slipway::cli {
namespace {

// Decodes one character at `text[i]`; returns its bytes, 0 where it is not UTF-8.
std::size_t Decode(std::string_view text, std::size_t i, char32_t& out) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
  const unsigned char first = byte(i);
  if (first < 0x80) {
    out = first;
    return 1;
  }
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (size == 0 || first > 0xf4 || i + size > text.size()) return 0;
  out = first & (0x7f >> size);
  for (std::size_t k = 1; k < size; ++k) {
    if ((byte(i + k) & 0xc0) != 0x80) return 0;
    out = (out << 6) | (byte(i + k) & 0x3f);
  }
  static constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (out < kLeast[size] || out > 0x10ffff || (out >= 0xd800 && out <= 0xdfff)) return 0;
  return size;
}

bool IsHarmful(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) ||
         (c >= 0x200b && c <= 0x200f) ||  // zero width, marks of direction
         (c >= 0x2028 && c <= 0x202e) ||  // separators, embeddings, overrides
         (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

}  // namespace

std::string Escape(std::string_view text, bool one_line) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    char32_t c = 0;
    const std::size_t size = Decode(text, i, c);
    if (size == 0) {
      absl::StrAppendFormat(&out, "\\x%02x", static_cast<unsigned char>(text[i]));
      ++i;
      continue;
    }
    if ((c == '\n' || c == '\t') && !one_line) {
      out += static_cast<char>(c);
    } else if (IsHarmful(c)) {
      if (c < 0x100) {
        absl::StrAppendFormat(&out, "\\x%02x", static_cast<std::uint32_t>(c));
      } else {
        absl::StrAppendFormat(&out, "\\u%04x", static_cast<std::uint32_t>(c));
      }
    } else {
      out += text.substr(i, size);
    }
    i += size;
  }
  return out;
}

std::size_t Width(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < text.size();) {
    char32_t c = 0;
    const std::size_t size = Decode(text, i, c);
    const int columns = size == 0 ? 1 : wcwidth(static_cast<wchar_t>(c));
    width += columns > 0 ? static_cast<std::size_t>(columns) : 0;
    i += size == 0 ? 1 : size;
  }
  return width;
}

std::string Fit(std::string_view text, std::size_t columns, bool ascii) {
  const std::size_t whole = Width(text);
  if (whole <= columns) return std::string(text) + std::string(columns - whole, ' ');
  if (columns == 0) return "";
  std::string out;
  std::size_t width = 0;
  for (std::size_t i = 0; i < text.size();) {
    char32_t c = 0;
    const std::size_t size = Decode(text, i, c);
    const std::string_view piece = text.substr(i, size == 0 ? 1 : size);
    const std::size_t wide = Width(piece);
    if (width + wide > columns - 1) break;
    out += piece;
    width += wide;
    i += piece.size();
  }
  out += ascii ? "~" : "…";
  return out + std::string(columns - 1 - width, ' ');
}

}  // namespace slipway::cli
