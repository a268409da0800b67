#include "tools/slipway/complete.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

class CompleteTest : public testing::Test {
 protected:
  std::vector<std::string> Words(const std::vector<std::string>& typed) {
    std::vector<std::string> words;
    for (const Candidate& candidate : Complete(typed, live_)) words.push_back(candidate.word);
    return words;
  }

  int asked_ = 0;
  const AskLive live_ = [this](Live what) -> std::vector<Candidate> {
    ++asked_;
    switch (what) {
      case Live::host:
        return {{"web-1", ""}, {"web-2", "cordoned"}};
      case Live::rollout:
        return {{"ro-M4TZ7K", "shop 2.4.0"}};
      case Live::release:
        return {{"shop@2.4.0", ""}};
      case Live::version:
        return {{"2.4.0", "shop"}};
      case Live::context:
        return {{"staging", ""}};
    }
    return {};
  };
};

TEST_F(CompleteTest, CommandsComeFromTheTableWordByWord) {
  EXPECT_THAT(Words({"dep"}), ElementsAre("deploy"));
  EXPECT_THAT(Words({""}), Contains("fleet"));
  EXPECT_THAT(Words({"fleet", ""}), ElementsAre("status", "drift"));
  EXPECT_THAT(Words({"nonsense", ""}), IsEmpty());
  EXPECT_EQ(asked_, 0) << "the controller is not asked for what the table knows";
}

TEST_F(CompleteTest, SummariesStandBesideCommands) {
  const auto found = Complete({"fleet", "st"}, live_);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_FALSE(found[0].help.empty());
}

TEST_F(CompleteTest, LiveThingsStandInTheirPlaces) {
  EXPECT_THAT(Words({"host", "show", ""}), ElementsAre("web-1", "web-2"));
  EXPECT_THAT(Words({"host", "show", "web-2"}), ElementsAre("web-2"));
  EXPECT_THAT(Words({"watch", "ro-"}), ElementsAre("ro-M4TZ7K"));
  EXPECT_THAT(Words({"release", "show", ""}), ElementsAre("shop@2.4.0"));
  EXPECT_THAT(Words({"deploy", "plan.yaml", "--version", ""}), ElementsAre("2.4.0"));
  EXPECT_THAT(Words({"logs", "ro-M4TZ7K", ""}), ElementsAre("web-1", "web-2"));
}

TEST_F(CompleteTest, OptionsOfTheCommandAndGlobalOnes) {
  EXPECT_THAT(Words({"deploy", "--dr"}), ElementsAre("--dry-run"));
  EXPECT_THAT(Words({"fleet", "status", "--"}), Contains("--output"));
  EXPECT_THAT(Words({"fleet", "status", "--"}), Not(Contains("--dry-run")));
  EXPECT_THAT(Words({"fleet", "status", "-o", ""}), ElementsAre("text", "json"));
}

TEST_F(CompleteTest, ValuesOfOptionsDoNotCountAsArguments) {
  EXPECT_THAT(Words({"logs", "--step", "start", ""}), ElementsAre("ro-M4TZ7K"));
  EXPECT_THAT(Words({"host", "show", "web-1", ""}), IsEmpty()) << "it takes one";
}

TEST_F(CompleteTest, FilesAreLeftToTheShell) {
  EXPECT_THAT(Words({"deploy", ""}), IsEmpty());
  EXPECT_THAT(Words({"release", "push", ""}), IsEmpty());
}

}  // namespace
}  // namespace slipway::cli
