#include "controller/fleet/enrolment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "common/manual_clock.h"
#include "common/tls/enrolment_token.h"
#include "common/tls/key.h"
#include "common/tls/verify.h"
#include "controller/registry/memory_store.h"

namespace slipway::controller {
namespace {

class EnrolmentTest : public testing::Test {
 protected:
  void SetUp() override { enrolment_.ReachedAt({"deploy.test:7445", "deploy.test:7444"}); }

  static std::string FreshDir() {
    std::string pattern = testing::TempDir() + "/enrolment_XXXXXX";
    return ::mkdtemp(pattern.data());
  }

  tls::EnrolmentToken Token(const std::string& host, const Labels& labels = {}) {
    const auto token = enrolment_.MakeToken({.request_id = "r" + std::to_string(++requests_),
                                             .host = {host},
                                             .labels = labels,
                                             .who = "slipway://fleet.test/operator/alice"});
    EXPECT_TRUE(token.ok()) << token.status();
    return *tls::ParseEnrolmentToken(token->text);
  }
  static std::string Request() { return *tls::MakeRequest(*tls::MakeKey()); }

  ManualClock clock_;
  MemoryStore store_;
  HostDirectory hosts_{store_.registry()};
  const tls::Authority authority_ = *tls::Authority::Create(FreshDir(), "fleet.test", clock_.Now());
  Enrolment enrolment_{{authority_, store_.registry(), hosts_, clock_},
                       *tls::SpkiPin(authority_.anchors().root_pem)};
  int requests_ = 0;
};

TEST_F(EnrolmentTest, TokenBecomesACertificateThatIsAdmitted) {
  const auto token = Token("web-1", {{"role", "web"}});
  EXPECT_EQ(token.address, "deploy.test:7445");
  const auto certified = enrolment_.Enrol(token.secret, {"web-1"}, Request());
  ASSERT_TRUE(certified.ok()) << certified.status();
  EXPECT_EQ(certified->controller, "deploy.test:7444");
  const auto identity = tls::PeerVerifier::Create(authority_.anchors())
                            ->Identify(certified->certificate_pem, clock_.Now());
  ASSERT_TRUE(identity.ok()) << identity.status();
  EXPECT_EQ(tls::UriOf(*identity), "slipway://fleet.test/agent/web-1");
  EXPECT_TRUE(hosts_.Admit({"web-1"}, *tls::FingerprintOf(certified->certificate_pem)).ok());
  EXPECT_EQ(hosts_.Find({"web-1"})->labels.at("role"), "web");
}

TEST_F(EnrolmentTest, LostAnswerIsGivenAgainToTheSameKeyOnly) {
  const auto token = Token("web-1");
  const std::string request = Request();
  const auto first = enrolment_.Enrol(token.secret, {"web-1"}, request);
  const auto again = enrolment_.Enrol(token.secret, {"web-1"}, request);
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(first->certificate_pem, again->certificate_pem);
  EXPECT_EQ(enrolment_.Enrol(token.secret, {"web-1"}, Request()).status().code(),
            absl::StatusCode::kUnauthenticated);
}

TEST_F(EnrolmentTest, OfManyReplaysExactlyOneSucceeds) {
  const auto token = Token("web-1");
  std::vector<std::string> requests;
  for (int i = 0; i < 64; ++i) requests.push_back(Request());
  std::atomic<int> successes = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = t; i < requests.size(); i += 8) {
        if (enrolment_.Enrol(token.secret, {"web-1"}, requests[i]).ok()) ++successes;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(successes, 1);
}

TEST_F(EnrolmentTest, TokenIsGoodForItsHostAndItsTimeOnly) {
  const auto other = Token("web-1");
  EXPECT_EQ(enrolment_.Enrol(other.secret, {"web-2"}, Request()).status().code(),
            absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(enrolment_.Enrol("guess", {"web-1"}, Request()).status().code(),
            absl::StatusCode::kUnauthenticated);
  clock_.Advance(absl::Minutes(10) + absl::Microseconds(1));
  EXPECT_EQ(enrolment_.Enrol(other.secret, {"web-1"}, Request()).status().code(),
            absl::StatusCode::kUnauthenticated);
}

TEST_F(EnrolmentTest, UnreadableRequestDoesNotSpendTheToken) {
  const auto token = Token("web-1");
  EXPECT_EQ(enrolment_.Enrol(token.secret, {"web-1"}, "junk").status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(enrolment_.Enrol(token.secret, {"web-1"}, Request()).ok());
}

TEST_F(EnrolmentTest, EnrolledNameGetsNoTokenUntilItIsRetired) {
  const auto token = Token("web-1");
  const auto first = enrolment_.Enrol(token.secret, {"web-1"}, Request());
  ASSERT_TRUE(first.ok());
  const Enrolment::TokenRequest again{.request_id = "again", .host = {"web-1"}};
  EXPECT_EQ(enrolment_.MakeToken(again).status().code(), absl::StatusCode::kAlreadyExists);
  ASSERT_TRUE(store_.registry().SetHostState({"web-1"}, HostRecord::State::retired, "gone").ok());
  ASSERT_TRUE(hosts_.Refresh({"web-1"}).ok());
  EXPECT_EQ(hosts_.Admit({"web-1"}, *tls::FingerprintOf(first->certificate_pem)).code(),
            absl::StatusCode::kPermissionDenied);
  const auto second = enrolment_.Enrol(Token("web-1").secret, {"web-1"}, Request());
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_TRUE(hosts_.Admit({"web-1"}, *tls::FingerprintOf(second->certificate_pem)).ok());
  EXPECT_EQ(hosts_.Admit({"web-1"}, *tls::FingerprintOf(first->certificate_pem)).code(),
            absl::StatusCode::kPermissionDenied)
      << "the certificate of the first enrolment is of no use any more";
}

TEST_F(EnrolmentTest, AdmittedCertificateIsRefusedAsSoonAsItsHostIsInQuarantineOrRetired) {
  const auto certified = enrolment_.Enrol(Token("web-1").secret, {"web-1"}, Request());
  ASSERT_TRUE(certified.ok()) << certified.status();
  const std::string fingerprint = *tls::FingerprintOf(certified->certificate_pem);
  using State = HostRecord::State;
  for (const State state : {State::quarantined, State::enrolled, State::retired}) {
    ASSERT_TRUE(hosts_.Admit({"web-1"}, fingerprint).ok());
    ASSERT_TRUE(store_.registry().SetHostState({"web-1"}, state, "why").ok());
    ASSERT_TRUE(hosts_.Refresh({"web-1"}).ok());
    EXPECT_EQ(hosts_.Admit({"web-1"}, fingerprint).ok(), state == State::enrolled);
    if (state == State::quarantined) {
      ASSERT_TRUE(store_.registry().SetHostState({"web-1"}, State::enrolled, "").ok());
      ASSERT_TRUE(hosts_.Refresh({"web-1"}).ok());
    }
  }
}

TEST_F(EnrolmentTest, TokenIsShownOnce) {
  const Enrolment::TokenRequest request{.request_id = "one", .host = {"web-1"}};
  EXPECT_TRUE(enrolment_.MakeToken(request).ok());
  EXPECT_EQ(enrolment_.MakeToken(request).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(EnrolmentTest, NamesLabelsAndLifetimesAreChecked) {
  const auto code = [&](Enrolment::TokenRequest request) {
    request.request_id = "r" + std::to_string(++requests_);
    return enrolment_.MakeToken(request).status().code();
  };
  EXPECT_EQ(code({.host = {"Web 1"}}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.host = {"web-1"}, .labels = {{"a=b", "c"}}}),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.host = {"web-1"}, .labels = {{"role", "a,b"}}}),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.host = {"web-1"}, .lifetime = absl::Hours(25)}),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.host = {"web-1"}, .labels = {{"root", "/srv/web"}}}), absl::StatusCode::kOk);
}

}  // namespace
}  // namespace slipway::controller
