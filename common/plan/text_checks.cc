#include "common/plan/text_checks.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "common/plan/strict_yaml.h"

namespace slipway::plan {
namespace {

// Bytes of the UTF-8 sequence that `text` starts with; 0: none that is valid.
std::size_t SequenceLength(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  std::uint32_t code = first & (0xFF >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    code = (code << 6) | (byte(i) & 0x3F);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return overlong || surrogate || code > 0x10FFFF ? 0 : length;
}

bool IsControl(unsigned char c) {
  return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F;
}

void CheckEncoding(const SourceMap& source, std::vector<Problem>& problems) {
  const std::string_view text = source.text();
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = SequenceLength(text.substr(i));
    const auto byte = static_cast<unsigned char>(text[i]);
    if (length == 0 || IsControl(byte)) {
      Problem problem =
          source.At(source.Bytes(i, i + 1), kBadText,
                    {absl::StrCat("byte 0x", absl::Hex(byte, absl::kZeroPad2),
                                  length == 0 ? " is not UTF-8" : " is a control character"),
                     "", "save the file as UTF-8 text"});
      problem.source_line.clear();  // a terminal is no place for such bytes
      problems.push_back(std::move(problem));
      return;
    }
    i += length;
  }
}

void CheckLines(const SourceMap& source, std::vector<Problem>& problems) {
  const std::string_view text = source.text();
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (end - begin > kLineBytesMax) {
      problems.push_back(source.At(source.Bytes(begin, begin + 1), kTooLarge,
                                   {absl::StrCat("a line of ", end - begin, " bytes; at most ",
                                                 kLineBytesMax, " are read")}));
      return;
    }
    begin = end + 1;
  }
}

void CheckTabs(const SourceMap& source, std::vector<Problem>& problems) {
  const std::string_view text = source.text();
  bool indentation = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\t' && indentation) {
      problems.push_back(source.At(source.Bytes(i, i + 1), kTab,
                                   {"tab in the indentation", "indent with spaces"}));
      return;
    }
    indentation = text[i] == '\n' || (indentation && text[i] == ' ');
  }
}

}  // namespace

void CheckText(const SourceMap& source, std::vector<Problem>& problems) {
  const std::string_view text = source.text();
  if (text.size() > kFileBytesMax) {
    problems.push_back(source.At({}, kTooLarge,
                                 {absl::StrCat("the file has ", text.size(), " bytes; at most ",
                                               kFileBytesMax, " are read")}));
    return;
  }
  CheckLines(source, problems);
  CheckEncoding(source, problems);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  const bool json = first != std::string_view::npos && text[first] == '{';
  if (problems.empty() && !json) CheckTabs(source, problems);
}

}  // namespace slipway::plan
