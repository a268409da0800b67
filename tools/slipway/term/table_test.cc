#include "tools/slipway/term/table.h"

#include <gtest/gtest.h>

#include "tools/slipway/command.h"

namespace slipway::cli {
namespace {

class TableTest : public testing::Test {
 protected:
  TableTest() { command_.columns = "HOST,ON DISK,SEEN"; }
  // As typed behind the command.
  std::string Shown(const std::vector<std::pair<std::string, std::string>>& options) {
    Invocation invocation;
    invocation.set_command(command_);
    for (const auto& [name, value] : options) invocation.Add(name, value);
    Table table = Table::Of(invocation);
    table.Add({"web-10", "b", {"2 min ago", 120}});
    table.Add({"web-2", "a", {"30 s ago", 30}});
    table.Add({"web-1", "c", "never"});
    return table.Text(Stream());
  }
  Command command_{};
};

TEST_F(TableTest, ColumnsAreShownInTheOrderAskedFor) {
  EXPECT_EQ(Shown({}),
            "HOST     ON DISK   SEEN\n"
            "web-10   b         2 min ago\n"
            "web-2    a         30 s ago\n"
            "web-1    c         never\n");
  EXPECT_EQ(Shown({{"columns", "on-disk,host"}, {"no-headers", "true"}}),
            "b   web-10\n"
            "a   web-2\n"
            "c   web-1\n");
}

TEST_F(TableTest, RowsAreSortedByWhatIsMeantAndNotByHowItIsWritten) {
  EXPECT_EQ(Shown({{"columns", "host"}, {"sort-by", "seen"}}), "HOST\nweb-2\nweb-10\nweb-1\n")
      << "30 s are less than 2 min; what has no number stands last";
  EXPECT_EQ(Shown({{"columns", "host"}, {"sort-by", "host"}}), "HOST\nweb-1\nweb-2\nweb-10\n");
  EXPECT_EQ(Shown({{"columns", "host"}, {"sort-by", "host"}, {"reverse", "true"}}),
            "HOST\nweb-10\nweb-2\nweb-1\n");
}

TEST(NaturalLessTest, NumbersWithinTextCountAsNumbers) {
  EXPECT_TRUE(NaturalLess("web-2", "web-10"));
  EXPECT_FALSE(NaturalLess("web-10", "web-2"));
  EXPECT_TRUE(NaturalLess("1.9.0", "1.10.0"));
  EXPECT_TRUE(NaturalLess("web", "web-1"));
  EXPECT_FALSE(NaturalLess("a", "a"));
}

}  // namespace
}  // namespace slipway::cli
