#include "tools/slipway/term/escape.h"

#include <gtest/gtest.h>
#include <locale.h>

namespace slipway::cli {
namespace {

TEST(EscapeTest, NoControlByteReachesTheTerminal) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  const std::string shown = Escape(all);
  for (const char c : shown) {
    const auto byte = static_cast<unsigned char>(c);
    EXPECT_TRUE(c == '\n' || c == '\t' || (byte >= 0x20 && byte != 0x7f)) << static_cast<int>(byte);
  }
  EXPECT_EQ(Escape("\x1b[31mred\x1b[0m"), "\\x1b[31mred\\x1b[0m");
}

TEST(EscapeTest, OneLineStaysOneLine) {
  EXPECT_EQ(Escape("a\nb\tc", true), "a\\x0ab\\x09c");
}

TEST(EscapeTest, OrdinaryTextOfAnyLanguageIsLeftAlone) {
  EXPECT_EQ(Escape("naïve 日本語 → ✔"), "naïve 日本語 → ✔");
}

TEST(EscapeTest, WhatIsNotUtf8OrTurnsTextAroundBecomesVisible) {
  EXPECT_EQ(Escape("\xff\xfe"), "\\xff\\xfe");
  EXPECT_EQ(Escape("\xc0\x80"), "\\xc0\\x80") << "overlong";
  EXPECT_EQ(Escape("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "surrogate";
  EXPECT_EQ(Escape("a\u202eb"), "a\\u202eb") << "right-to-left override";
  EXPECT_EQ(Escape("\xc2\x9b"), "\\x9b") << "C1 control sequence introducer";
}

TEST(FitTest, TextIsCutOrFilledToTheColumn) {
  setlocale(LC_CTYPE, "C.UTF-8");
  EXPECT_EQ(Fit("abc", 5), "abc  ");
  EXPECT_EQ(Fit("abcdef", 4), "abc…");
  EXPECT_EQ(Fit("abcdef", 4, true), "abc~");
  EXPECT_EQ(Width("日本"), 4u);
  EXPECT_EQ(Width(Fit("日本語", 4)), 4u) << "a wide character never straddles the edge";
}

}  // namespace
}  // namespace slipway::cli
