// A strict subset of YAML 1.2 as a tree with positions. JSON is part of it.
//
// Refused, each with its place: anchors, aliases, tags, several documents, tabs as indentation,
// duplicate keys, keys that are not text, text that is not UTF-8, and files beyond the limits
// below.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "common/plan/source_map.h"

namespace slipway::plan {

inline constexpr std::size_t kFileBytesMax = 1024 * 1024;  // a plan is read by people
inline constexpr std::size_t kLineBytesMax = 64 * 1024;    // what stands open in one line is kept
inline constexpr std::size_t kNodesMax = 100'000;
inline constexpr std::size_t kDepthMax = 32;      // below the parser's own limit of 64
inline constexpr std::size_t kProblemsMax = 100;  // further ones are not collected

struct YamlEntry;

struct YamlNode {
  enum class Kind { scalar, list, mapping };
  Kind kind = Kind::scalar;
  std::string text;      // scalar
  bool plain = false;    // scalar without quotes
  bool refused = false;  // a problem was reported here: say nothing more about it
  Span span;
  std::vector<YamlNode> items;     // list
  std::vector<YamlEntry> entries;  // mapping, in the order of the file, keys unique
};

struct YamlEntry {
  YamlNode key, value;
};

// The document's root. nullopt: no tree could be made, and `problems` says why. With a tree there
// may be problems, too. A file without content has none of both.
std::optional<YamlNode> ReadStrictYaml(const SourceMap& source, std::vector<Problem>& problems);

}  // namespace slipway::plan
