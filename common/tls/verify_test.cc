#include "common/tls/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/tls/issue.h"
#include "common/tls/key.h"
#include "common/tls/pem_file.h"

namespace slipway::tls {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

class VerifyTest : public testing::Test {
 protected:
  static std::string FreshDir() {
    std::string pattern = testing::TempDir() + "/verify_XXXXXX";
    return ::mkdtemp(pattern.data());
  }

  // A leaf as the agents' intermediate would make it, before `spec` is spoilt by a test.
  static CertificateSpec AgentSpec() {
    CertificateSpec spec;
    spec.common_name = "web-1";
    spec.uris = {"slipway://fleet.test/agent/web-1"};
    spec.not_before = kNow - absl::Hours(1);
    spec.not_after = kNow + absl::Hours(1);
    return spec;
  }

  Issuer IssuerOf(Kind kind) const {
    const std::string base = dir_ + "/" + std::string(ToString(kind));
    return {*ReadFile(base + ".pem"), *ReadFile(base + ".key")};
  }

  absl::StatusOr<Identity> IdentityOf(const CertificateSpec& spec,
                                      Kind issuer = Kind::agent) const {
    const auto pem = Issue(spec, public_key_, IssuerOf(issuer));
    if (!pem.ok()) return pem.status();
    return verifier_.Identify(*pem, kNow);
  }

  void ExpectRefused(const absl::StatusOr<Identity>& identity, const std::string& why) const {
    EXPECT_EQ(identity.status().code(), absl::StatusCode::kUnauthenticated) << why;
    EXPECT_THAT(std::string(identity.status().message()), testing::HasSubstr(why));
  }

  const std::string dir_ = FreshDir();
  const Authority authority_ = *Authority::Create(dir_, "fleet.test", kNow);
  const PeerVerifier verifier_ = *PeerVerifier::Create(authority_.anchors());
  const std::string public_key_ = *PublicKeyOf(*MakeKey());
};

TEST_F(VerifyTest, EachKindIsKnownByItsOwnCertificate) {
  for (const Kind kind : kKinds) {
    const std::vector<std::string> hosts =
        kind == Kind::controller ? std::vector<std::string>{"deploy.test", "127.0.0.1", "::1"}
                                 : std::vector<std::string>{};
    const auto pem = authority_.IssueLeaf(kind, "n-1", hosts, public_key_, kNow);
    ASSERT_TRUE(pem.ok()) << pem.status();
    const auto identity = verifier_.Identify(*pem, kNow);
    ASSERT_TRUE(identity.ok()) << identity.status();
    EXPECT_EQ(*identity, (Identity{"fleet.test", kind, "n-1"}));
  }
}

TEST_F(VerifyTest, CertificateOfAnotherAuthorityIsRefusedEvenWithTheSameNames) {
  const auto other = Authority::Create(FreshDir(), "fleet.test", kNow);
  ASSERT_TRUE(other.ok());
  const auto pem = other->IssueLeaf(Kind::agent, "web-1", {}, public_key_, kNow);
  ASSERT_TRUE(pem.ok());
  ExpectRefused(verifier_.Identify(*pem, kNow), "another authority");
}

TEST_F(VerifyTest, AgentsIntermediateCannotMakeAnOperator) {
  CertificateSpec spec = AgentSpec();
  spec.uris = {"slipway://fleet.test/operator/mallory"};
  ExpectRefused(IdentityOf(spec), "differ about the kind");
}

TEST_F(VerifyTest, ExpiredAndNotYetGoodAreRefused) {
  CertificateSpec expired = AgentSpec();
  expired.not_after = kNow - absl::Seconds(1);
  ExpectRefused(IdentityOf(expired), "expired");
  CertificateSpec early = AgentSpec();
  early.not_before = kNow + absl::Minutes(1);
  ExpectRefused(IdentityOf(early), "not yet good");
}

TEST_F(VerifyTest, TwoUrisAreRefusedAndSoIsNone) {
  CertificateSpec two = AgentSpec();
  two.uris.push_back("slipway://fleet.test/agent/web-2");
  ExpectRefused(IdentityOf(two), "exactly one URI");
  CertificateSpec none = AgentSpec();
  none.uris.clear();
  ExpectRefused(IdentityOf(none), "exactly one URI");
}

TEST_F(VerifyTest, LeafThatIsAnAuthorityIsRefused) {
  CertificateSpec spec = AgentSpec();
  spec.ca = true;
  ExpectRefused(IdentityOf(spec), "authority");
}

TEST_F(VerifyTest, IntermediateAndRootAreNobody) {
  ExpectRefused(verifier_.Identify(authority_.anchors().intermediate_pem.at(Kind::agent), kNow),
                "authority");
  ExpectRefused(verifier_.Identify(authority_.anchors().root_pem, kNow), "authority");
}

TEST_F(VerifyTest, ServerOnlyCertificateIsNoClient) {
  CertificateSpec spec = AgentSpec();
  spec.use = Use::server;
  ExpectRefused(IdentityOf(spec), "not for clients");
  spec.any_use = true;
  ExpectRefused(IdentityOf(spec), "not for clients");
}

TEST_F(VerifyTest, AgentWithTheNameOfAServerIsRefused) {
  CertificateSpec spec = AgentSpec();
  spec.hosts = {"deploy.test"};
  ExpectRefused(IdentityOf(spec), "names of a server");
}

TEST_F(VerifyTest, ForeignDomainAndMalformedUrisAreRefused) {
  for (const std::string uri :
       {"slipway://other.test/agent/web-1", "slipway://fleet.test/agent/",
        "slipway://fleet.test/agent/a/b", "slipway://fleet.test/root/web-1",
        "https://fleet.test/agent/web-1", "slipway://fleet.test",
        "slipway://fleet.test/agent/web-1?x", "slipway://fleet.test/agent/web%2d1"}) {
    CertificateSpec spec = AgentSpec();
    spec.uris = {uri};
    EXPECT_EQ(IdentityOf(spec).status().code(), absl::StatusCode::kUnauthenticated) << uri;
  }
  CertificateSpec hidden = AgentSpec();
  hidden.uris = {std::string("slipway://fleet.test/agent/web-1\0.evil", 39)};
  EXPECT_EQ(IdentityOf(hidden).status().code(), absl::StatusCode::kUnauthenticated);
}

// Opening and dropping calls by the thousand costs the caller nothing: it must cost us no more than
// one verification.
TEST_F(VerifyTest, CertificateIsVerifiedOnceHoweverOftenItIsShown) {
  const auto pem = Issue(AgentSpec(), public_key_, IssuerOf(Kind::agent));
  ASSERT_TRUE(pem.ok());
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(verifier_.Identify(*pem, kNow).ok());
  EXPECT_EQ(verifier_.Identify(*pem, kNow)->name, "web-1");
  EXPECT_EQ(verifier_.examined(), 1u);
}

TEST_F(VerifyTest, KnownCertificateIsGoodForItsOwnTimeOnly) {
  const auto pem = Issue(AgentSpec(), public_key_, IssuerOf(Kind::agent));
  ASSERT_TRUE(pem.ok());
  const absl::Time begin = kNow - absl::Hours(1), end = kNow + absl::Hours(1);
  ASSERT_TRUE(verifier_.Identify(*pem, kNow).ok());
  EXPECT_TRUE(verifier_.Identify(*pem, begin).ok());
  EXPECT_TRUE(verifier_.Identify(*pem, end - absl::Milliseconds(1)).ok());
  ExpectRefused(verifier_.Identify(*pem, end), "expired");
  ExpectRefused(verifier_.Identify(*pem, begin - absl::Seconds(1)), "not yet good");
}

TEST_F(VerifyTest, RefusedCertificateIsRefusedAgainAndAChangedOneIsAnother) {
  CertificateSpec spoilt = AgentSpec();
  spoilt.uris.push_back("slipway://fleet.test/agent/web-2");
  const auto bad = Issue(spoilt, public_key_, IssuerOf(Kind::agent));
  auto good = Issue(AgentSpec(), public_key_, IssuerOf(Kind::agent));
  ASSERT_TRUE(bad.ok() && good.ok());
  ASSERT_TRUE(verifier_.Identify(*good, kNow).ok());
  for (int i = 0; i < 2; ++i) ExpectRefused(verifier_.Identify(*bad, kNow), "exactly one URI");
  char& letter = (*good)[good->size() / 2];
  letter = letter == 'A' ? 'B' : 'A';
  EXPECT_EQ(verifier_.Identify(*good, kNow).status().code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(VerifyTest, WhatIsRememberedIsBoundedAndForgettingIsHarmless) {
  const PeerVerifier forgetful = *PeerVerifier::Create(authority_.anchors(), 2);
  std::vector<std::string> certificates;
  for (int i = 0; i < 3; ++i) {
    certificates.push_back(*Issue(AgentSpec(), public_key_, IssuerOf(Kind::agent)));
  }
  for (int round = 0; round < 2; ++round) {
    for (const std::string& pem : certificates) EXPECT_TRUE(forgetful.Identify(pem, kNow).ok());
  }
  EXPECT_GT(forgetful.examined(), certificates.size());
}

TEST_F(VerifyTest, PinIsThatOfTheKeyAndNotOfTheCertificate) {
  const auto one = Issue(AgentSpec(), public_key_, IssuerOf(Kind::agent));
  const auto two = Issue(AgentSpec(), public_key_, IssuerOf(Kind::agent));
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_NE(*one, *two);
  EXPECT_EQ(*SpkiPin(*one), *SpkiPin(*two));
  EXPECT_NE(*SpkiPin(*one), *SpkiPin(authority_.anchors().root_pem));
}

TEST_F(VerifyTest, OneReadingTellsAllThatIsToBeKnown) {
  const auto pem = Issue(AgentSpec(), public_key_, IssuerOf(Kind::agent));
  ASSERT_TRUE(pem.ok());
  for (int i = 0; i < 2; ++i) {  // read, and remembered
    const auto peer = verifier_.Verify(*pem, kNow);
    ASSERT_TRUE(peer.ok()) << peer.status();
    EXPECT_EQ(peer->identity.name, "web-1");
    EXPECT_EQ(peer->fingerprint, *FingerprintOf(*pem));
    EXPECT_EQ(peer->expires, *ExpiryOf(*pem));
  }
  EXPECT_EQ(verifier_.examined(), 1u);
}

TEST_F(VerifyTest, ExpiryIsReadBack) {
  const auto pem = Issue(AgentSpec(), public_key_, IssuerOf(Kind::agent));
  ASSERT_TRUE(pem.ok());
  EXPECT_EQ(*ExpiryOf(*pem), kNow + absl::Hours(1));
}

}  // namespace
}  // namespace slipway::tls
