#include "agent/mapped_code.h"

#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <string>

namespace slipway::agent {
namespace {

// Resident pages of files, KiB.
long ResidentOfFiles() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    long size = 0;
    if (word == "RssFile:" && status >> size) return size;
  }
  return -1;
}

TEST(MappedCode, WhatIsDroppedIsNotResidentAndComesBack) {
  const std::regex digits("([0-9]+)-([0-9]+)");
  EXPECT_TRUE(std::regex_match("12-34", digits));
  const long before = ResidentOfFiles();
  DropMappedCode();
  const long after = ResidentOfFiles();
  EXPECT_GT(after, 0);
  EXPECT_LT(after, before);
  EXPECT_TRUE(std::regex_match("56-78", digits));
  EXPECT_FALSE(std::regex_match("56-", digits));
}

}  // namespace
}  // namespace slipway::agent
