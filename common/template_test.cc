#include "common/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/nearest_name.h"

namespace slipway {
namespace {

using testing::HasSubstr;

const std::map<std::string, std::string> kVars = {
    {"port", "8080"}, {"release.version", "2.0.0"}, {"any(web)", "web-1"}, {"odd", "{{port}}"}};

std::string ErrorOf(std::string_view text) {
  return std::string(Render(text, kVars).status().message());
}

TEST(Template, FillsInVariablesWithAndWithoutSpaces) {
  EXPECT_EQ(*Render("a {{port}} b {{ release.version }} {{any(web)}}", kVars),
            "a 8080 b 2.0.0 web-1");
  EXPECT_EQ(*Render("", kVars), "");
  EXPECT_EQ(*Render("{ not } a }} template {", kVars), "{ not } a }} template {");
}

TEST(Template, ValuesAreNotRenderedAgain) {
  EXPECT_EQ(*Render("{{odd}}", kVars), "{{port}}");
}

TEST(Template, UndefinedVariableIsNamedWithItsPlaceAndTheNearestName) {
  const auto rendered = Render("one\ntwo {{prot}}", kVars);
  EXPECT_EQ(rendered.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(rendered.status().message(),
            "2:5: variable {{prot}} is not defined; did you mean {{port}}?");
  EXPECT_EQ(ErrorOf("{{nothing_like_it}}"), "1:1: variable {{nothing_like_it}} is not defined");
}

TEST(Template, UnclosedBracesAreAnError) {
  EXPECT_EQ(ErrorOf("x {{port}"), "1:3: {{ is never closed by }}");
  EXPECT_EQ(ErrorOf("{{"), "1:1: {{ is never closed by }}");
}

TEST(Template, EmptyOrMalformedNamesAreErrors) {
  EXPECT_THAT(ErrorOf("{{}}"), HasSubstr("expected {{name}}"));
  EXPECT_THAT(ErrorOf("{{ a b }}"), HasSubstr("expected {{name}}"));
  EXPECT_THAT(ErrorOf("{{{port}}}"), HasSubstr("expected {{name}}"));
  EXPECT_THAT(ErrorOf("{{po\nrt}}"), HasSubstr("expected {{name}}"));
}

TEST(NearestName, NearNamesAreFoundAndFarOnesAreNot) {
  const std::vector<std::string> names = {"timeout", "deadline", "bake"};
  EXPECT_EQ(NearestName("timeuot", names), "timeout");
  EXPECT_EQ(NearestName("bak", names), "bake");
  EXPECT_EQ(NearestName("canary", names), "");
}

}  // namespace
}  // namespace slipway
