#include "common/selector.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace slipway {
namespace {

bool IsWordCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         std::string_view("_-./:@").find(c) != std::string_view::npos;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  void SkipBlanks() { at_ = std::min(text_.find_first_not_of(' ', at_), text_.size()); }
  bool Done() const { return at_ == text_.size(); }
  bool Take(std::string_view token) {
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }
  std::string TakeWord() {
    const std::size_t begin = at_;
    while (!Done() && IsWordCharacter(text_[at_])) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }
  SelectorError Error(std::string message) const { return {at_, 1, std::move(message)}; }

 private:
  const std::string_view text_;
  std::size_t at_ = 0;
};

// One part; what follows it is the caller's.
std::optional<SelectorError> ReadPart(Reader& reader, Selector::Part& part) {
  using Kind = Selector::Part::Kind;
  const bool negated = reader.Take("!");
  part.key = reader.TakeWord();
  if (part.key.empty()) return reader.Error("expected the name of a label");
  reader.SkipBlanks();
  const bool differs = reader.Take("!=");
  const bool equals = !differs && (reader.Take("==") || reader.Take("="));
  if (!differs && !equals) {
    part.kind = negated ? Kind::has_not : Kind::has;
    return std::nullopt;
  }
  if (negated) return reader.Error("write `key!=value` instead of `!key=value`");
  reader.SkipBlanks();
  part.kind = differs ? Kind::differs : Kind::equals;
  part.value = reader.TakeWord();
  if (part.value.empty()) return reader.Error("expected a value: letters, digits and _-./:@");
  return std::nullopt;
}

}  // namespace

bool Selector::Matches(std::string_view name,
                       const std::map<std::string, std::string>& labels) const {
  return std::all_of(parts_.begin(), parts_.end(), [&](const Part& part) {
    const auto label = labels.find(part.key);
    const bool is_name = part.key == "name";
    const bool has = is_name || label != labels.end();
    const std::string_view value = is_name ? name : has ? std::string_view(label->second) : "";
    switch (part.kind) {
      case Part::Kind::equals:
        return has && value == part.value;
      case Part::Kind::differs:
        return !has || value != part.value;
      case Part::Kind::has:
        return has;
      case Part::Kind::has_not:
        return !has;
    }
    return false;
  });
}

std::optional<SelectorError> ReadSelector(std::string_view text, Selector& selector) {
  if (text.size() > kSelectorBytesMax) {
    return SelectorError{kSelectorBytesMax, 1,
                         absl::StrCat("longer than ", kSelectorBytesMax, " bytes")};
  }
  selector.parts_.clear();
  Reader reader(text);
  reader.SkipBlanks();
  if (reader.Done()) return std::nullopt;
  while (true) {
    reader.SkipBlanks();
    Selector::Part part;
    if (auto error = ReadPart(reader, part); error.has_value()) return error;
    selector.parts_.push_back(std::move(part));
    reader.SkipBlanks();
    if (reader.Done()) return std::nullopt;
    if (!reader.Take(",")) return reader.Error("expected `,` before the next part");
  }
}

absl::StatusOr<Selector> ParseSelector(std::string_view text) {
  Selector selector;
  const std::optional<SelectorError> error = ReadSelector(text, selector);
  if (!error.has_value()) return selector;
  if (text.size() > kSelectorBytesMax)
    return absl::InvalidArgumentError("selector: " + error->message);
  return absl::InvalidArgumentError(absl::StrCat("selector: ", error->message, "\n  ",
                                                 std::string(text), "\n  ",
                                                 std::string(error->position, ' '), "^"));
}

}  // namespace slipway
