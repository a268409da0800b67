#include "common/plan/plan_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "common/plan/plan_errors.h"
#include "common/plan/render_problems.h"
#include "slipway/v1/plan.pb.h"

namespace slipway::plan {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

fs::path SourceDir() {
  const char* dir = std::getenv("SLIPWAY_SOURCE_DIR");
  return dir == nullptr ? fs::current_path() : fs::path(dir);
}

LoadedPlan LoadFile(const fs::path& path) {
  return LoadPlan(path.filename().string(), ReadFile(path));
}

std::string Rendered(const LoadedPlan& loaded) {
  const std::string& file = loaded.source.file();
  return RenderProblems(loaded.problems, Colour::none) + "\n" +
         CountProblems(file, loaded.problems) + "\n";
}

std::vector<fs::path> FilesIn(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Compares with the recorded answer beside the file. SLIPWAY_REWRITE_GOLDEN=1 records a new one;
// commit only what you can explain.
void ExpectRecorded(const fs::path& answer, const std::string& text) {
  if (std::getenv("SLIPWAY_REWRITE_GOLDEN") != nullptr) {
    ASSERT_EQ(std::getenv("CI"), nullptr) << "answers are not rewritten in CI";
    std::ofstream(answer, std::ios::binary) << text;
    return;
  }
  EXPECT_EQ(text, ReadFile(answer)) << answer;
}

TEST(BadPlans, AreExplainedAsRecorded) {
  const std::vector<fs::path> files = FilesIn(SourceDir() / "common/plan/testdata/bad");
  EXPECT_GE(files.size(), 40U);
  for (const fs::path& file : files) {
    const LoadedPlan loaded = LoadFile(file);
    EXPECT_FALSE(loaded.problems.empty()) << file;
    ExpectRecorded(fs::path(file).replace_extension(".txt"), Rendered(loaded));
  }
}

TEST(BadPlans, ShowEveryCodeThatNeedsNoFleet) {
  std::set<std::string> shown;
  for (const fs::path& file : FilesIn(SourceDir() / "common/plan/testdata/bad")) {
    for (const Problem& problem : LoadFile(file).problems) shown.insert(problem.code);
  }
  for (const ErrorCode& code : kAllErrorCodes) {
    const bool needs_fleet = (code.code >= "P060" && code.code < "P100") ||
                             code.code == kGroupDown.code || code.code == kNotStaged.code ||
                             code.code == kHostAway.code;
    EXPECT_TRUE(needs_fleet || shown.contains(std::string(code.code))) << code.code;
  }
}

TEST(ErrorCodes, AreAllInTheReference) {
  const std::string reference = ReadFile(SourceDir() / "docs/plan.md");
  for (const ErrorCode& code : kAllErrorCodes) {
    EXPECT_THAT(reference,
                HasSubstr("| " + std::string(code.code) + " | " + std::string(code.title)));
  }
}

TEST(GoodPlans, LoadWithoutProblems) {
  for (const char* name : {"staging.yaml", "quickstart.yaml"}) {
    const LoadedPlan loaded = LoadFile(SourceDir() / "deploy/media-repository" / name);
    EXPECT_TRUE(loaded.problems.empty()) << Rendered(loaded);
  }
}

TEST(GoodPlans, AreShownAsRecorded) {
  const fs::path folder = SourceDir() / "common/plan/testdata/good";
  const std::vector<fs::path> files = FilesIn(folder);
  EXPECT_GE(files.size(), 2U);
  for (const fs::path& file : files) {
    const LoadedPlan loaded = LoadFile(file);
    ASSERT_TRUE(loaded.problems.empty()) << Rendered(loaded);
    ExpectRecorded(fs::path(file).replace_extension(".txt"), ShowPlan(*loaded.plan));
  }
}

TEST(SeedPlan, IsRefusedForExactlyWhatIsNotServed) {
  const LoadedPlan loaded = LoadFile(SourceDir() / "common/plan/testdata/seed.yaml");
  std::vector<std::string> refused;
  for (const Problem& problem : loaded.problems) {
    if (problem.severity == Problem::Severity::warning) continue;
    EXPECT_EQ(problem.code, kUnserved.code) << problem.message;
    refused.push_back(problem.message.substr(0, problem.message.find(" is not served")));
  }
  EXPECT_THAT(refused,
              ElementsAre("`window:`", "`store: controller`", "`database:`", "`quiet: read_only`",
                          "`progress:`", "`keep_old:`", "`clear_cache:`", "`load:`", "`compare:`",
                          "`secure:`", "`triggers: invariant_failed`", "`triggers: compare_failed`",
                          "`triggers: security_failed`", "`database: restore`", "`max_loss:`",
                          "`verify: invariants`", "`watch:`", "`notify:`"));
}

TEST(LoadPlan, DigestIsThatOfTheBytes) {
  EXPECT_EQ(LoadPlan("x", "").digest,
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace slipway::plan
