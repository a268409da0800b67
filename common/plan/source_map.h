// Where each key and value of a file stands. A value; reading it is thread-safe.
//
// A path names a place in the tree: "phases[0].steps[2].stop.service". Checks that run long after
// parsing use it to point at the line that a person has to change.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/plan/plan_errors.h"
#include "common/plan/problem.h"

namespace slipway::plan {

// Characters of one line. line 0: nowhere.
struct Span {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::uint32_t length = 0;
  bool operator==(const Span&) const = default;
};

// The words of a problem beyond its code and place.
struct Words {
  std::string message;
  std::string label = "";
  std::string help = "";
};

class SourceMap {
 public:
  SourceMap() : SourceMap("", "") {}
  SourceMap(std::string file, std::string_view text);

  // Bytes [begin, end) of the text, cut at the end of the first line.
  Span Bytes(std::size_t begin, std::size_t end) const;
  std::string_view Line(std::uint32_t line) const;
  std::string_view text() const { return text_; }
  const std::string& file() const { return file_; }

  void Set(const std::string& path, Span key, Span value);
  // Whether the file holds this path.
  bool Has(const std::string& path) const { return places_.contains(path); }
  // The place of a key or value; that of the nearest enclosing one when the path is not in the
  // file.
  Span Key(std::string path) const;
  Span Value(std::string path) const;

  Problem At(Span span, const ErrorCode& code, Words words) const;

 private:
  struct Place {
    Span key, value;
  };
  const Place* Nearest(std::string path) const;
  std::uint32_t CharactersBefore(std::size_t byte) const;

  std::string file_;
  std::string text_;
  std::vector<std::size_t> line_starts_;
  std::vector<std::uint32_t> characters_;  // before each kStride-th byte: long lines cost no more
  std::map<std::string, Place> places_;
};

}  // namespace slipway::plan
