#include "agent/database/sqlite_schema.h"

#include <gtest/gtest.h>

namespace slipway::agent {
namespace {

const std::set<std::string> kNames = {"items", "id", "owner", "two words"};

std::string Table(const char* sql) {
  return NormalisedDefinition(sql, kNames, true);
}

TEST(SqliteSchemaTest, LayoutCommentsQuotesAndCaseAreNothing) {
  const std::string plain = Table("CREATE TABLE items(id INTEGER PRIMARY KEY, owner TEXT)");
  for (const char* same :
       {"create table \"items\" (\n  \"id\" integer primary key,\n  [owner] text\n)",
        "CREATE TABLE `items`(owner TEXT, id INTEGER PRIMARY KEY)",
        "CREATE TABLE Items(/* key, */ id INTEGER PRIMARY KEY, -- , the key\n owner TEXT)"}) {
    EXPECT_EQ(Table(same), plain);
  }
}

TEST(SqliteSchemaTest, WhatMeansSomethingElseIsElse) {
  const std::string plain = Table("CREATE TABLE items(id INTEGER, owner TEXT DEFAULT 'a')");
  for (const char* other : {"CREATE TABLE items(id INTEGER, owner TEXT DEFAULT 'A')",
                            "CREATE TABLE items(id INTEGER, owner TEXT DEFAULT 'a', x)",
                            "CREATE TABLE items(id TEXT, owner INTEGER DEFAULT 'a')",
                            "CREATE TABLE items(id INTEGER, owner TEXT DEFAULT 'a') STRICT",
                            "CREATE TABLE items(id INTEGER, owner TEXT DEFAULT 'a''')",
                            "CREATE TABLE items(id INTEGER, owner TEXT DEFAULT \"A\")"}) {
    EXPECT_NE(Table(other), plain);
  }
  EXPECT_NE(Table("CREATE TABLE items(id DEFAULT \"A\")"),
            Table("CREATE TABLE items(id DEFAULT \"a\")"));
}

TEST(SqliteSchemaTest, PartsOfInnerBracketsKeepTheirOrder) {
  EXPECT_EQ(Table("CREATE TABLE items(id, CHECK (owner IN (1, 2)), owner)"),
            "create table items ( check ( owner in ( 1 , 2 ) ) , id , owner )");
  EXPECT_NE(Table("CREATE TABLE items(id, owner, PRIMARY KEY (id, owner))"),
            Table("CREATE TABLE items(id, owner, PRIMARY KEY (owner, id))"));
  EXPECT_NE(NormalisedDefinition("CREATE INDEX i ON items(id, owner)", kNames, false),
            NormalisedDefinition("CREATE INDEX i ON items(owner, id)", kNames, false));
}

TEST(SqliteSchemaTest, AnythingIsTakenApart) {
  for (const char* odd :
       {"", "(", ")", "'", "\"", "/*", "--", "[", "a(b", "a(b))", "a('b", "(,,)"}) {
    Table(odd);
    EXPECT_EQ(NormalisedDefinition(odd, kNames, true), Table(odd)) << odd;
  }
}

}  // namespace
}  // namespace slipway::agent
