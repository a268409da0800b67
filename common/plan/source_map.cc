#include "common/plan/source_map.h"

#include <algorithm>
#include <utility>

namespace slipway::plan {
namespace {

constexpr std::size_t kStride = 512;
constexpr std::size_t kShownLineBytesMax = 1000;

std::uint32_t CountCharacters(std::string_view text) {
  return static_cast<std::uint32_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

}  // namespace

SourceMap::SourceMap(std::string file, std::string_view text)
    : file_(std::move(file)), text_(text), line_starts_{0} {
  for (std::size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n') line_starts_.push_back(i + 1);
  }
  std::uint32_t count = 0;
  for (std::size_t i = 0; i <= text_.size(); i += kStride) {
    characters_.push_back(count);
    count += CountCharacters(std::string_view(text_).substr(i, kStride));
  }
}

std::uint32_t SourceMap::CharactersBefore(std::size_t byte) const {
  const std::size_t start = byte / kStride * kStride;
  return characters_[byte / kStride] +
         CountCharacters(std::string_view(text_).substr(start, byte - start));
}

Span SourceMap::Bytes(std::size_t begin, std::size_t end) const {
  begin = std::min(begin, text_.size());
  end = std::clamp(end, begin, text_.size());
  const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), begin);
  const auto line = static_cast<std::uint32_t>(after - line_starts_.begin());
  const std::size_t start = line_starts_[line - 1];
  const std::size_t line_end = std::max(begin, start + Line(line).size());
  const std::uint32_t before = CharactersBefore(begin);
  const std::uint32_t length = CharactersBefore(std::min(end, line_end)) - before;
  return {line, before - CharactersBefore(start) + 1, std::max(length, 1u)};
}

std::string_view SourceMap::Line(std::uint32_t line) const {
  if (line == 0 || line > line_starts_.size()) return {};
  const std::size_t start = line_starts_[line - 1];
  const std::size_t end = line < line_starts_.size() ? line_starts_[line] - 1 : text_.size();
  std::string_view text = std::string_view(text_).substr(start, end - start);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

void SourceMap::Set(const std::string& path, Span key, Span value) {
  places_[path] = {key, value};
}

const SourceMap::Place* SourceMap::Nearest(std::string path) const {
  while (true) {
    const auto it = places_.find(path);
    if (it != places_.end()) return &it->second;
    const std::size_t cut = path.find_last_of(".[");
    if (cut == std::string::npos) return nullptr;
    path.resize(cut);
  }
}

Span SourceMap::Key(std::string path) const {
  const Place* place = Nearest(std::move(path));
  return place == nullptr ? Span{} : place->key;
}

Span SourceMap::Value(std::string path) const {
  const Place* place = Nearest(path);
  if (place == nullptr) return {};
  return Has(path) ? place->value : place->key;
}

Problem SourceMap::At(Span span, const ErrorCode& code, Words words) const {
  Problem problem;
  problem.severity = code.code >= "P100" ? Problem::Severity::warning : Problem::Severity::error;
  problem.code = code.code;
  problem.message = std::move(words.message);
  problem.file = file_;
  problem.line = span.line;
  problem.column = span.column;
  problem.length = span.length;
  problem.label = std::move(words.label);
  problem.help = std::move(words.help);
  // A longer one explains nothing, and a hundred problems may stand in it.
  if (const std::string_view line = Line(span.line); line.size() <= kShownLineBytesMax) {
    problem.source_line = line;
  }
  return problem;
}

}  // namespace slipway::plan
