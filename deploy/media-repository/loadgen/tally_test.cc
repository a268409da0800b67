#include "deploy/media-repository/loadgen/tally.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace media::load {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST(Histogram, QuantilesAreWithinTwoPercent) {
  Histogram histogram;
  for (int i = 1; i <= 1000; ++i) histogram.Add(milliseconds(i));
  EXPECT_NEAR(histogram.QuantileMillis(0.50), 500, 500 * 0.021);
  EXPECT_NEAR(histogram.QuantileMillis(0.99), 990, 990 * 0.021);
  EXPECT_NEAR(histogram.QuantileMillis(1.0), 1000, 1000 * 0.021);
}

TEST(Histogram, ExtremesFallIntoTheOuterBuckets) {
  Histogram histogram;
  EXPECT_EQ(histogram.QuantileMillis(0.5), 0);
  histogram.Add(microseconds(-5));
  EXPECT_LT(histogram.QuantileMillis(1.0), 0.01);
  histogram.Add(std::chrono::hours(10));
  EXPECT_GT(histogram.QuantileMillis(1.0), 100'000);
}

TEST(Tally, FailuresAreCountedByStatusAndTheFirstOnesKept) {
  Tally tally;
  tally.Add({.request = "GET /a", .status = "200", .latency = milliseconds(2)});
  for (int i = 0; i < 30; ++i) {
    tally.Add({.request = "GET /b", .status = "502", .failure = "bad gateway"});
  }
  EXPECT_EQ(tally.failed(), 30);
  const auto json = nlohmann::json::parse(tally.ToJson(true));
  EXPECT_EQ(json["requests"], 31);
  EXPECT_EQ(json["failed"], 30);
  EXPECT_EQ(json["running"], true);
  EXPECT_EQ(json["by_status"]["200"], 1);
  EXPECT_EQ(json["by_status"]["502"], 30);
  EXPECT_EQ(json["first_failures"].size(), 20u);
  EXPECT_THAT(json["first_failures"][0].get<std::string>(),
              ::testing::EndsWith("GET /b: bad gateway"));
}

TEST(WriteWhole, ReplacesTheFileAndLeavesNoPart) {
  const std::string path = ::testing::TempDir() + "summary.json";
  ASSERT_TRUE(WriteWhole(path, "old").ok());
  ASSERT_TRUE(WriteWhole(path, "new").ok());
  std::ifstream file(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "new");
  EXPECT_FALSE(std::filesystem::exists(path + ".part"));
  std::filesystem::remove(path);
}

TEST(WriteWhole, ADirectoryThatIsNotThereIsAnError) {
  EXPECT_FALSE(WriteWhole("/nowhere/summary.json", "text").ok());
}

}  // namespace
}  // namespace media::load
