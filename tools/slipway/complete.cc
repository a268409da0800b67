#include "tools/slipway/complete.h"

#include <algorithm>
#include <optional>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace slipway::cli {
namespace {

using Words = std::vector<std::string>;

absl::string_view View(std::string_view text) {
  return {text.data(), text.size()};
}

// The next word of each command whose name goes on behind `words`.
std::vector<Candidate> NextOfNames(const Words& words) {
  std::vector<Candidate> candidates;
  std::set<std::string> seen;
  for (const Command& command : CommandTable()) {
    const Words path = absl::StrSplit(View(command.path), ' ');
    if (command.hidden) continue;
    if (path.size() <= words.size() || !std::equal(words.begin(), words.end(), path.begin())) {
      continue;
    }
    const std::string& word = path[words.size()];
    if (!seen.insert(word).second) continue;
    const bool whole = path.size() == words.size() + 1;
    candidates.push_back({word, whole ? std::string(command.summary) : ""});
  }
  return candidates;
}

std::optional<Option> OptionNamed(const Command& command, const std::string& word) {
  for (const auto& options : {OptionsOf(command), GlobalOptions()}) {
    for (const Option& option : options) {
      const bool shorter = option.letter != '\0' && word == std::string{'-', option.letter};
      if (shorter || word == absl::StrCat("--", View(option.name))) return option;
    }
  }
  return std::nullopt;
}

std::vector<Candidate> OptionWords(const Command& command) {
  std::vector<Candidate> candidates;
  for (const auto& options : {OptionsOf(command), GlobalOptions()}) {
    for (const Option& option : options) {
      candidates.push_back({absl::StrCat("--", View(option.name)), std::string(option.help)});
    }
  }
  return candidates;
}

std::vector<Candidate> ColumnWords(const Command& command) {
  std::vector<Candidate> candidates;
  for (const std::string& name : ColumnNames(command.columns)) {
    candidates.push_back({absl::StrReplaceAll(absl::AsciiStrToLower(name), {{" ", "-"}}), ""});
  }
  return candidates;
}

std::vector<Candidate> ValuesOf(const Command& command, const Option& option, const AskLive& live) {
  if (option.name == "columns" || option.name == "sort-by") return ColumnWords(command);
  if (option.name == "context") return live(Live::context);
  if (option.name == "output") return {{"text", ""}, {"json", ""}};
  if (option.name == "color") return {{"auto", ""}, {"always", ""}, {"never", ""}};
  if (option.name == "hosts") return live(Live::host);
  if (option.name == "version") return live(Live::version);
  if (option.name == "release") return live(Live::release);
  return {};
}

std::vector<Candidate> ValuesOf(const Command& command, const Argument& argument,
                                const AskLive& live) {
  const bool context = command.path == "context use" || command.path == "context remove";
  if (context && argument.name == "NAME") return live(Live::context);
  if (argument.name == "HOST") return live(Live::host);
  if (argument.name == "ROLLOUT") return live(Live::rollout);
  if (argument.name == "RELEASE") return live(Live::release);
  if (argument.name == "SHELL") return {{"bash", ""}, {"zsh", ""}, {"fish", ""}};
  if (argument.name == "TOPIC") return NextOfNames({});
  return {};
}

// Of `command`, whose own words `typed` are behind its name.
std::vector<Candidate> Within(const Command& command, const Words& typed, bool option_wanted,
                              const AskLive& live) {
  std::size_t arguments = 0;
  std::optional<Option> open;  // takes the next word as its value
  for (const std::string& word : typed) {
    if (open.has_value()) {
      open.reset();
    } else if (absl::StartsWith(word, "-")) {
      const auto option = OptionNamed(command, word);
      if (option.has_value() && !option->value.empty()) open = option;
    } else {
      ++arguments;
    }
  }
  if (open.has_value()) return ValuesOf(command, *open, live);
  if (option_wanted) return OptionWords(command);
  if (arguments < command.arguments.size())
    return ValuesOf(command, command.arguments[arguments], live);
  const bool more = !command.arguments.empty() && command.arguments.back().repeated;
  return more ? ValuesOf(command, command.arguments.back(), live) : std::vector<Candidate>();
}

}  // namespace

std::vector<Candidate> Complete(const std::vector<std::string>& words, const AskLive& live) {
  if (words.empty()) return NextOfNames({});
  const std::string& begun = words.back();
  const Words typed(words.begin(), words.end() - 1);
  std::size_t used = 0;
  const Command* command = FindCommand(typed, used);
  std::vector<Candidate> candidates = NextOfNames(typed);
  if (command != nullptr) {
    const Words own(typed.begin() + static_cast<std::ptrdiff_t>(used), typed.end());
    const auto more = Within(*command, own, absl::StartsWith(begun, "-"), live);
    candidates.insert(candidates.end(), more.begin(), more.end());
  }
  std::erase_if(candidates, [&](const Candidate& c) { return !absl::StartsWith(c.word, begun); });
  return candidates;
}

}  // namespace slipway::cli
