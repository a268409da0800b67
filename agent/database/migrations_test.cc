#include "agent/database/migrations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/fs/test_directory.h"

namespace slipway::agent {
namespace {

using testing::HasSubstr;

class MigrationsTest : public testing::Test {
 protected:
  void Add(const std::string& name, const std::string& up = "SELECT 1;") {
    folder_.Write(name + ".up.sql", up);
    folder_.Write(name + ".down.sql", "SELECT 2;");
    folder_.Write(name + ".verify.sql", "SELECT 3;");
  }
  std::string Refusal() const {
    const auto read = ReadMigrations(folder_.path());
    return read.ok() ? "" : std::string(read.status().message());
  }

  TestDirectory folder_;
};

TEST_F(MigrationsTest, AreInOrderWithTheirDigests) {
  Add("0002_second");
  Add("0001_first", "CREATE TABLE a (b int);");
  folder_.Write("README.md", "what these are");
  const auto read = ReadMigrations(folder_.path());
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ(read->at(0).name, "0001_first");
  EXPECT_EQ(read->at(0).up, folder_ / "0001_first.up.sql");
  EXPECT_EQ(read->at(0).digest, Digest::Of("CREATE TABLE a (b int);").ToString());
  EXPECT_EQ(read->at(1).number, 2);
}

TEST_F(MigrationsTest, MissingFileIsNamed) {
  Add("0001_first");
  std::filesystem::remove(folder_ / "0001_first.down.sql");
  EXPECT_THAT(Refusal(), HasSubstr("0001_first.down.sql is missing"));
}

TEST_F(MigrationsTest, GapIsNamed) {
  Add("0001_first");
  Add("0003_third");
  EXPECT_THAT(Refusal(), HasSubstr("0003_third follows a gap: there is no number 2"));
}

TEST_F(MigrationsTest, NumberThatIsThereTwiceIsNamed) {
  Add("0001_first");
  Add("0001_other");
  EXPECT_THAT(Refusal(), HasSubstr("has the number of 0001_first"));
}

TEST_F(MigrationsTest, NameThatIsNoneIsNamed) {
  for (const char* name : {"1_a.up.sql", "0001.up.sql", "0001_.up.sql", "0001_a.sql", "x_a.up.sql",
                           "0001_a.sideways.sql", "-001_a.up.sql", "0000_a.up.sql"}) {
    const TestDirectory folder;
    folder.Write(name, "SELECT 1;");
    const auto read = ReadMigrations(folder.path());
    EXPECT_THAT(std::string(read.status().message()), HasSubstr(name));
    EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument) << name;
  }
}

TEST_F(MigrationsTest, FileThatEndsItsTransactionIsNamed) {
  Add("0001_first", "CREATE TABLE a (b int);\nCOMMIT;\n");
  EXPECT_THAT(Refusal(), HasSubstr("0001_first.up.sql says COMMIT"));
}

TEST(TransactionWordTest, FindsOnlyStatements) {
  EXPECT_EQ(TransactionWord("begin; select 1;"), "BEGIN");
  EXPECT_EQ(TransactionWord("select 1; /* no */ Rollback ;"), "ROLLBACK");
  EXPECT_EQ(TransactionWord("select 1;\n  END;"), "END");
  EXPECT_EQ(TransactionWord("START TRANSACTION;"), "START");
  EXPECT_EQ(TransactionWord("SAVEPOINT a; ROLLBACK TO a; RELEASE a;"), "");
  EXPECT_EQ(TransactionWord("-- COMMIT;\nSELECT 'x; COMMIT;', \"; COMMIT\" /* ; COMMIT; */;"), "");
  EXPECT_EQ(TransactionWord("DO $$ BEGIN PERFORM 1; END $$; DO $x$ BEGIN; COMMIT; $y$ END $x$;"),
            "");
  EXPECT_EQ(TransactionWord("CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET b = CASE b WHEN "
                            "1 THEN 2 END; DELETE FROM c; END; SELECT 1;"),
            "");
  EXPECT_EQ(TransactionWord("CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM c; END; COMMIT;"),
            "COMMIT");
  EXPECT_EQ(TransactionWord("SELECT $1; COMMIT"), "COMMIT");
}

TEST(PendingTest, IsWhatTheDatabaseLacks) {
  const std::vector<Migration> known = {{.number = 1, .name = "0001_a", .digest = "x"},
                                        {.number = 2, .name = "0002_b", .digest = "y"}};
  EXPECT_EQ(*Pending(known, {}), known);
  EXPECT_EQ(*Pending(known, {{1, "0001_a", "x"}}), std::vector<Migration>{known[1]});
  EXPECT_TRUE(Pending(known, {{1, "0001_a", "x"}, {2, "0002_b", "y"}})->empty());
}

TEST(PendingTest, WhatDoesNotFitIsNamed) {
  const std::vector<Migration> known = {{.number = 1, .name = "0001_a", .digest = "x"},
                                        {.number = 2, .name = "0002_b", .digest = "y"}};
  const auto why = [&](const std::vector<AppliedMigration>& applied) {
    const auto pending = Pending(known, applied);
    EXPECT_EQ(pending.status().code(), absl::StatusCode::kFailedPrecondition);
    return std::string(pending.status().message());
  };
  EXPECT_THAT(why({{1, "0001_a", "z"}}), HasSubstr("was applied as 0001_a with another content"));
  EXPECT_THAT(why({{1, "0001_c", "x"}}), HasSubstr("0001_a was applied as 0001_c"));
  EXPECT_THAT(why({{2, "0002_b", "y"}}), HasSubstr("0002_b is applied, but not number 1"));
  EXPECT_THAT(why({{1, "0001_a", "x"}, {2, "0002_b", "y"}, {3, "0003_c", "z"}}),
              HasSubstr("the database has 0003_c, and the release knows migrations up to 2 only"));
}

}  // namespace
}  // namespace slipway::agent
