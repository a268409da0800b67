// The only file that sees libfyaml. Its events, not its documents, are used: so the limits hold
// while reading, and each refusal has its place without ending the reading.
#include "common/plan/strict_yaml.h"

#include <libfyaml.h>

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/plan/text_checks.h"

namespace slipway::plan {
namespace {

struct DiagDeleter {
  void operator()(fy_diag* diag) const { fy_diag_destroy(diag); }
};
struct ParserDeleter {
  void operator()(fy_parser* parser) const { fy_parser_destroy(parser); }
};
using Diag = std::unique_ptr<fy_diag, DiagDeleter>;
using Parser = std::unique_ptr<fy_parser, ParserDeleter>;

// Makes the tree of a stream of events. Owns what is open; `root` is set when the last closes.
class TreeMaker {
 public:
  TreeMaker(const SourceMap& source, std::vector<Problem>& problems)
      : source_(source), problems_(problems) {}

  // false: stop reading.
  bool Take(fy_event* event) {
    switch (event->type) {
      case FYET_DOCUMENT_START:
        return StartDocument(event);
      case FYET_MAPPING_START:
        Refuse(event->mapping_start.anchor, event->mapping_start.tag);
        return Open(YamlNode::Kind::mapping, event);
      case FYET_SEQUENCE_START:
        Refuse(event->sequence_start.anchor, event->sequence_start.tag);
        return Open(YamlNode::Kind::list, event);
      case FYET_SCALAR:
        return Scalar(event);
      case FYET_ALIAS:
        return Alias(event);
      case FYET_MAPPING_END:
      case FYET_SEQUENCE_END:
        return Close(event);
      case FYET_NONE:
      case FYET_STREAM_START:
      case FYET_STREAM_END:
      case FYET_DOCUMENT_END:
        return true;
    }
    return true;
  }

  std::optional<YamlNode> root;

 private:
  struct Level {
    YamlNode node;
    std::optional<YamlNode> key;  // mapping: waits for its value
    std::unordered_map<std::string, Span> keys;
    std::size_t begin = 0;
  };

  Span SpanOf(fy_event* event) const {
    const fy_mark* begin = fy_event_start_mark(event);
    const fy_mark* end = fy_event_end_mark(event);
    if (begin == nullptr) return {};
    return source_.Bytes(begin->input_pos, end == nullptr ? 0 : end->input_pos);
  }

  // Of a token whose name is marked by `sigil`, which the parser leaves out.
  Span SpanOf(fy_token* token, char sigil) const {
    const fy_mark* mark = fy_token_start_mark(token);
    const fy_mark* end = fy_token_end_mark(token);
    if (mark == nullptr) return {};
    std::size_t begin = mark->input_pos;
    if (begin > 0 && begin <= source_.text().size() && source_.text()[begin - 1] == sigil) --begin;
    return source_.Bytes(begin, end == nullptr ? 0 : end->input_pos);
  }

  bool StartDocument(fy_event* event) {
    if (++documents_ == 1) return true;
    problems_.push_back(source_.At(SpanOf(event), kSeveralDocuments,
                                   {"a second document starts here", "one file is one document"}));
    return false;
  }

  void Refuse(fy_token* anchor, fy_token* tag) {
    if (anchor != nullptr) {
      problems_.push_back(source_.At(
          SpanOf(anchor, '&'), kAnchor,
          {"anchors are not part of the language", "repeat what is meant where it is meant"}));
    }
    if (tag != nullptr) {
      problems_.push_back(source_.At(
          SpanOf(tag, '!'), kTag,
          {"tags are not part of the language", "the key says which type its value has"}));
    }
  }

  // Counts a node; false when there are too many.
  bool Count(Span span) {
    if (++nodes_ <= kNodesMax) return true;
    problems_.push_back(
        source_.At(span, kTooLarge,
                   {absl::StrCat("more than ", kNodesMax, " values"), "no further than here"}));
    return false;
  }

  bool Open(YamlNode::Kind kind, fy_event* event) {
    Level level;
    level.node.kind = kind;
    level.node.span = SpanOf(event);
    const fy_mark* begin = fy_event_start_mark(event);
    level.begin = begin == nullptr ? 0 : begin->input_pos;
    if (!Count(level.node.span)) return false;
    if (open_.size() == kDepthMax) {
      problems_.push_back(source_.At(
          level.node.span, kTooLarge,
          {absl::StrCat("nested deeper than ", kDepthMax, " levels"), "no deeper than here"}));
      return false;
    }
    open_.push_back(std::move(level));
    return true;
  }

  bool Scalar(fy_event* event) {
    Refuse(event->scalar.anchor, event->scalar.tag);
    YamlNode node;
    node.span = SpanOf(event);
    if (fy_token* token = event->scalar.value; token != nullptr) {
      std::size_t length = 0;
      if (const char* text = fy_token_get_text(token, &length); text != nullptr) {
        node.text.assign(text, length);
      }
      node.plain = fy_token_scalar_style(token) == FYSS_PLAIN;
    } else {
      node.plain = true;  // `key:` and nothing behind it
    }
    if (event->scalar.tag != nullptr) {
      node.refused = true;
      node.span = SpanOf(event->scalar.tag, '!');
    }
    return Count(node.span) && Add(std::move(node));
  }

  bool Alias(fy_event* event) {
    YamlNode node;
    node.span = SpanOf(event->alias.anchor, '*');
    node.refused = true;
    problems_.push_back(source_.At(
        node.span, kAnchor,
        {"aliases are not part of the language", "repeat what is meant where it is meant"}));
    return Count(node.span) && Add(std::move(node));
  }

  bool Close(fy_event* event) {
    Level level = std::move(open_.back());
    open_.pop_back();
    const fy_mark* end = fy_event_end_mark(event);
    const bool flow = level.begin < source_.text().size() &&
                      (source_.text()[level.begin] == '{' || source_.text()[level.begin] == '[');
    if (flow && end != nullptr) level.node.span = source_.Bytes(level.begin, end->input_pos);
    if (!flow && !level.node.entries.empty()) level.node.span = level.node.entries[0].key.span;
    return Add(std::move(level.node));
  }

  // Puts a finished node where it belongs.
  bool Add(YamlNode node) {
    if (open_.empty()) {
      root = std::move(node);
      return true;
    }
    Level& level = open_.back();
    if (level.node.kind == YamlNode::Kind::list) {
      if (node.span.line == 0) node.span = level.node.span;
      level.node.items.push_back(std::move(node));
    } else if (!level.key.has_value()) {
      if (node.kind != YamlNode::Kind::scalar && !node.refused) {
        problems_.push_back(source_.At(node.span, kWrongKind,
                                       {"a key must be a word", "a mapping or list as a key"}));
        node.refused = true;
      }
      level.key = std::move(node);
    } else {
      AddEntry(level, std::move(node));
    }
    return true;
  }

  void AddEntry(Level& level, YamlNode value) {
    YamlNode key = *std::exchange(level.key, std::nullopt);
    const auto [first, fresh] = level.keys.try_emplace(key.text, key.span);
    if (!fresh && !key.refused) {
      problems_.push_back(source_.At(
          key.span, kDuplicateKey,
          {absl::StrCat("`", key.text, "` is given twice"),
           absl::StrCat("the first stands in line ", first->second.line), "keep one of them"}));
      return;
    }
    if (value.span.line == 0) value.span = key.span;  // nothing stands there to point at
    level.node.entries.push_back({std::move(key), std::move(value)});
  }

  const SourceMap& source_;
  std::vector<Problem>& problems_;
  std::vector<Level> open_;
  std::size_t nodes_ = 0;
  int documents_ = 0;
};

// What the parser collected; the first error is the cause, the rest are echoes of it.
void AddParserErrors(fy_diag* diag, const SourceMap& source, std::vector<Problem>& problems) {
  void* previous = nullptr;
  const fy_diag_error* error = fy_diag_errors_iterate(diag, &previous);
  if (error == nullptr) {
    problems.push_back(source.At({}, kNotYaml, {"the file is not valid YAML"}));
    return;
  }
  Span span{static_cast<std::uint32_t>(std::max(error->line, 0)),
            static_cast<std::uint32_t>(std::max(error->column, 1)), 1};
  if (error->fyt != nullptr) {
    if (const fy_mark* mark = fy_token_start_mark(error->fyt); mark != nullptr) {
      span = source.Bytes(mark->input_pos, mark->input_pos + 1);
    }
  }
  const std::string reason(absl::StripAsciiWhitespace(error->msg == nullptr ? "" : error->msg));
  problems.push_back(source.At(
      span, kNotYaml,
      {absl::StrCat("not valid YAML: ", reason), source.Line(span.line).empty() ? "" : "here"}));
}

Parser MakeParser(fy_diag* diag) {
  fy_parse_cfg config{};
  config.flags = static_cast<fy_parse_cfg_flags>(FYPCF_QUIET | FYPCF_COLLECT_DIAG |
                                                 FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE);
  config.diag = diag;
  return Parser(fy_parser_create(&config));
}

}  // namespace

std::optional<YamlNode> ReadStrictYaml(const SourceMap& source, std::vector<Problem>& problems) {
  CheckText(source, problems);
  if (HasErrors(problems)) return std::nullopt;

  fy_diag_cfg diag_config;
  fy_diag_cfg_default(&diag_config);
  diag_config.fp = nullptr;
  const Diag diag(fy_diag_create(&diag_config));
  fy_diag_set_collect_errors(diag.get(), true);
  const Parser parser = MakeParser(diag.get());
  if (fy_parser_set_string(parser.get(), source.text().data(), source.text().size()) != 0) {
    AddParserErrors(diag.get(), source, problems);
    return std::nullopt;
  }

  TreeMaker maker(source, problems);
  bool going = true;
  while (going) {
    fy_event* event = fy_parser_parse(parser.get());
    if (event == nullptr) break;
    going = maker.Take(event) && problems.size() < kProblemsMax;
    fy_parser_event_free(parser.get(), event);
  }
  if (!going) return std::nullopt;
  if (fy_parser_get_stream_error(parser.get())) {
    AddParserErrors(diag.get(), source, problems);
    return std::nullopt;
  }
  return std::move(maker.root);
}

}  // namespace slipway::plan
