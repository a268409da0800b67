#include "deploy/media-repository/config.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace media {
namespace {

using ::testing::HasSubstr;

constexpr char kMinimal[] = R"([listen]
host = "127.0.0.1"
port = 8080
[storage]
database = "/srv/media.db"   # shared
media = "/srv/media # 1"
)";

std::string ErrorOf(const std::string& text, bool unified_api = true) {
  return std::string(ParseConfig(text, "media.toml", unified_api).status().message());
}

TEST(Config, MinimalFileGetsTheDefaults) {
  const absl::StatusOr<Config> config = ParseConfig(kMinimal, "media.toml", true);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->host, "127.0.0.1");
  EXPECT_EQ(config->port, 8080);
  EXPECT_EQ(config->database, "/srv/media.db");
  EXPECT_EQ(config->media, "/srv/media # 1");
  EXPECT_EQ(config->max_upload_bytes, 64 << 20);
  EXPECT_TRUE(config->legacy);
}

TEST(Config, EveryKeyIsRead) {
  const absl::StatusOr<Config> config =
      ParseConfig(std::string(kMinimal) +
                      "[service]\nname = \"b-1\"\nrelease = \"2.0.0\"\n[limits]\n"
                      "max_upload_bytes = 10\ndrain_seconds = 7\n[api]\nlegacy = false\n",
                  "media.toml", true);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->name, "b-1");
  EXPECT_EQ(config->release, "2.0.0");
  EXPECT_EQ(config->max_upload_bytes, 10);
  EXPECT_EQ(config->drain_seconds, 7);
  EXPECT_FALSE(config->legacy);
}

TEST(Config, AReleaseWithoutTheUnifiedApiRefusesTheFileOfOneWithIt) {
  EXPECT_EQ(ErrorOf(std::string(kMinimal) + "[api]\nlegacy = true\n", false),
            "media.toml:8: unknown key api.legacy");
}

TEST(Config, ErrorsNameTheLine) {
  EXPECT_EQ(ErrorOf("[listen]\nport = 8080\nport = 1\n"),
            "media.toml:3: listen.port is given twice");
  EXPECT_EQ(ErrorOf("port = 1"), "media.toml:1: unknown key .port");
  EXPECT_EQ(ErrorOf("\n\nhello"), "media.toml:3: expected [section] or key = value");
  EXPECT_EQ(ErrorOf("[listen"), "media.toml:1: expected [section]");
}

TEST(Config, ValuesOutOfRangeAreRefused) {
  for (const char* value : {"-1", "65536", "80x", "\"80\"", ""}) {
    EXPECT_THAT(ErrorOf(std::string("[listen]\nport = ") + value),
                HasSubstr("listen.port: expected an integer from 0 to 65535"))
        << value;
  }
  EXPECT_THAT(ErrorOf("[listen]\nhost = localhost"), HasSubstr("expected a \"string\""));
  EXPECT_THAT(ErrorOf("[api]\nlegacy = yes"), HasSubstr("expected true or false"));
}

TEST(Config, AMissingKeyIsNamed) {
  EXPECT_EQ(ErrorOf("[listen]\nhost = \"::1\"\nport = 1\n"),
            "media.toml: storage.database is missing");
}

TEST(Config, AFileThatIsNotThereIsNamed) {
  EXPECT_THAT(std::string(LoadConfig("/nowhere/media.toml", true).status().message()),
              HasSubstr("cannot read configuration /nowhere/media.toml"));
}

}  // namespace
}  // namespace media
