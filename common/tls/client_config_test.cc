#include "common/tls/client_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "common/tls/pem_file.h"

namespace slipway::tls {
namespace {

using testing::HasSubstr;

std::string PathOf(const std::string& name) {
  return testing::TempDir() + "/client_config_" + name;
}

TEST(ClientConfig, IsReadAsWrittenWithPathsBesideTheFile) {
  const std::string path = PathOf("round.yaml");
  ASSERT_TRUE(
      WriteClientConfig(path, {"deploy.example.net:7443", "ca.pem", "me.pem", "/etc/me.key"}).ok());
  const auto config = ReadClientConfig(path);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->address, "deploy.example.net:7443");
  EXPECT_EQ(config->ca, testing::TempDir() + "/ca.pem");
  EXPECT_EQ(config->key, "/etc/me.key");
}

TEST(ClientConfig, MissingKeyIsNamed) {
  const std::string path = PathOf("short.yaml");
  ASSERT_TRUE(WriteFile(path, "address: a:1\nca: ca.pem\nkey: k\n", kPublic).ok());
  const auto config = ReadClientConfig(path);
  EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(config.status().message(), HasSubstr("\"certificate\" is missing"));
}

TEST(ClientConfig, UnknownKeyIsRefusedWithItsLine) {
  const std::string path = PathOf("unknown.yaml");
  ASSERT_TRUE(WriteFile(path, "# c\naddress: a:1\nplaintext: yes\n", kPublic).ok());
  EXPECT_THAT(ReadClientConfig(path).status().message(), HasSubstr("unknown.yaml:3: unknown key"));
}

TEST(PemFile, PrivateFileIsWrittenForItsOwnerOnlyAndRefusedWhenOthersMayReadIt) {
  const std::string path = PathOf("secret.key");
  ASSERT_TRUE(WriteFile(path, "secret", kPrivate).ok());
  EXPECT_EQ(ReadPrivateFile(path).value_or(""), "secret");
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  EXPECT_EQ(ReadPrivateFile(path).status().code(), absl::StatusCode::kPermissionDenied);
}

TEST(PemFile, MissingFileIsNotFound) {
  EXPECT_EQ(ReadFile(PathOf("absent")).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace slipway::tls
