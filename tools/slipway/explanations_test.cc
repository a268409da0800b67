#include "tools/slipway/explanations.h"

#include <gtest/gtest.h>

#include "common/plan/plan_errors.h"
#include "tools/slipway/exit_code.h"

namespace slipway::cli {
namespace {

TEST(ExplanationsTest, EveryCodeIsExplained) {
  for (const plan::ErrorCode& known : plan::kAllErrorCodes) {
    EXPECT_GT(ExplanationOf(known.code).size(), known.title.size()) << known.code;
  }
  int rows = 0;
  const ExitCodeRow* table = ExitCodeTable(rows);
  for (int i = 0; i < rows; ++i) {
    const std::string code = std::to_string(static_cast<int>(table[i].code));
    EXPECT_GT(ExplanationOf(code).size(), std::string_view(table[i].meaning).size()) << code;
  }
  EXPECT_EQ(ExplanationOf("P999"), "");
}

}  // namespace
}  // namespace slipway::cli
