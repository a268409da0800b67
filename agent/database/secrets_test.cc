#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "agent/database/postgres_url.h"
#include "agent/database/secret.h"
#include "common/fs/test_directory.h"

namespace slipway::agent {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(SecretTest, IsItsFirstLine) {
  const TestDirectory folder;
  const std::string path = folder.Write("url", "postgresql://a/b\nmore\n");
  ::chmod(path.c_str(), 0600);
  const auto secret = ReadSecret(path);
  ASSERT_TRUE(secret.ok()) << secret.status();
  EXPECT_EQ(*secret, "postgresql://a/b");
}

TEST(SecretTest, FileThatOthersMayReadIsRefused) {
  const TestDirectory folder;
  const std::string path = folder.Write("url", "canary\n");
  for (const int mode : {0640, 0604, 0644, 0660}) {
    ::chmod(path.c_str(), static_cast<mode_t>(mode));
    const auto secret = ReadSecret(path);
    EXPECT_EQ(secret.status().code(), absl::StatusCode::kPermissionDenied) << mode;
    EXPECT_THAT(std::string(secret.status().message()), Not(HasSubstr("canary")));
  }
}

TEST(SecretTest, LinkFolderEmptyFileAndNothingAreRefused) {
  const TestDirectory folder;
  ::chmod(folder.Write("empty", "").c_str(), 0600);
  ::chmod(folder.Write("real", "canary").c_str(), 0600);
  std::filesystem::create_symlink(folder / "real", folder / "link");
  for (const char* name : {"empty", "link", "none", "."}) {
    EXPECT_FALSE(ReadSecret(folder / name).ok()) << name;
  }
}

TEST(TmpfsFileTest, IsForThisUserOnlyAndOnTmpfs) {
  const std::string folder = "/dev/shm/slipway-secrets-test-" + std::to_string(::getpid());
  const auto file = TmpfsFile::Write(folder, "service", "password=canary\n");
  ASSERT_TRUE(file.ok()) << file.status();
  struct stat st = {};
  ASSERT_EQ(::stat(file->path().c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0400u);
  ASSERT_TRUE(TmpfsFile::Write(folder, "service", "password=again\n").ok());
  file->Remove();
  EXPECT_FALSE(std::filesystem::exists(file->path()));
  std::filesystem::remove_all(folder);
  const auto on_disk = TmpfsFile::Write("/proc/self", "service", "password=canary\n");
  EXPECT_EQ(on_disk.status().code(), absl::StatusCode::kFailedPrecondition) << on_disk.status();
}

TEST(PostgresUrlTest, BecomesASectionOfAServiceFile) {
  const auto address = ReadPostgresUrl(
      "postgresql://media:p%40ss%3Aw%25rd@db.example.org:5433/media_db?sslmode=verify-full");
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_EQ(address->database, "media_db");
  EXPECT_EQ(address->service,
            "[slipway]\ndbname=media_db\nhost=db.example.org\npassword=p@ss:w%rd\nport=5433\n"
            "sslmode=verify-full\nuser=media\n");
}

TEST(PostgresUrlTest, HostMayBeAnAddressAFolderOrAbsent) {
  EXPECT_THAT(ReadPostgresUrl("postgres://u@[::1]:7/d")->service, HasSubstr("host=::1\nport=7\n"));
  EXPECT_THAT(ReadPostgresUrl("postgres://%2Fvar%2Frun/d")->service, HasSubstr("host=/var/run\n"));
  EXPECT_EQ(ReadPostgresUrl("postgresql:///d?host=/run")->service,
            "[slipway]\ndbname=d\nhost=/run\n");
}

TEST(PostgresUrlTest, WhatIsNoneIsRefusedWithoutBeingQuoted) {
  for (const char* url :
       {"", "mysql://canary@h/d", "postgresql://u:canary@h", "postgresql://u:canary%@h/d",
        "postgresql://u:canary%zz@h/d", "postgresql://u:canary%0Auser=x@h/d",
        "postgresql://u:canary%20@h/d", "postgresql://u:canary@h1,h2/d",
        "postgresql://u:canary@[::1]x/d", "postgresql://u@h/d?canary", "postgresql://u@h/d?=canary",
        "postgresql://u@h/d?Canary%0a=1"}) {
    const auto address = ReadPostgresUrl(url);
    EXPECT_EQ(address.status().code(), absl::StatusCode::kInvalidArgument) << url;
    EXPECT_THAT(std::string(address.status().message()), Not(HasSubstr("canary"))) << url;
  }
}

}  // namespace
}  // namespace slipway::agent
