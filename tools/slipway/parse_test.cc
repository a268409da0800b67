#include "tools/slipway/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tools/slipway/help.h"

namespace slipway::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Parsed Type(std::vector<const char*> words) {
  words.insert(words.begin(), "slipway");
  return Parse(static_cast<int>(words.size()), words.data());
}

TEST(ParseTest, ArgumentsOptionsAndFlagsArriveUnderTheirNames) {
  const Parsed p =
      Type({"deploy", "plan.yaml", "--version", "2.0.0", "--set", "a=1", "--dry-run", "--set=b=2"});
  ASSERT_NE(p.command, nullptr);
  EXPECT_EQ(p.error, "");
  EXPECT_EQ(p.command->path, "deploy");
  EXPECT_EQ(p.invocation.Value("PLAN"), "plan.yaml");
  EXPECT_EQ(p.invocation.Value("version"), "2.0.0");
  EXPECT_THAT(p.invocation.Values("set"), ElementsAre("a=1", "b=2"));
  EXPECT_TRUE(p.invocation.Flag("dry-run"));
  EXPECT_FALSE(p.invocation.Flag("detach"));
}

TEST(ParseTest, GlobalOptionsStandBeforeOrBehindTheCommand) {
  for (const auto& words : std::vector<std::vector<const char*>>{
           {"-o", "json", "fleet", "status"}, {"fleet", "status", "-o", "json"}}) {
    const Parsed p = Type(words);
    ASSERT_NE(p.command, nullptr);
    EXPECT_EQ(p.error, "");
    EXPECT_EQ(p.command->path, "fleet status");
    EXPECT_EQ(p.invocation.Value("output"), "json");
  }
}

TEST(ParseTest, LastOfAnOptionThatIsNotRepeatedWins) {
  const Parsed p = Type({"watch", "--timeout", "1s", "--timeout", "2s"});
  EXPECT_EQ(p.invocation.Value("timeout"), "2s");
}

TEST(ParseTest, WhatIsUnknownGetsASuggestion) {
  EXPECT_THAT(Type({"stauts"}).error, HasSubstr("did you mean `status`"));
  EXPECT_THAT(Type({"fleet", "stauts"}).error, HasSubstr("did you mean `fleet status`"));
  EXPECT_THAT(Type({"deploy", "p", "--dryrun"}).error, HasSubstr("did you mean `--dry-run`"));
  EXPECT_THAT(Type({"fleet"}).error, HasSubstr("group of commands"));
}

TEST(ParseTest, EachArgumentTakesItsOwnWord) {
  const Parsed two = Type({"plan", "diff", "old.yaml", "new.yaml"});
  EXPECT_EQ(two.error, "");
  EXPECT_EQ(two.invocation.Value("OLD"), "old.yaml");
  EXPECT_EQ(two.invocation.Value("NEW"), "new.yaml");
  const Parsed optional = Type({"logs", "ro-M4TZ7K", "web-1"});
  EXPECT_EQ(optional.error, "");
  EXPECT_EQ(optional.invocation.Value("HOST"), "web-1");
  const Parsed rest = Type({"help", "fleet", "status"});
  EXPECT_THAT(rest.invocation.Values("TOPIC"), ElementsAre("fleet", "status"));
}

TEST(ParseTest, MissingAndSurplusArgumentsAreErrors) {
  EXPECT_NE(Type({"plan", "diff", "old.yaml"}).error, "");
  EXPECT_NE(Type({"plan", "diff", "a", "b", "c"}).error, "");
  EXPECT_NE(Type({"logs", "a", "b", "c"}).error, "");
  EXPECT_NE(Type({"deploy"}).error, "");
  EXPECT_NE(Type({"version", "surplus"}).error, "");
  EXPECT_NE(Type({"watch", "--timeout"}).error, "");
}

TEST(ParseTest, HelpIsAskedForAnywhere) {
  EXPECT_TRUE(Type({"--help"}).help);
  EXPECT_TRUE(Type({}).help);
  const Parsed p = Type({"deploy", "-h"});
  EXPECT_TRUE(p.help);
  ASSERT_NE(p.command, nullptr);
}

TEST(CommandTableTest, EveryCommandParsesAndHasItsHelp) {
  for (const Command& command : CommandTable()) {
    SCOPED_TRACE(std::string(command.path));
    EXPECT_FALSE(command.summary.empty());
    EXPECT_NE(command.run, nullptr);
    const std::string help = HelpOf(command);
    for (const Option& option : command.options) {
      EXPECT_THAT(help, HasSubstr("--" + std::string(option.name)));
      EXPECT_FALSE(option.help.empty());
    }
    EXPECT_EQ(Overview().find(std::string(command.path)) == std::string::npos, command.hidden);
  }
}

TEST(CommandTableTest, EveryCommandAndExitCodeStandsInTheDocumentation) {
  std::ifstream file("docs/cli.md");
  std::stringstream text;
  text << file.rdbuf();
  for (const Command& command : CommandTable()) {
    if (command.group.empty()) continue;
    EXPECT_THAT(text.str(), HasSubstr("`" + std::string(command.path)));
  }
  int rows = 0;
  const ExitCodeRow* table = ExitCodeTable(rows);
  for (int i = 0; i < rows && table[i].code < ExitCode::interrupted; ++i) {
    EXPECT_THAT(text.str(),
                HasSubstr("| " + std::to_string(static_cast<int>(table[i].code)) + " | "));
  }
}

TEST(ExitCodeTest, EveryRowHasItsOwnCodeAndAMeaning) {
  int rows = 0;
  const ExitCodeRow* table = ExitCodeTable(rows);
  ASSERT_EQ(rows, 18);
  for (int i = 1; i < rows; ++i) EXPECT_LT(table[i - 1].code, table[i].code);
}

TEST(ExitCodeTest, StatusCodesMapToWhatTheCallerDoesNext) {
  EXPECT_EQ(ExitCodeOf(absl::InvalidArgumentError("")), ExitCode::invalid);
  EXPECT_EQ(ExitCodeOf(absl::PermissionDeniedError("")), ExitCode::denied);
  EXPECT_EQ(ExitCodeOf(absl::UnauthenticatedError("")), ExitCode::denied);
  EXPECT_EQ(ExitCodeOf(absl::NotFoundError("")), ExitCode::not_found);
  EXPECT_EQ(ExitCodeOf(absl::FailedPreconditionError("")), ExitCode::not_now);
  EXPECT_EQ(ExitCodeOf(absl::UnavailableError("")), ExitCode::unreachable);
  EXPECT_EQ(ExitCodeOf(absl::InternalError("")), ExitCode::unexpected);
}

}  // namespace
}  // namespace slipway::cli
