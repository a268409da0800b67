#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "agent/database/migrate.h"
#include "common/fs/test_directory.h"

namespace slipway::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Client programs in memory: a part ends as was arranged, and says what was arranged.
class ArrangedParts final : public Parts {
 public:
  absl::Status Run(const std::string& name, const PartOrder&) override {
    ran.push_back(name);
    folder_.Write(name + ".out", says[name]);
    return ends[name];
  }
  const std::string& folder() const override { return folder_.path(); }
  const std::string& tag() const override { return tag_; }

  std::map<std::string, absl::Status> ends;  // OK where nothing is arranged
  std::map<std::string, std::string> says;
  std::vector<std::string> ran;

 private:
  const TestDirectory folder_;
  const std::string tag_ = "tag";
};

class SettleTest : public testing::Test {
 protected:
  absl::Status Up() {
    return MigrateUp(*database_, parts_, "m", "", {migration_}, {}, [](const Migration&, Way) {});
  }

  const Migration migration_ = {.number = 1,
                                .name = "0001_a",
                                .up = "/db/0001_a.up.sql",
                                .down = "/db/0001_a.down.sql",
                                .verify = "/db/0001_a.verify.sql",
                                .digest = "sha256:aa"};
  const std::unique_ptr<Database> database_ = MakeSqliteDatabase({.path = "/srv/live.db"});
  ArrangedParts parts_;
};

TEST_F(SettleTest, LostAnswerOfAnAppliedMigrationIsFoundAndNothingRepeated) {
  parts_.ends["m.1.up"] = absl::UnknownError("nobody saw how it ended");
  parts_.says["m.1.up.settle"] = "1\t0001_a\tsha256:aa\n";
  EXPECT_TRUE(Up().ok());
  EXPECT_THAT(parts_.ran, ElementsAre("m.1.up", "m.1.up.settle", "m.1.verify"));
}

TEST_F(SettleTest, MigrationThatIsNotInTheDatabaseHasFailed) {
  for (const absl::Status& end :
       {absl::UnknownError("nobody saw how it ended"), absl::DeadlineExceededError("timed out"),
        absl::FailedPreconditionError("syntax error")}) {
    parts_.ends["m.1.up"] = end;
    const absl::Status up = Up();
    EXPECT_EQ(up.code(), absl::StatusCode::kFailedPrecondition) << up;
    EXPECT_THAT(std::string(up.message()), HasSubstr(std::string(end.message())));
    EXPECT_THAT(std::string(up.message()), HasSubstr("0001_a.up.sql"));
  }
}

TEST_F(SettleTest, WhatTheDatabaseCannotTellIsUnknown) {
  parts_.ends["m.1.up"] = absl::FailedPreconditionError("connection lost");
  parts_.ends["m.1.up.settle"] = absl::FailedPreconditionError("no such host");
  const absl::Status up = Up();
  EXPECT_EQ(up.code(), absl::StatusCode::kUnknown) << up;
  EXPECT_THAT(std::string(up.message()), HasSubstr("no such host"));
  EXPECT_THAT(parts_.ran, ElementsAre("m.1.up", "m.1.up.settle"));
}

TEST_F(SettleTest, AgentThatStopsDecidesNothing) {
  parts_.ends["m.1.up"] = absl::CancelledError("the agent stops");
  EXPECT_TRUE(absl::IsCancelled(Up()));
  EXPECT_THAT(parts_.ran, ElementsAre("m.1.up"));
}

TEST(VersionsTest, ToolOfAnotherMajorVersionIsRefusedByName) {
  const auto database = MakePostgresDatabase({.service_file = "/none", .database = "media"});
  ArrangedParts parts;
  parts.says["dump.versions"] = "15.14 (Debian 15.14-0)\tpg_dump (PostgreSQL) 14.9 (Debian)\n";
  const auto dump = database->Dump(parts, "dump", "/none/dump");
  EXPECT_EQ(dump.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(dump.status().message()),
              HasSubstr("database media is served by PostgreSQL 15.14, and /usr/bin/pg_dump is of "
                        "14.9"));
  EXPECT_THAT(parts.ran, ElementsAre("dump.versions"));
}

}  // namespace
}  // namespace slipway::agent
