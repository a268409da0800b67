#include "agent/database/sqlite_schema.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace slipway::agent {
namespace {

bool IsWord(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

class Tokens {
 public:
  Tokens(std::string_view sql, const std::set<std::string>& names) : sql_(sql), names_(names) {}

  std::vector<std::string> All() {
    std::vector<std::string> tokens;
    while (SkipSpace()) tokens.push_back(Next());
    return tokens;
  }

 private:
  // False at the end.
  bool SkipSpace() {
    while (at_ < sql_.size()) {
      const std::string_view rest = sql_.substr(at_);
      if (rest.starts_with("--")) {
        at_ = std::min(sql_.find('\n', at_), sql_.size());
      } else if (rest.starts_with("/*")) {
        const std::size_t end = sql_.find("*/", at_ + 2);
        at_ = end == std::string_view::npos ? sql_.size() : end + 2;
      } else if (absl::ascii_isspace(static_cast<unsigned char>(rest[0]))) {
        ++at_;
      } else {
        return true;
      }
    }
    return false;
  }

  std::string Next() {
    const char first = sql_[at_];
    if (first == '\'') return absl::StrCat("'", Quoted('\''), "'");
    if (first == '"') {
      const std::string text = Quoted('"');
      const std::string name = absl::AsciiStrToLower(text);
      return names_.contains(name) ? name : absl::StrCat("\"", text, "\"");
    }
    if (first == '`') return absl::AsciiStrToLower(Quoted('`'));
    if (first == '[') return absl::AsciiStrToLower(Quoted(']'));
    if (!IsWord(first)) return std::string(1, sql_[at_++]);
    const std::size_t begin = at_;
    while (at_ < sql_.size() && IsWord(sql_[at_])) ++at_;
    return absl::AsciiStrToLower(std::string(sql_.substr(begin, at_ - begin)));
  }

  // What stands between quotes; a doubled quote stays doubled, so that nothing is lost.
  std::string Quoted(char end) {
    const std::size_t begin = ++at_;
    while (at_ < sql_.size()) {
      if (sql_[at_] != end) {
        ++at_;
      } else if (end != ']' && at_ + 1 < sql_.size() && sql_[at_ + 1] == end) {
        at_ += 2;
      } else {
        break;
      }
    }
    std::string text(sql_.substr(begin, at_ - begin));
    at_ = std::min(at_ + 1, sql_.size());
    return text;
  }

  const std::string_view sql_;
  const std::set<std::string>& names_;
  std::size_t at_ = 0;
};

}  // namespace

std::string NormalisedDefinition(std::string_view sql, const std::set<std::string>& names,
                                 bool is_table) {
  const std::vector<std::string> tokens = Tokens(sql, names).All();
  const auto open = std::find(tokens.begin(), tokens.end(), "(");
  if (!is_table || open == tokens.end()) return absl::StrJoin(tokens, " ");
  std::vector<std::string> parts(1);
  auto token = open + 1;
  for (int depth = 1; token != tokens.end(); ++token) {
    if (*token == "(") ++depth;
    if (*token == ")" && --depth == 0) break;
    if (*token == "," && depth == 1) {
      parts.emplace_back();
    } else {
      absl::StrAppend(&parts.back(), parts.back().empty() ? "" : " ", *token);
    }
  }
  std::sort(parts.begin(), parts.end());
  return absl::StrCat(absl::StrJoin(tokens.begin(), open, " "), " ( ", absl::StrJoin(parts, " , "),
                      " ", absl::StrJoin(token, tokens.end(), " "));
}

}  // namespace slipway::agent
