// Each text of testdata/plans.txt as a plan: refused with its place, in bounded memory, and what is
// said about it is bounded and harmless too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/fs/test_directory.h"
#include "common/plan/plan_file.h"
#include "common/plan/render_problems.h"
#include "common/plan/strict_yaml.h"
#include "tests/hostile/bounded_child.h"
#include "tests/hostile/table.h"
#include "tools/slipway/read_file.h"

namespace slipway::plan {
namespace {

using test::Row;
using test::Shown;

constexpr std::uint64_t kMemoryMax = 256 << 20;
constexpr std::size_t kRenderedBytesMax = 512 << 10;

// "" or what is wrong with the answer itself.
std::string Flaw(const LoadedPlan& loaded) {
  if (!HasErrors(loaded.problems)) return "accepted";
  if (loaded.problems.size() > kProblemsMax) return "too many problems";
  for (const Problem& problem : loaded.problems) {
    if (problem.line > loaded.source.text().size() + 1) return "points behind the text";
  }
  const std::string rendered = RenderProblems(loaded.problems, Colour::none);
  if (rendered.size() > kRenderedBytesMax) return absl::StrCat(rendered.size(), " bytes of words");
  for (const char c : rendered) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f) return "control characters";
  }
  return "";
}

TEST(HostilePlans, AreRefusedInBoundedMemoryWithBoundedWords) {
  const std::vector<Row> rows = test::ReadTable("plans.txt");
  EXPECT_GE(rows.size(), 90u);
  for (const Row& row : rows) {
    ASSERT_EQ(row.verdict, "refused") << Shown(row);
    const test::ChildEnd end =
        test::InChild([&] { return "flaw: " + Flaw(LoadPlan("hostile.yaml", row.rest)); });
    EXPECT_EQ(end.said, "flaw: ") << Shown(row);
    EXPECT_LT(end.peak_bytes, kMemoryMax) << Shown(row);
  }
}

// A file of a gibibyte is not even read.
TEST(HostilePlans, FileOfAGibibyteIsRefusedUnread) {
  const TestDirectory home;
  const std::string path = home.Write("plan.yaml", "");
  std::filesystem::resize_file(path, std::uintmax_t{1} << 30);
  const test::ChildEnd end =
      test::InChild([&] { return std::string(cli::ReadFile(path).status().message()); });
  EXPECT_THAT(end.said, testing::HasSubstr("has 1073741824 bytes"));
  EXPECT_LT(end.peak_bytes, 64u << 20);
}

}  // namespace
}  // namespace slipway::plan
