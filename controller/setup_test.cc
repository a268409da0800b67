#include "controller/setup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "common/fs/test_directory.h"
#include "common/tls/pem_file.h"
#include "common/tls/verify.h"

namespace slipway::controller {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

Config FreshConfig() {
  std::string pattern = testing::TempDir() + "/setup_XXXXXX";
  Config config;
  config.dir = ::mkdtemp(pattern.data());
  config.hosts = {"deploy.test", "127.0.0.1"};
  return config;
}

TEST(Setup, FirstOperatorsFolderIsAllThatTheCommandLineNeeds) {
  const Config config = FreshConfig();
  ASSERT_TRUE(Initialise(config, "alice", kNow).ok());
  const auto client = tls::ReadClientConfig(config.dir + "/operators/alice/config.yaml");
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_EQ(client->address, "deploy.test:7443");
  const auto material = tls::LoadKeyMaterial(*client);
  ASSERT_TRUE(material.ok()) << material.status();
  const auto authority = tls::Authority::Open(AuthorityDir(config));
  ASSERT_TRUE(authority.ok());
  const auto identity =
      tls::PeerVerifier::Create(authority->anchors())->Identify(material->certificate_pem, kNow);
  ASSERT_TRUE(identity.ok()) << identity.status();
  EXPECT_EQ(tls::UriOf(*identity), "slipway://deploy.test/operator/alice");
}

TEST(Setup, SettingsAreReadAsWritten) {
  Config config = FreshConfig();
  config.listen_agents = "127.0.0.1:0";
  ASSERT_TRUE(Initialise(config, "alice", kNow).ok());
  const auto read = ReadConfig(config.dir);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->hosts, config.hosts);
  EXPECT_EQ(read->listen_agents, "127.0.0.1:0");
}

TEST(Setup, AFolderOfAnotherUserIsLeftAlone) {
  const TestDirectory dir;
  EXPECT_TRUE(CheckOwner(dir.path(), ::geteuid()).ok());
  EXPECT_TRUE(CheckOwner(dir / "absent", ::geteuid()).ok());
  const absl::Status other = CheckOwner(dir.path(), ::geteuid() + 1);
  EXPECT_EQ(other.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(other.message()), testing::HasSubstr("runuser -u "));
}

TEST(Setup, SecondInitialisationIsRefused) {
  const Config config = FreshConfig();
  ASSERT_TRUE(Initialise(config, "alice", kNow).ok());
  EXPECT_EQ(Initialise(config, "bob", kNow).code(), absl::StatusCode::kAlreadyExists);
}

TEST(Setup, OperatorIsAddedOnce) {
  const Config config = FreshConfig();
  ASSERT_TRUE(Initialise(config, "alice", kNow).ok());
  EXPECT_TRUE(AddOperator(config, "bob", kNow).ok());
  EXPECT_EQ(AddOperator(config, "bob", kNow).status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(AddOperator(config, "../x", kNow).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Setup, OwnCertificateIsKeptUntilItAgesOrTheNamesChange) {
  Config config = FreshConfig();
  ASSERT_TRUE(Initialise(config, "alice", kNow).ok());
  const auto authority = tls::Authority::Open(AuthorityDir(config));
  ASSERT_TRUE(authority.ok());
  const auto certificate = [&](absl::Time now) {
    return OwnCertificate(config, *authority, now)->certificate_pem;
  };
  const std::string first = certificate(kNow);
  EXPECT_EQ(certificate(kNow + absl::Hours(1)), first);
  const std::string later = certificate(kNow + tls::kLeafLife - absl::Hours(24));
  EXPECT_NE(later, first);
  config.hosts.push_back("other.test");
  EXPECT_NE(certificate(kNow + tls::kLeafLife - absl::Hours(24)), later);
}

TEST(Setup, MissingSettingsNameTheRemedy) {
  const auto config = ReadConfig(testing::TempDir() + "/nowhere");
  EXPECT_EQ(config.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(config.status().message()),
              testing::HasSubstr("slipway-controller init"));
}

}  // namespace
}  // namespace slipway::controller
