#include "common/tls/enrolment_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::tls {
namespace {

const std::string kPin = "sha256:" + std::string(64, 'a');

TEST(EnrolmentToken, IsReadAsWrittenAlsoWithALineEnd) {
  const EnrolmentToken token{"deploy.example.net:7445", kPin, "web-1", "c2VjcmV0"};
  const auto read = ParseEnrolmentToken(Format(token) + "\n");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, token);
}

TEST(EnrolmentToken, AnyCutOfATokenIsRefusedWithoutRepeatingIt) {
  const std::string text = Format({"deploy.example.net:7445", kPin, "web-1", "c2VjcmV0"});
  for (std::size_t size = 0; size + 4 < text.size(); ++size) {
    const auto read = ParseEnrolmentToken(text.substr(0, size));
    if (!read.ok()) {
      EXPECT_THAT(std::string(read.status().message()),
                  testing::Not(testing::HasSubstr(text.substr(5, 8))));
      continue;
    }
    ADD_FAILURE() << "taken: " << size << " of " << text.size() << " bytes";
  }
}

TEST(EnrolmentToken, SecretsDifferAndOnlyTheirHashIsStored) {
  const auto one = MakeSecret();
  const auto two = MakeSecret();
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_NE(*one, *two);
  EXPECT_EQ(HashOfSecret("abc"),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace slipway::tls
