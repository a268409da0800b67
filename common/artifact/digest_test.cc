#include "common/artifact/digest.h"

#include <gtest/gtest.h>

namespace slipway {
namespace {

// FIPS 180-2, "abc".
constexpr char kAbc[] = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Digest, KnownContentHasTheKnownDigest) {
  EXPECT_EQ(Digest::Of("abc").ToString(), kAbc);
  EXPECT_EQ(Digest::Of("abc").Short(), "ba7816bf");
}

TEST(Digest, TextAndValueAreOneAnother) {
  EXPECT_EQ(Digest::Parse(kAbc)->ToString(), kAbc);
  EXPECT_EQ(*Digest::Parse(kAbc), Digest::Of("abc"));
}

TEST(Digest, OnlyTheOneSpellingIsAccepted) {
  std::string upper = kAbc;
  upper.back() = 'D';
  for (const std::string& text :
       {std::string(), std::string("sha256:"), std::string(kAbc).substr(7), std::string(kAbc) + "0",
        std::string(kAbc).substr(0, 70), upper, "SHA256:" + std::string(kAbc).substr(7),
        "sha512:" + std::string(kAbc).substr(7), std::string(kAbc).substr(0, 70) + "\n"}) {
    EXPECT_EQ(Digest::Parse(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(Hasher, PiecesGiveTheDigestOfTheWholeAndFinishStartsAnew) {
  Hasher hasher;
  hasher.Update("a");
  hasher.Update("");
  hasher.Update("bc");
  EXPECT_EQ(hasher.Finish().ToString(), kAbc);
  hasher.Update("abc");
  EXPECT_EQ(hasher.Finish().ToString(), kAbc);
  EXPECT_EQ(hasher.Finish(), Digest::Of(""));
}

}  // namespace
}  // namespace slipway
