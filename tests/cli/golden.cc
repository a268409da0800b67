#include "tests/cli/golden.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"

namespace slipway::cli {

void ExpectGolden(const std::string& name, const std::string& output) {
  const std::string path =
      absl::StrCat(std::getenv("SLIPWAY_SOURCE_DIR"), "/tests/cli/testdata/", name, ".golden");
  if (std::getenv("SLIPWAY_REWRITE_GOLDEN") != nullptr) {
    ASSERT_EQ(std::getenv("CI"), nullptr) << "answers are not rewritten in CI";
    std::ofstream(path, std::ios::binary) << output;
    return;
  }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file.good()) << path << " is not there";
  std::ostringstream recorded;
  recorded << file.rdbuf();
  EXPECT_EQ(output, recorded.str()) << path;
}

}  // namespace slipway::cli
