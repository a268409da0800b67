// backup and migrate on a database of SQLite: what an attempt that was cut off leaves to the next
// one, and both ways back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "agent/actions/action_table.h"
#include "agent/actions/test_host.h"

namespace slipway::agent {
namespace {

using Attempt = TestHost::Attempt;
using testing::HasSubstr;

class DatabaseActions : public testing::Test {
 protected:
  DatabaseActions() {
    Execute("CREATE TABLE notes (text TEXT)");
    Execute("INSERT INTO notes VALUES ('kept')");
    FillTarget(*backup_.mutable_action()->mutable_backup()->mutable_target());
    FillTarget(*migrate_.mutable_action()->mutable_migrate()->mutable_target());
  }

  void FillTarget(v1::DatabaseTarget& target) const {
    target.set_name("items");
    target.set_kind(v1::DatabaseTarget::SQLITE);
    target.set_url(path_);
    target.set_migrations("db/migrations");
  }
  v1::Migrate& asked() { return *migrate_.mutable_action()->mutable_migrate(); }

  // The last column of the last row.
  std::string Execute(const std::string& sql) const {
    sqlite3* raw = nullptr;
    EXPECT_EQ(sqlite3_open(path_.c_str(), &raw), SQLITE_OK);
    std::string answer;
    const auto note = [](void* into, int columns, char** values, char**) {
      if (values[columns - 1] != nullptr) *static_cast<std::string*>(into) = values[columns - 1];
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(raw, sql.c_str(), note, &answer, nullptr), SQLITE_OK)
        << sql << ": " << sqlite3_errmsg(raw);
    sqlite3_close(raw);
    return answer;
  }
  bool HasItems() const {
    return Execute("SELECT count(*) FROM sqlite_schema WHERE name = 'items'") == "1";
  }
  AttemptEnd Migrate(const Attempt& attempt) {
    return host_.Do(*FindAction(migrate_), migrate_, attempt);
  }
  // As if the agent had died after the last migration and before it noted the end.
  void ForgetTheEnd() {
    EXPECT_TRUE(
        std::filesystem::remove(host_.databases().folder + "/rollouts/ro-1/items.migrated"));
  }
  std::size_t Backups() const {
    std::size_t dumps = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(host_.databases().folder + "/backups/items")) {
      dumps += entry.path().extension() == ".dump" ? 1 : 0;
    }
    return dumps;
  }

  TestHost host_;
  const std::string path_ = [this] {
    std::filesystem::create_directories(host_.app() + "/shared");
    return host_.app() + "/shared/live.db";
  }();
  v1::Task backup_ = host_.Task(), migrate_ = host_.Task();
};

TEST_F(DatabaseActions, MigrationThatWasCutOffGoesOnAndIsNotRepeated) {
  ASSERT_EQ(Migrate({}).verdict, Verdict::succeeded);
  ForgetTheEnd();
  Execute("INSERT INTO items VALUES (1, 'written since')");
  const AttemptEnd again = Migrate({.number = 2});
  EXPECT_EQ(again.verdict, Verdict::succeeded) << again.message;
  EXPECT_THAT(again.message, HasSubstr("database items went from schema version 0 to 1"));
  EXPECT_EQ(Execute("SELECT count(*) FROM items"), "1");
}

TEST_F(DatabaseActions, RehearsalInPlaceThatWasCutOffBeginsAnew) {
  asked().set_rehearse(v1::Migrate::INPLACE);
  asked().set_quiet(v1::Migrate::STOP);
  ASSERT_EQ(Migrate({}).verdict, Verdict::succeeded);
  ForgetTheEnd();
  const AttemptEnd again = Migrate({.number = 2});
  EXPECT_EQ(again.verdict, Verdict::succeeded) << again.message;
  EXPECT_THAT(host_.said(), HasSubstr("rehearsal was cut off; 0001_items down"));
  EXPECT_TRUE(HasItems());
}

TEST_F(DatabaseActions, WrittenRowsStayOnTheWayDownAndAreNamed) {
  ASSERT_EQ(Migrate({}).verdict, Verdict::succeeded);
  Execute("INSERT INTO notes VALUES ('since')");
  const AttemptEnd undone = Migrate({.direction = Direction::undo, .number = 2});
  EXPECT_EQ(undone.verdict, Verdict::succeeded) << undone.message;
  EXPECT_THAT(undone.message, HasSubstr("table notes has 2 rows instead of 1"));
  EXPECT_FALSE(HasItems());
}

TEST_F(DatabaseActions, RestoreThatWouldLoseRowsIsRefusedAndNamed) {
  asked().set_way_back(v1::Migrate::RESTORE);
  ASSERT_EQ(Migrate({}).verdict, Verdict::succeeded);
  Execute("INSERT INTO notes VALUES ('since')");
  const AttemptEnd refused = Migrate({.direction = Direction::undo, .number = 2});
  EXPECT_EQ(refused.verdict, Verdict::failed);
  EXPECT_THAT(refused.message, HasSubstr("at least 1 rows since the migration"));
  EXPECT_EQ(Execute("SELECT count(*) FROM notes"), "2");
  asked().set_max_loss(1);
  const AttemptEnd undone = Migrate({.direction = Direction::undo, .number = 3});
  EXPECT_EQ(undone.verdict, Verdict::succeeded) << undone.message;
  EXPECT_THAT(undone.message, HasSubstr("is that of the backup"));
  EXPECT_EQ(Execute("SELECT count(*) FROM notes"), "1");
  EXPECT_FALSE(HasItems());
}

TEST_F(DatabaseActions, OldBackupsOfOtherRolloutsGo) {
  backup_.mutable_action()->mutable_backup()->mutable_keep()->set_seconds(60);
  ASSERT_EQ(host_.Do(*FindAction(backup_), backup_).verdict, Verdict::succeeded);
  const std::string folder = host_.databases().folder + "/backups/items/";
  for (const char* end : {".dump", ".record"}) {
    std::filesystem::copy(folder + "ro-1_f0.0_web-1_1" + end, folder + "ro-0_f0.0_web-1_1" + end);
  }
  EXPECT_EQ(Backups(), 2u);
  host_.clock.Advance(absl::Minutes(2));
  const AttemptEnd end = host_.Do(*FindAction(backup_), backup_, {.number = 2});
  ASSERT_EQ(end.verdict, Verdict::succeeded) << end.message;
  EXPECT_FALSE(std::filesystem::exists(folder + "ro-0_f0.0_web-1_1.dump"));
  EXPECT_EQ(Backups(), 2u) << "those of this rollout stay";
}

}  // namespace
}  // namespace slipway::agent
