#include "tools/slipway/parse.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/nearest_name.h"

namespace slipway::cli {
namespace {

using Names = std::vector<std::string>;

void Declare(CLI::App& app, const Option& option, Invocation& into) {
  std::string names = absl::StrCat("--", std::string(option.name));
  if (option.letter != '\0') absl::StrAppend(&names, ",-", std::string(1, option.letter));
  const std::string name(option.name);
  if (option.value.empty()) {
    app.add_flag_callback(names, [&into, name] { into.Add(name, "true"); });
  } else {
    auto* added = app.add_option_function<std::vector<std::string>>(
        names, [&into, name](const std::vector<std::string>& values) {
          for (const std::string& value : values) into.Add(name, value);
        });
    added->allow_extra_args(false)->type_size(1)->expected(1);
    added->multi_option_policy(option.repeated ? CLI::MultiOptionPolicy::TakeAll
                                               : CLI::MultiOptionPolicy::TakeLast);
  }
}

std::string UnknownCommand(const Names& words) {
  Names candidates;
  const std::string first = words.front();
  for (const Command& command : CommandTable()) {
    if (command.hidden) continue;
    candidates.emplace_back(command.path);
    if (std::string(command.path).rfind(first + " ", 0) == 0 && words.size() == 1) {
      return absl::StrCat("`", first, "` is a group of commands: see `slipway help ", first, "`");
    }
  }
  const std::string typed = words.size() > 1 ? absl::StrCat(first, " ", words[1]) : first;
  std::string near = NearestName(typed, candidates);
  if (near.empty()) near = NearestName(first, candidates);
  return absl::StrCat("unknown command `", near.empty() ? first : typed, "`",
                      near.empty() ? "" : absl::StrCat("; did you mean `", near, "`?"),
                      "\n`slipway help` lists all commands");
}

// Words before the first option are the command; a global option may stand before them.
std::size_t SkipGlobals(const Names& args) {
  std::size_t i = 0;
  while (i < args.size() && args[i].size() > 1 && args[i][0] == '-') {
    bool takes_value = false;
    for (const Option& option : GlobalOptions()) {
      const bool named = args[i] == absl::StrCat("--", std::string(option.name)) ||
                         (option.letter != '\0' && args[i] == std::string{'-', option.letter});
      takes_value |= named && !option.value.empty();
    }
    i += takes_value ? 2 : 1;
  }
  return std::min(i, args.size());
}

std::string Explain(const CLI::ParseError& error, const Command& command, const Names& args) {
  Names known;
  for (const auto& options : {OptionsOf(command), GlobalOptions()}) {
    for (const Option& option : options)
      known.push_back(absl::StrCat("--", std::string(option.name)));
  }
  std::string text = error.what();
  for (const std::string& arg : args) {
    const std::string name = arg.substr(0, arg.find('='));
    if (name.rfind("--", 0) != 0 || std::find(known.begin(), known.end(), name) != known.end())
      continue;
    text = absl::StrCat("unknown option `", name, "`");
    if (const std::string near = NearestName(name, known); !near.empty()) {
      absl::StrAppend(&text, "; did you mean `", near, "`?");
    }
    break;
  }
  return absl::StrCat(text, "\n`slipway help ", std::string(command.path),
                      "` shows how it is used");
}

// Columns that the command's table does not have; "" when there are none such.
std::string UnknownColumn(const Command& command, const Invocation& invocation) {
  const Names known = ColumnNames(command.columns);
  for (const char* option : {"columns", "sort-by"}) {
    const Names named = ColumnNames(invocation.Value(option));
    if (std::string_view(option) == "sort-by" && named.size() > 1)
      return "--sort-by takes one column";
    for (const std::string& name : named) {
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      const std::string near = NearestName(name, known);
      return absl::StrCat("no column is called `", absl::AsciiStrToLower(name), "`",
                          near.empty() ? "" : absl::StrCat("; did you mean ", near, "?"),
                          "\nthere are: ", absl::StrJoin(known, ", "));
    }
  }
  return "";
}

void DeclareAll(CLI::App& app, const Command& command, Invocation& into) {
  app.set_help_flag();
  for (const Option& option : OptionsOf(command)) Declare(app, option, into);
  for (const Option& option : GlobalOptions()) Declare(app, option, into);
  for (const Argument& argument : command.arguments) {
    const std::string name(argument.name);
    auto* added = app.add_option_function<std::vector<std::string>>(
        name, [&into, name](const std::vector<std::string>& values) {
          for (const std::string& value : values) into.Add(name, value);
        });
    added->required(argument.required);
    // CLI11 gives an argument all words that are left, unless it may have just what it needs.
    added->allow_extra_args(argument.repeated || !argument.required);
    argument.repeated ? added->expected(0, 64) : added->expected(argument.required ? 1 : 0, 1);
  }
}

}  // namespace

Parsed Parse(int argc, const char* const* argv) {
  Parsed parsed;
  Names args(argv + std::min(argc, 1), argv + argc);
  const auto wants_help = [](const std::string& a) { return a == "-h" || a == "--help"; };
  if (args.size() == 1 && (args[0] == "-V" || args[0] == "--version")) args = {"version"};

  const std::size_t globals = SkipGlobals(args);
  const Names words(args.begin() + static_cast<std::ptrdiff_t>(globals), args.end());
  if (words.empty() || wants_help(args[0])) {
    parsed.help = true;
    if (words.empty() && !args.empty() && !wants_help(args[0]))
      parsed.error = "no command is named";
    return parsed;
  }
  std::size_t used = 0;
  parsed.command = FindCommand(words, used);
  if (parsed.command == nullptr) {
    parsed.error = UnknownCommand(words);
    return parsed;
  }
  // What stands behind "--" is text, whatever it looks like.
  if (std::any_of(words.begin(), std::find(words.begin(), words.end(), "--"), wants_help)) {
    parsed.help = true;
    return parsed;
  }
  Names rest(args.begin(), args.begin() + static_cast<std::ptrdiff_t>(globals));
  rest.insert(rest.end(), words.begin() + static_cast<std::ptrdiff_t>(used), words.end());
  CLI::App app;
  DeclareAll(app, *parsed.command, parsed.invocation);
  try {
    Names reversed(rest.rbegin(), rest.rend());  // CLI11 takes them from the back
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    parsed.error = Explain(error, *parsed.command, rest);
  }
  parsed.invocation.set_command(*parsed.command);
  if (parsed.error.empty()) parsed.error = UnknownColumn(*parsed.command, parsed.invocation);
  return parsed;
}

}  // namespace slipway::cli
