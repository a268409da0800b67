// Runs every file of testdata/ against the engine: lines, "----", and what they answered.
//
// SLIPWAY_REWRITE_SCENARIOS=1 records the answers anew. Commit only what you can explain.
#include "tests/scenario/scenario.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"

namespace slipway::scenario {
namespace {

bool IsSet(const char* name, const std::string& value) {
  const char* found = std::getenv(name);
  return found != nullptr && found == value;
}

std::filesystem::path Folder() {
  const char* root = std::getenv("SLIPWAY_SOURCE_DIR");
  return std::filesystem::path(root == nullptr ? "." : root) / "tests/scenario/testdata";
}

std::vector<std::string> Files() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(Folder())) {
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// Runs the commands of `text` and returns it with their answers in place of the recorded ones.
std::string Replay(const std::string& text, bool twice) {
  Scenario scenario(twice);
  std::istringstream in(text);
  std::string result, pending;
  bool in_answer = false;
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) {
      in_answer = false;
      absl::StrAppend(&result, "\n");
    } else if (line == "----") {
      in_answer = true;
      absl::StrAppend(&result, "----\n", pending);
      pending.clear();
    } else if (!in_answer) {
      absl::StrAppend(&result, line, "\n");
      if (line[0] != '#') absl::StrAppend(&pending, scenario.Run(line));
    }
  }
  return result;
}

class ScenarioFile : public testing::TestWithParam<std::string> {};

TEST_P(ScenarioFile, AnswersAsRecorded) {
  const auto path = Folder() / (GetParam() + ".txt");
  const std::string recorded = ReadFile(path);
  ASSERT_EQ(recorded.rfind("# ", 0), 0u) << "a scenario begins with its story";
  const std::string now = Replay(recorded, false);
  if (IsSet("SLIPWAY_REWRITE_SCENARIOS", "1")) {
    ASSERT_FALSE(IsSet("CI", "true")) << "answers are recorded by people, never by CI";
    std::ofstream(path) << now;
    return;
  }
  EXPECT_EQ(now, recorded);
  EXPECT_EQ(now.find("BROKEN"), std::string::npos);
  EXPECT_EQ(now.find("error:"), std::string::npos);
  EXPECT_EQ(now.find("DIFFERENT"), std::string::npos);
}

TEST_P(ScenarioFile, AnswersTheSameWhenEveryReportComesTwice) {
  // The number of replayed events would differ if a duplicate had become an event.
  const std::string recorded = ReadFile(Folder() / (GetParam() + ".txt"));
  EXPECT_EQ(Replay(recorded, true), Replay(recorded, false));
}

INSTANTIATE_TEST_SUITE_P(All, ScenarioFile, testing::ValuesIn(Files()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace slipway::scenario
