#include "common/tls/authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "common/tls/key.h"
#include "common/tls/openssl.h"
#include "common/tls/pem_file.h"
#include "common/tls/verify.h"

namespace slipway::tls {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

std::string FreshDir() {
  std::string pattern = testing::TempDir() + "/authority_XXXXXX";
  return ::mkdtemp(pattern.data());
}

TEST(Authority, OpensAsItWasCreatedAndNeedsNoRootKeyAnyMore) {
  const std::string dir = FreshDir();
  const auto created = Authority::Create(dir, "fleet.test", kNow);
  ASSERT_TRUE(created.ok()) << created.status();
  ASSERT_EQ(::remove((dir + "/root.key").c_str()), 0);
  const auto opened = Authority::Open(dir);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->anchors().trust_domain, "fleet.test");
  EXPECT_EQ(opened->anchors().root_pem, created->anchors().root_pem);
}

TEST(Authority, SecondCreationIsRefusedAndChangesNothing) {
  const std::string dir = FreshDir();
  ASSERT_TRUE(Authority::Create(dir, "fleet.test", kNow).ok());
  const auto before = ReadFile(dir + "/root.pem");
  EXPECT_EQ(Authority::Create(dir, "fleet.test", kNow).status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(*ReadFile(dir + "/root.pem"), *before);
}

TEST(Authority, KeysAreForTheirOwnerOnly) {
  const std::string dir = FreshDir();
  ASSERT_TRUE(Authority::Create(dir, "fleet.test", kNow).ok());
  for (const char* name : {"root", "controller", "agent", "operator"}) {
    struct stat info = {};
    ASSERT_EQ(::stat((dir + "/" + name + ".key").c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 0777, 0600) << name;
  }
}

TEST(Authority, NamesThatCouldMisleadAreRefused) {
  const auto authority = Authority::Create(FreshDir(), "fleet.test", kNow);
  ASSERT_TRUE(authority.ok());
  const std::string key = PublicKeyOf(*MakeKey()).value_or("");
  for (const char* name :
       {"", "web-1/../operator", "Web-1", "web 1", "-web", "web\n1", "web.", "a/b"}) {
    EXPECT_FALSE(authority->IssueLeaf(Kind::agent, name, {}, key, kNow).ok()) << name;
  }
  EXPECT_FALSE(authority->IssueLeaf(Kind::agent, "web-1", {"deploy.test"}, key, kNow).ok())
      << "an agent's certificate must not carry the name of a server";
}

TEST(Authority, SerialNumbersAreRandom) {
  const auto authority = Authority::Create(FreshDir(), "fleet.test", kNow);
  ASSERT_TRUE(authority.ok());
  const std::string key = PublicKeyOf(*MakeKey()).value_or("");
  const auto one = CertificateFromPem(*authority->IssueLeaf(Kind::agent, "web-1", {}, key, kNow));
  const auto two = CertificateFromPem(*authority->IssueLeaf(Kind::agent, "web-1", {}, key, kNow));
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_NE(
      ASN1_INTEGER_cmp(X509_get0_serialNumber(one->get()), X509_get0_serialNumber(two->get())), 0);
}

}  // namespace
}  // namespace slipway::tls
