// What every registry and store promises (controller/registry), asked of each backend.

#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/conformance/store_backends.h"

namespace slipway::controller {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const HostId kWeb1{"web-1"}, kWeb2{"web-2"}, kWeb3{"web-3"};
const absl::Time kNow = absl::FromUnixMicros(1'700'000'000'123'456);
const std::string kReport = {'\0', '\xff', 'a'};  // not text

absl::StatusCode CodeOf(const absl::Status& status) {
  return status.code();
}
template <typename T>
absl::StatusCode CodeOf(const absl::StatusOr<T>& value) {
  return value.status().code();
}

class RegistryConformance : public testing::TestWithParam<StoreBackend> {
 protected:
  void SetUp() override {
    backend_ = GetParam().make();
    Reopen();
  }
  void Reopen() {
    store_ = backend_->Open();
    registry_ = &store_->registry();
  }
  void Enrol(const HostId& host) {
    ASSERT_TRUE(registry_->PutHost(host, {{"role", "web"}}, {"01", "sha256:ab", "PEM"}).ok());
  }
  static EnrolToken AToken() {
    return {"sha256:t", kWeb1, {{"role", "web"}, {"zone", "a"}}, "ada", kNow + absl::Minutes(10),
            ""};
  }
  static NewRollout ARollout(const std::string& id, std::vector<HostId> hosts) {
    return {{id}, std::move(hosts), "ada", "release 2.0", kNow, "planned", std::nullopt};
  }
  std::vector<std::string> LockedHosts() {
    std::vector<std::string> hosts;
    const auto locks = registry_->ListLocks();
    for (const HostLock& lock : *locks) {
      hosts.push_back(lock.host.text + " " + lock.rollout.text);
    }
    return hosts;
  }

  std::unique_ptr<StoreHome> backend_;
  Store* store_ = nullptr;
  Registry* registry_ = nullptr;
};

// --- Hosts ---

TEST_P(RegistryConformance, HostKeepsAllThatWasSaidOfIt) {
  Enrol(kWeb1);
  const Cordon cordon{"ada", "disk is dying", kNow};
  ASSERT_TRUE(registry_->SetCordon(kWeb1, cordon).ok());
  ASSERT_TRUE(registry_->MarkSeen(kWeb1, kNow, kReport).ok());
  ASSERT_TRUE(registry_->SetHostState(kWeb1, HostRecord::State::quarantined, "two of it").ok());
  Reopen();
  const auto host = registry_->GetHost(kWeb1);
  ASSERT_TRUE(host.ok()) << host.status();
  const HostRecord expected{kWeb1,
                            {{"role", "web"}},
                            {"01", "sha256:ab", "PEM"},
                            HostRecord::State::quarantined,
                            "two of it",
                            cordon,
                            kNow,
                            kNow,
                            kReport};
  EXPECT_TRUE(*host == expected);
}

TEST_P(RegistryConformance, EnrollingAgainKeepsCordonTimesAndReport) {
  Enrol(kWeb1);
  ASSERT_TRUE(registry_->SetCordon(kWeb1, Cordon{"ada", "why", kNow}).ok());
  ASSERT_TRUE(registry_->MarkSeen(kWeb1, kNow, kReport).ok());
  ASSERT_TRUE(registry_->SetHostState(kWeb1, HostRecord::State::retired, "gone").ok());
  ASSERT_TRUE(registry_->PutHost(kWeb1, {{"zone", "b"}}, {"02", "sha256:cd", "PEM2"}).ok());
  const HostRecord host = *registry_->GetHost(kWeb1);
  EXPECT_EQ(host.labels, (Labels{{"zone", "b"}}));
  EXPECT_EQ(host.certificate.serial, "02");
  EXPECT_EQ(host.state, HostRecord::State::enrolled);
  EXPECT_EQ(host.state_reason, "");
  EXPECT_TRUE(host.cordon.has_value());
  EXPECT_EQ(host.last_seen, kNow);
  EXPECT_EQ(host.report, kReport);
}

TEST_P(RegistryConformance, NewHostWasNeverSeen) {
  Enrol(kWeb1);
  const HostRecord host = *registry_->GetHost(kWeb1);
  EXPECT_EQ(host.first_seen, absl::InfiniteFuture());
  EXPECT_EQ(host.last_seen, absl::InfinitePast());
  EXPECT_EQ(host.report, "");
}

TEST_P(RegistryConformance, ReportHoldsUntilAnotherIsTold) {
  Enrol(kWeb1);
  ASSERT_TRUE(registry_->MarkSeen(kWeb1, kNow, kReport).ok());
  ASSERT_TRUE(registry_->MarkSeen(kWeb1, kNow, "").ok());
  EXPECT_EQ(registry_->GetHost(kWeb1)->report, kReport);
  ASSERT_TRUE(registry_->MarkSeen(kWeb1, kNow, "two").ok());
  EXPECT_EQ(registry_->GetHost(kWeb1)->report, "two");
}

TEST_P(RegistryConformance, SeenTimesNeverGoBack) {
  Enrol(kWeb1);
  ASSERT_TRUE(registry_->MarkSeen(kWeb1, kNow, "").ok());
  ASSERT_TRUE(registry_->MarkSeen(kWeb1, kNow + absl::Minutes(1), "").ok());
  ASSERT_TRUE(registry_->MarkSeen(kWeb1, kNow + absl::Seconds(1), "").ok());
  EXPECT_EQ(registry_->GetHost(kWeb1)->first_seen, kNow);
  EXPECT_EQ(registry_->GetHost(kWeb1)->last_seen, kNow + absl::Minutes(1));
}

TEST_P(RegistryConformance, CordonIsReplacedAndLifted) {
  Enrol(kWeb1);
  ASSERT_TRUE(registry_->SetCordon(kWeb1, Cordon{"ada", "one", kNow}).ok());
  ASSERT_TRUE(registry_->SetCordon(kWeb1, Cordon{"bo", "two", kNow}).ok());
  EXPECT_EQ(registry_->GetHost(kWeb1)->cordon->why, "two");
  ASSERT_TRUE(registry_->SetCordon(kWeb1, std::nullopt).ok());
  ASSERT_TRUE(registry_->SetCordon(kWeb1, std::nullopt).ok());
  EXPECT_FALSE(registry_->GetHost(kWeb1)->cordon.has_value());
}

TEST_P(RegistryConformance, LabelsAreSetAndRemovedAndTheOthersStay) {
  Enrol(kWeb1);
  ASSERT_TRUE(registry_->ChangeLabels(kWeb1, {{"zone", "a"}, {"rack", "7"}}, {}).ok());
  EXPECT_EQ(registry_->GetHost(kWeb1)->labels,
            (Labels{{"rack", "7"}, {"role", "web"}, {"zone", "a"}}));
  ASSERT_TRUE(registry_->ChangeLabels(kWeb1, {{"zone", "b"}}, {"rack", "nowhere"}).ok());
  Reopen();
  EXPECT_EQ(registry_->GetHost(kWeb1)->labels, (Labels{{"role", "web"}, {"zone", "b"}}));
  EXPECT_EQ(CodeOf(registry_->ChangeLabels({"web-9"}, {}, {"role"})), absl::StatusCode::kNotFound);
}

TEST_P(RegistryConformance, UnknownHostIsNotFound) {
  EXPECT_EQ(CodeOf(registry_->GetHost(kWeb1)), absl::StatusCode::kNotFound);
  EXPECT_EQ(CodeOf(registry_->MarkSeen(kWeb1, kNow, "")), absl::StatusCode::kNotFound);
  EXPECT_EQ(CodeOf(registry_->SetCordon(kWeb1, std::nullopt)), absl::StatusCode::kNotFound);
  EXPECT_EQ(CodeOf(registry_->SetHostState(kWeb1, HostRecord::State::retired, "")),
            absl::StatusCode::kNotFound);
  EXPECT_THAT(*registry_->ListHosts(), IsEmpty());
}

TEST_P(RegistryConformance, HostsAreListedByName) {
  Enrol(kWeb2);
  Enrol(kWeb1);
  const auto hosts = registry_->ListHosts();
  ASSERT_THAT(*hosts, SizeIs(2));
  EXPECT_EQ((*hosts)[0].id, kWeb1);
  EXPECT_EQ((*hosts)[0].labels, (Labels{{"role", "web"}}));
}

// --- Tokens ---

TEST_P(RegistryConformance, TokenIsSpentOnce) {
  ASSERT_TRUE(registry_->AddToken(AToken()).ok());
  EXPECT_EQ(CodeOf(registry_->AddToken(AToken())), absl::StatusCode::kAlreadyExists);
  const auto spent = registry_->ConsumeToken("sha256:t", kWeb1, "key-1", kNow);
  ASSERT_TRUE(spent.ok()) << spent.status();
  EXPECT_EQ(spent->labels, AToken().labels);
  EXPECT_EQ(spent->used_by_key, "key-1");
  Reopen();
  const auto again = registry_->ConsumeToken("sha256:t", kWeb1, "key-2", kNow);
  EXPECT_EQ(CodeOf(again), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(again.status().message(), HasSubstr("was used already"));
}

TEST_P(RegistryConformance, SameKeyMayRepeatWhatItSpent) {
  ASSERT_TRUE(registry_->AddToken(AToken()).ok());
  EXPECT_TRUE(registry_->ConsumeToken("sha256:t", kWeb1, "key-1", kNow).ok());
  EXPECT_TRUE(registry_->ConsumeToken("sha256:t", kWeb1, "key-1", kNow).ok());
  EXPECT_EQ(CodeOf(registry_->ConsumeToken("sha256:t", kWeb1, "key-1", kNow + absl::Minutes(10))),
            absl::StatusCode::kFailedPrecondition);
}

TEST_P(RegistryConformance, TokenIsForOneHostAndOneTime) {
  ASSERT_TRUE(registry_->AddToken(AToken()).ok());
  EXPECT_EQ(CodeOf(registry_->ConsumeToken("sha256:x", kWeb1, "k", kNow)),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(CodeOf(registry_->ConsumeToken("", kWeb1, "k", kNow)), absl::StatusCode::kNotFound);
  EXPECT_EQ(CodeOf(registry_->ConsumeToken("sha256:t", kWeb2, "k", kNow)),
            absl::StatusCode::kNotFound);
  const auto late = registry_->ConsumeToken("sha256:t", kWeb1, "k", kNow + absl::Minutes(10));
  EXPECT_EQ(CodeOf(late), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(late.status().message(), HasSubstr("has expired"));
  EXPECT_TRUE(registry_->ConsumeToken("sha256:t", kWeb1, "k", kNow).ok());
}

TEST_P(RegistryConformance, OneOfManyKeysWinsTheToken) {
  ASSERT_TRUE(registry_->AddToken(AToken()).ok());
  std::atomic<int> winners = 0;
  std::vector<std::thread> agents;
  for (int i = 0; i < 8; ++i) {
    agents.emplace_back([&, i] {
      winners += registry_->ConsumeToken("sha256:t", kWeb1, "key-" + std::to_string(i), kNow).ok();
    });
  }
  for (std::thread& agent : agents) agent.join();
  EXPECT_EQ(winners, 1);
}

TEST_P(RegistryConformance, ExpiredTokensAreDropped) {
  EnrolToken old = AToken();
  old.hash = "sha256:old";
  old.expires = kNow - absl::Hours(1);
  ASSERT_TRUE(registry_->AddToken(old).ok());
  ASSERT_TRUE(registry_->AddToken(AToken()).ok());
  ASSERT_TRUE(registry_->DropTokens(kNow).ok());
  EXPECT_THAT(*registry_->ListTokens(), ElementsAre(AToken()));
}

// --- Releases, wanted, requests ---

TEST_P(RegistryConformance, ReleaseNeverChanges) {
  const ReleaseRecord release{"media", "2.0.0", "sha256:aa", 1u << 30, "ada", kNow};
  ASSERT_TRUE(registry_->AddRelease(release).ok());
  ReleaseRecord again = release;
  again.pushed_by = "bo";
  EXPECT_TRUE(registry_->AddRelease(again).ok());
  EXPECT_TRUE(*registry_->GetRelease("media", "2.0.0") == release);
  again.digest = "sha256:bb";
  const absl::Status refused = registry_->AddRelease(again);
  EXPECT_EQ(refused.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(refused.message(), HasSubstr("media@2.0.0 is sha256:aa, not sha256:bb"));
}

TEST_P(RegistryConformance, ReleasesAreListedByNameAndVersion) {
  const ReleaseRecord one{"media", "1.0.0", "sha256:aa", 1, "ada", kNow};
  const ReleaseRecord two{"media", "2.0.0", "sha256:bb", 2, "ada", kNow};
  ASSERT_TRUE(registry_->AddRelease(two).ok());
  ASSERT_TRUE(registry_->AddRelease(one).ok());
  Reopen();
  EXPECT_THAT(*registry_->ListReleases(), ElementsAre(one, two));
  EXPECT_EQ(CodeOf(registry_->GetRelease("media", "3")), absl::StatusCode::kNotFound);
}

TEST_P(RegistryConformance, RemovedReleaseMayComeAgain) {
  const ReleaseRecord one{"media", "1.0.0", "sha256:aa", 1, "ada", kNow};
  const ReleaseRecord other{"media", "1.0.0", "sha256:bb", 1, "ada", kNow};
  const ReleaseRecord two{"media", "2.0.0", "sha256:cc", 2, "ada", kNow};
  ASSERT_TRUE(registry_->AddRelease(one).ok());
  ASSERT_TRUE(registry_->AddRelease(two).ok());
  ASSERT_TRUE(registry_->RemoveRelease("media", "1.0.0").ok());
  EXPECT_TRUE(registry_->RemoveRelease("media", "1.0.0").ok());
  Reopen();
  EXPECT_THAT(*registry_->ListReleases(), ElementsAre(two));
  EXPECT_TRUE(registry_->AddRelease(other).ok());
}

TEST_P(RegistryConformance, WantedIsReplacedByHostAndApp) {
  const Wanted old{kWeb1, "/srv/media", "sha256:aa", "1.0", {"ro-1"}};
  const Wanted fresh{kWeb1, "/srv/media", "sha256:bb", "2.0", {"ro-2"}};
  const Wanted other{kWeb2, "/srv/media", "sha256:aa", "1.0", {"ro-1"}};
  ASSERT_TRUE(registry_->PutWanted({other, old}).ok());
  ASSERT_TRUE(registry_->PutWanted({fresh}).ok());
  Reopen();
  EXPECT_THAT(*registry_->ListWanted(), ElementsAre(fresh, other));
}

TEST_P(RegistryConformance, RequestsAreAnsweredOnce) {
  const std::string answer("\x00\xff bytes", 8);
  const AnsweredRequest request{"CordonHost", "r-1", answer, kNow};
  EXPECT_FALSE(registry_->FindRequest("CordonHost", "r-1")->has_value());
  ASSERT_TRUE(registry_->AddRequest(request).ok());
  EXPECT_EQ(CodeOf(registry_->AddRequest(request)), absl::StatusCode::kAlreadyExists);
  Reopen();
  EXPECT_EQ(**registry_->FindRequest("CordonHost", "r-1"), request);
  EXPECT_FALSE(registry_->FindRequest("UncordonHost", "r-1")->has_value());
  ASSERT_TRUE(registry_->DropRequests(kNow).ok());
  EXPECT_TRUE(registry_->FindRequest("CordonHost", "r-1")->has_value());
  ASSERT_TRUE(registry_->DropRequests(kNow + absl::Seconds(1)).ok());
  EXPECT_FALSE(registry_->FindRequest("CordonHost", "r-1")->has_value());
}

// --- The beginning of a rollout ---

TEST_P(RegistryConformance, RolloutBeginsWithItsLocksRequestAndRecord) {
  NewRollout rollout = ARollout("ro-1", {kWeb1, kWeb2});
  rollout.request = AnsweredRequest{"CreateRollout", "r-1", "answer", kNow};
  auto lease = store_->CreateRollout(rollout);
  ASSERT_TRUE(lease.ok()) << lease.status();
  EXPECT_EQ(lease->epoch, 1u);
  EXPECT_EQ(lease->next, 2u);
  EXPECT_TRUE(store_->journal().Append({"ro-1"}, *lease, {"next"}).ok());

  Reopen();
  const auto records = store_->journal().Read({"ro-1"}, 1);
  ASSERT_THAT(*records, SizeIs(2));
  EXPECT_EQ((*records)[0].bytes, "planned");
  EXPECT_TRUE(registry_->FindRequest("CreateRollout", "r-1")->has_value());
  const HostLock expected{kWeb1, {"ro-1"}, "ada", "release 2.0", kNow};
  ASSERT_THAT(*registry_->ListLocks(), SizeIs(2));
  const auto locks = registry_->ListLocks();
  EXPECT_EQ(locks->front(), expected);
}

TEST_P(RegistryConformance, LockedHostRefusesTheWholeRollout) {
  ASSERT_TRUE(store_->CreateRollout(ARollout("ro-1", {kWeb2})).ok());
  NewRollout second = ARollout("ro-2", {kWeb1, kWeb2, kWeb3});
  second.request = AnsweredRequest{"CreateRollout", "r-2", "answer", kNow};
  const auto refused = store_->CreateRollout(second);
  EXPECT_EQ(CodeOf(refused), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.status().message(), HasSubstr("web-2 by rollout ro-1 of ada (release 2.0)"));
  EXPECT_THAT(LockedHosts(), ElementsAre("web-2 ro-1"));
  EXPECT_FALSE(registry_->FindRequest("CreateRollout", "r-2")->has_value());
  EXPECT_THAT(*store_->journal().List(), ElementsAre(RolloutId{"ro-1"}));
}

TEST_P(RegistryConformance, FirstThreeLockedHostsAreNamed) {
  std::vector<HostId> hosts;
  for (int i = 1; i <= 5; ++i) hosts.push_back({"db-" + std::to_string(i)});
  ASSERT_TRUE(store_->CreateRollout(ARollout("ro-1", hosts)).ok());
  const auto refused = store_->CreateRollout(ARollout("ro-2", hosts));
  EXPECT_THAT(refused.status().message(), HasSubstr("db-3 by rollout"));
  EXPECT_THAT(refused.status().message(), HasSubstr("and 2 more"));
}

TEST_P(RegistryConformance, ReleasedHostsAreFreeAgain) {
  ASSERT_TRUE(store_->CreateRollout(ARollout("ro-1", {kWeb1})).ok());
  ASSERT_TRUE(store_->CreateRollout(ARollout("ro-2", {kWeb2})).ok());
  ASSERT_TRUE(registry_->ReleaseLocks({"ro-1"}).ok());
  ASSERT_TRUE(registry_->ReleaseLocks({"ro-1"}).ok());
  EXPECT_THAT(LockedHosts(), ElementsAre("web-2 ro-2"));
  EXPECT_TRUE(store_->CreateRollout(ARollout("ro-3", {kWeb1})).ok());
}

TEST_P(RegistryConformance, SameRolloutOrRequestBeginsOnce) {
  NewRollout first = ARollout("ro-1", {kWeb1});
  first.request = AnsweredRequest{"CreateRollout", "r-1", "answer", kNow};
  ASSERT_TRUE(store_->CreateRollout(first).ok());
  EXPECT_EQ(CodeOf(store_->CreateRollout(ARollout("ro-1", {kWeb1}))),
            absl::StatusCode::kAlreadyExists);
  NewRollout repeated = ARollout("ro-2", {kWeb2});
  repeated.request = first.request;
  EXPECT_EQ(CodeOf(store_->CreateRollout(repeated)), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(LockedHosts(), ElementsAre("web-1 ro-1"));
}

TEST_P(RegistryConformance, OneOfManyRolloutsGetsTheHosts) {
  std::atomic<int> winners = 0;
  std::vector<std::thread> people;
  for (int i = 0; i < 8; ++i) {
    people.emplace_back([&, i] {
      std::vector<HostId> hosts = {kWeb1, kWeb2, kWeb3};
      std::rotate(hosts.begin(), hosts.begin() + i % 3, hosts.end());
      winners += store_->CreateRollout(ARollout("ro-" + std::to_string(i), hosts)).ok();
    });
  }
  for (std::thread& person : people) person.join();
  EXPECT_EQ(winners, 1);
  EXPECT_THAT(*registry_->ListLocks(), SizeIs(3));
  EXPECT_THAT(*store_->journal().List(), SizeIs(1));
}

INSTANTIATE_TEST_SUITE_P(Backends, RegistryConformance, testing::ValuesIn(StoreBackends()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace slipway::controller
