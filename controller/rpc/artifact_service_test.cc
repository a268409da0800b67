// Pushing and fetching over real gRPC: only what is missing, resumed, verified.
#include "controller/rpc/artifact_service.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <random>

#include "agent/session/grpc_content_source.h"
#include "common/artifact/limits.h"
#include "common/artifact/memory_object_store.h"
#include "common/artifact/release_push.h"
#include "common/fs/test_directory.h"
#include "common/grpc_status.h"
#include "common/manual_clock.h"
#include "controller/registry/memory_store.h"
#include "slipway/v1/artifact.grpc.pb.h"

namespace slipway::controller {
namespace {

using testing::HasSubstr;

// The system's wall clock for deadlines of calls; its pauses take no time.
class ImpatientClock final : public Clock {
 public:
  absl::Time Now() const override { return SystemClock().Now(); }
  absl::Duration Monotonic() const override { return SystemClock().Monotonic(); }
  void Sleep(absl::Duration) const override { ++pauses; }
  mutable std::atomic<int> pauses{0};
};

// Breaks off transfers, in either direction, as a lost connection does.
class FlakyObjectStore final : public ObjectStore {
 public:
  explicit FlakyObjectStore(ObjectStore& inner) : inner_(inner) {}

  // The n-th piece from now on does not come through, counted over all transfers.
  void BreakAt(int piece) { left_ = piece; }

  absl::StatusOr<bool> Has(const Digest& digest) override { return inner_.Has(digest); }
  absl::StatusOr<std::uint64_t> Size(const Digest& digest) override { return inner_.Size(digest); }
  absl::StatusOr<std::uint64_t> Held(const Digest& digest) override { return inner_.Held(digest); }
  absl::StatusOr<std::unique_ptr<ObjectWriter>> Put(const Digest& digest, std::uint64_t size,
                                                    std::uint64_t offset) override {
    auto writer = inner_.Put(digest, size, offset);
    if (!writer.ok()) return writer.status();
    return std::make_unique<Writer>(*this, *std::move(writer));
  }
  absl::Status Get(const Digest& digest, std::uint64_t offset,
                   const std::function<absl::Status(std::string_view)>& sink) override {
    return inner_.Get(digest, offset, [&](std::string_view piece) {
      bytes_out += piece.size();
      return Breaks() ? absl::UnavailableError("connection lost") : sink(piece);
    });
  }
  absl::Status Remove(const Digest& digest) override { return inner_.Remove(digest); }

  std::atomic<std::uint64_t> bytes_in{0}, bytes_out{0};

 private:
  class Writer final : public ObjectWriter {
   public:
    Writer(FlakyObjectStore& store, std::unique_ptr<ObjectWriter> inner)
        : store_(store), inner_(std::move(inner)) {}
    std::uint64_t size() const override { return inner_->size(); }
    absl::Status Append(std::string_view bytes) override {
      if (store_.Breaks()) return absl::UnavailableError("connection lost");
      store_.bytes_in += bytes.size();
      return inner_->Append(bytes);
    }
    absl::Status Finish() override { return inner_->Finish(); }

   private:
    FlakyObjectStore& store_;
    const std::unique_ptr<ObjectWriter> inner_;
  };

  bool Breaks() { return left_ > 0 && --left_ == 0; }

  ObjectStore& inner_;
  std::atomic<int> left_{0};
};

class ArtifactServiceTest : public testing::Test {
 protected:
  void SetUp() override {
    service_ =
        MakeArtifactService({releases_, database_.registry(),
                             [](const grpc::AuthContext&) {
                               return absl::StatusOr<std::string>("slipway://x/operator/lena");
                             },
                             [this] { return in_use_; }});
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(service_.get());
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    channel_ = grpc::CreateChannel("127.0.0.1:" + std::to_string(port),
                                   grpc::InsecureChannelCredentials());
    source_ = std::make_unique<agent::GrpcContentSource>(channel_, clock_);
    home_.Write(
        "release.yaml",
        "release: 1\nname: shop\nversion: 1.0\ncomponents: { backend: { path: backend/ } }\n");
    home_.Write("backend/text", std::string(3'000'000, 't'));
    home_.Write("backend/noise", Noise(3'000'000));
    home_.Write("backend/empty", "");
  }
  void TearDown() override { server_->Shutdown(); }

  static std::string Noise(std::size_t size) {
    std::mt19937_64 random(7);
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    return bytes;
  }

  SealedRelease Seal() {
    auto sealed = SealRelease(home_.path(), {}, nullptr);
    EXPECT_TRUE(sealed.ok()) << sealed.status();
    return *std::move(sealed);
  }
  absl::StatusOr<PushStatistics> Push(const SealedRelease& sealed) {
    pushed_.Advance(absl::Hours(1));
    return PushRelease(channel_, sealed,
                       {clock_,
                        [this](std::uint64_t d, std::uint64_t t) {
                          EXPECT_LE(d, t);
                          done_ = d, total_ = t;
                        }},
                       made_);
  }
  absl::StatusOr<std::string> Fetch(const std::string& digest, std::uint64_t offset = 0) {
    std::string bytes;
    const absl::Status fetched = source_->Fetch(digest, offset, [&](std::string_view piece) {
      bytes.append(piece);
      return absl::OkStatus();
    });
    if (!fetched.ok()) return fetched;
    return bytes;
  }

  TestDirectory home_;
  ImpatientClock clock_;
  MemoryObjectStore objects_;
  FlakyObjectStore flaky_{objects_};
  MemoryStore database_;
  absl::StatusOr<ReleasesInUse> in_use_;
  ManualClock pushed_;
  ReleaseStore releases_{flaky_, database_.registry(), pushed_};
  std::unique_ptr<grpc::Service> service_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<agent::GrpcContentSource> source_;
  v1::ReleaseInfo made_;
  std::uint64_t done_ = 0, total_ = 0;
};

TEST_F(ArtifactServiceTest, PushSendsOnlyWhatIsMissingAndCompressesWhatPays) {
  const auto first = Push(Seal());
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(made_.name(), "shop");
  EXPECT_EQ(made_.pushed_by(), "slipway://x/operator/lena");
  EXPECT_EQ(made_.files(), 4u);
  EXPECT_EQ(first->objects_sent, 3u) << "nothing is sent for an empty file";
  EXPECT_LT(first->bytes_wire, 3'100'000u);
  EXPECT_EQ(done_, total_);
  const auto again = Push(Seal());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->objects_sent, 0u);
  home_.Write("backend/more", "new");
  home_.Write(
      "release.yaml",
      "release: 1\nname: shop\nversion: 1.1\ncomponents: { backend: { path: backend/ } }\n");
  const auto next = Push(Seal());
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_EQ(next->objects_sent, 2u);
  EXPECT_GE(next->bytes_there, 6'000'000u);
}

TEST_F(ArtifactServiceTest, BrokenPushGoesOnWhereItStoppedWhereverItBreaks) {
  const SealedRelease sealed = Seal();
  flaky_.BreakAt(9);
  const auto pushed = Push(sealed);
  ASSERT_TRUE(pushed.ok()) << pushed.status();
  EXPECT_GE(clock_.pauses, 1);
  EXPECT_EQ(flaky_.bytes_in, 6'000'000u + sealed.manifest.files.back().size + sealed.bytes.size())
      << "no byte was stored twice";
}

TEST_F(ArtifactServiceTest, FileThatChangedAfterSealingIsNoticed) {
  const SealedRelease sealed = Seal();
  home_.Write("backend/text", std::string(3'000'000, 'T'));
  const auto pushed = Push(sealed);
  EXPECT_EQ(pushed.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(pushed.status().message()), HasSubstr("changed after it was sealed"));
  EXPECT_FALSE(releases_.Get("shop@1.0").ok());
}

TEST_F(ArtifactServiceTest, SameVersionWithOtherContentIsRefusedAndStays) {
  ASSERT_TRUE(Push(Seal()).ok());
  home_.Write("backend/text", "other");
  EXPECT_EQ(Push(Seal()).status().code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(ArtifactServiceTest, AgentsFetchFromAnyOffset) {
  const SealedRelease sealed = Seal();
  ASSERT_TRUE(Push(sealed).ok());
  EXPECT_EQ(*source_->GetManifest(sealed.digest.ToString()), sealed.bytes);
  for (const std::string& content : {std::string(3'000'000, 't'), Noise(3'000'000)}) {
    const std::string digest = Digest::Of(content).ToString();
    for (const std::uint64_t offset :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2'999'999}, std::uint64_t{3'000'000}}) {
      const auto fetched = Fetch(digest, offset);
      ASSERT_TRUE(fetched.ok()) << fetched.status();
      EXPECT_TRUE(*fetched == content.substr(offset)) << offset;
    }
    EXPECT_EQ(Fetch(digest, 3'000'001).status().code(), absl::StatusCode::kOutOfRange);
  }
  EXPECT_EQ(Fetch(Digest::Of("none").ToString()).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Fetch("none").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ArtifactServiceTest, BrokenFetchGoesOnBehindTheLastByte) {
  ASSERT_TRUE(Push(Seal()).ok());
  const std::string noise = Noise(3'000'000);
  flaky_.bytes_out = 0;
  flaky_.BreakAt(4);
  const auto fetched = Fetch(Digest::Of(noise).ToString());
  ASSERT_TRUE(fetched.ok()) << fetched.status();
  EXPECT_TRUE(*fetched == noise);
  EXPECT_EQ(clock_.pauses, 1);
  EXPECT_LT(flaky_.bytes_out, 3'000'000u + 2 * kTransferBytesMax);
}

TEST_F(ArtifactServiceTest, AbsentControllerEndsTheFetchAfterAFewTries) {
  server_->Shutdown();
  EXPECT_EQ(Fetch(Digest::Of("x").ToString()).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(clock_.pauses, 2);
}

TEST_F(ArtifactServiceTest, ErrorOfTheSinkEndsTheFetchAtOnce) {
  ASSERT_TRUE(Push(Seal()).ok());
  int calls = 0;
  const absl::Status ended =
      source_->Fetch(Digest::Of(Noise(3'000'000)).ToString(), 0, [&](std::string_view) {
        ++calls;
        return absl::UnavailableError("my own");
      });
  EXPECT_EQ(ended.message(), "my own");
  EXPECT_EQ(calls, 1);
}

TEST_F(ArtifactServiceTest, HostilePutsAreRefusedAndLeaveNothing) {
  const auto stub = v1::ArtifactService::NewStub(channel_);
  const auto put = [&](const std::vector<v1::PutRequest>& messages) {
    grpc::ClientContext context;
    v1::PutResponse response;
    const auto stream = stub->Put(&context, &response);
    for (const v1::PutRequest& message : messages) stream->Write(message);
    stream->WritesDone();
    return FromGrpc(stream->Finish()).code();
  };
  const auto message = [](const std::string& digest, std::uint64_t size, const std::string& data) {
    v1::PutRequest request;
    request.set_digest(digest);
    request.set_size(size);
    request.set_data(data);
    request.set_end(true);
    return request;
  };
  const std::string digest = Digest::Of("right").ToString();
  EXPECT_EQ(put({message("", 5, "right")}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(put({message("sha256:../../x", 5, "right")}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(put({message(digest, std::uint64_t{1} << 60, "")}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(put({message(digest, 5, "wrong")}), absl::StatusCode::kDataLoss);
  EXPECT_EQ(put({message(digest, 5, "right and more")}), absl::StatusCode::kInvalidArgument);
  v1::PutRequest open = message(digest, 5, "ri");
  open.set_end(false);
  EXPECT_EQ(put({open}), absl::StatusCode::kInvalidArgument);
  v1::PutRequest zstd = message(digest, 5, "not zstd");
  zstd.set_zstd(true);
  EXPECT_EQ(put({zstd}), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(*objects_.Has(Digest::Of("right")));
  EXPECT_EQ(put({message(digest, 5, "right")}), absl::StatusCode::kOk);
}

TEST_F(ArtifactServiceTest, CollectingTellsWhatItWouldDoAndThenDoesIt) {
  for (const char* version : {"1", "2", "3"}) {
    home_.Write("release.yaml", absl::StrCat("release: 1\nname: shop\nversion: \"", version,
                                             "\"\ncomponents: { backend: { path: backend/ } }\n"));
    ASSERT_TRUE(Push(Seal()).ok());
  }
  const auto stub = v1::ArtifactService::NewStub(channel_);
  v1::CollectReleasesRequest request;
  v1::CollectReleasesResponse response;
  const auto collect = [&] {
    grpc::ClientContext context;
    response.Clear();
    return stub->CollectReleases(&context, request, &response);
  };
  EXPECT_EQ(collect().error_code(), grpc::StatusCode::INVALID_ARGUMENT) << "keep nothing";
  request.set_keep(1);
  request.set_dry_run(true);
  in_use_ = absl::UnavailableError("wait");
  EXPECT_EQ(collect().error_code(), grpc::StatusCode::UNAVAILABLE);
  in_use_ = ReleasesInUse{{releases_.Get("shop@1")->record.digest, "is on web-1"}};
  for (const bool dry_run : {true, false}) {
    request.set_dry_run(dry_run);
    ASSERT_TRUE(collect().ok());
    ASSERT_EQ(response.removed_size(), 1);
    EXPECT_EQ(response.removed(0).version(), "2");
    EXPECT_GT(response.freed_bytes(), 0u);
    ASSERT_EQ(response.kept_size(), 2);
    EXPECT_EQ(response.kept(0).why(), "is the newest");
    EXPECT_EQ(response.kept(1).why(), "is on web-1");
    EXPECT_EQ(releases_.Get("shop@2").ok(), dry_run);
  }
}

TEST_F(ArtifactServiceTest, ListsComeInPages) {
  for (const std::string version : {"1.0", "1.1", "1.2"}) {
    home_.Write("release.yaml", "release: 1\nname: shop\nversion: " + version +
                                    "\ncomponents: { backend: { path: backend/ } }\n");
    ASSERT_TRUE(Push(Seal()).ok());
  }
  const auto stub = v1::ArtifactService::NewStub(channel_);
  v1::ListReleasesRequest request;
  request.set_page_size(2);
  std::vector<std::string> versions;
  do {
    grpc::ClientContext context;
    v1::ListReleasesResponse response;
    ASSERT_TRUE(stub->ListReleases(&context, request, &response).ok());
    for (const auto& release : response.releases()) versions.push_back(release.version());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(versions, testing::ElementsAre("1.2", "1.1", "1.0"));
}

}  // namespace
}  // namespace slipway::controller
