#include "common/selector.h"

#include <gtest/gtest.h>

namespace slipway {
namespace {

const std::map<std::string, std::string> kWeb = {{"role", "web"}, {"zone", "a"}};

bool Matches(std::string_view text, std::string_view name = "web-1") {
  const absl::StatusOr<Selector> selector = ParseSelector(text);
  EXPECT_TRUE(selector.ok()) << selector.status();
  return selector.ok() && selector->Matches(name, kWeb);
}

std::string Error(std::string_view text) {
  return std::string(ParseSelector(text).status().message());
}

TEST(Selector, EveryPartMustHold) {
  EXPECT_TRUE(Matches("role=web,zone!=b,name=web-1"));
  EXPECT_TRUE(Matches(" role == web , zone = a "));
  EXPECT_FALSE(Matches("role=web,zone=b"));
  EXPECT_FALSE(Matches("name=web-2"));
  EXPECT_TRUE(Matches("name!=web-2"));
}

TEST(Selector, EmptyMatchesEveryHost) {
  EXPECT_TRUE(Matches(""));
  EXPECT_TRUE(Matches("  "));
}

TEST(Selector, PresenceIsAsked) {
  EXPECT_TRUE(Matches("role,!retired"));
  EXPECT_FALSE(Matches("!role"));
  EXPECT_FALSE(Matches("retired"));
  EXPECT_TRUE(Matches("name"));
}

TEST(Selector, ADifferenceHoldsWithoutTheLabel) {
  EXPECT_TRUE(Matches("rack!=7"));
}

TEST(Selector, ErrorsPointAtTheirPlace) {
  EXPECT_EQ(Error("role=web,"),
            "selector: expected the name of a label\n  role=web,\n           ^");
  EXPECT_EQ(Error("role="),
            "selector: expected a value: letters, digits and _-./:@\n  role=\n       ^");
  EXPECT_EQ(Error("a=b c=d"), "selector: expected `,` before the next part\n  a=b c=d\n      ^");
  EXPECT_NE(Error("!a=b"), "");
  EXPECT_NE(Error("=b"), "");
  EXPECT_NE(Error("a=\"b\""), "");
  EXPECT_NE(Error(std::string(kSelectorBytesMax + 1, 'a')), "");
}

}  // namespace
}  // namespace slipway
