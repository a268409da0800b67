#include "controller/rpc/artifact_service.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/artifact/limits.h"
#include "common/artifact/zstd_stream.h"
#include "common/grpc_status.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "controller/releases/verify_releases.h"
#include "slipway/v1/artifact.grpc.pb.h"

namespace slipway::controller {
namespace {

constexpr std::uint32_t kPageSize = 100;
constexpr std::uint32_t kPageSizeMax = 1000;
constexpr std::size_t kPutBytesMax = 1024 * 1024;
constexpr std::size_t kSampleBytes = 64 * 1024;  // enough to tell whether compressing pays

v1::ReleaseInfo ToProto(const ReleaseDetails& details) {
  v1::ReleaseInfo info;
  info.set_name(details.record.name);
  info.set_version(details.record.version);
  info.set_digest(details.record.digest);
  info.set_total_bytes(details.record.size);
  info.set_files(details.files);
  info.set_pushed_by(details.record.pushed_by);
  info.set_pushed_at_us(absl::ToUnixMicros(details.record.pushed_at));
  for (const std::string& name : details.components) info.add_components(name);
  for (const std::string& name : details.services) info.add_services(name);
  return info;
}

v1::ReleaseCheck ToProto(const ReleaseCheck& check) {
  v1::ReleaseCheck proto;
  proto.set_name(check.release.name);
  proto.set_version(check.release.version);
  proto.set_digest(check.release.digest);
  proto.set_bytes_read(check.bytes_read);
  for (const DamagedContent& content : check.damaged) {
    auto* damaged = proto.add_damaged();
    damaged->set_path(content.path);
    damaged->set_digest(content.digest);
    damaged->set_problem(content.problem);
  }
  return proto;
}

v1::JudgedRelease ToProto(const JudgedRelease& judged) {
  v1::JudgedRelease proto;
  proto.set_name(judged.release.name);
  proto.set_version(judged.release.version);
  proto.set_digest(judged.release.digest);
  proto.set_why(judged.why);
  return proto;
}

// The objects of one Put call, one after the other.
class Receiver {
 public:
  explicit Receiver(ObjectStore& objects) : objects_(objects) {}

  absl::Status Take(const v1::PutRequest& message) {
    if (message.data().size() > kPutBytesMax) {
      return absl::InvalidArgumentError(absl::StrCat("at most ", kPutBytesMax, " bytes a message"));
    }
    if (!message.digest().empty()) SLIPWAY_RETURN_IF_ERROR(Begin(message));
    if (writer_ == nullptr) {
      return absl::InvalidArgumentError("the first message of an object must name its digest");
    }
    SLIPWAY_RETURN_IF_ERROR(unpack_ ? unpack_->Write(message.data())
                                    : writer_->Append(message.data()));
    return message.end() ? End() : absl::OkStatus();
  }

  // The call is over: an object that has begun must have ended.
  absl::Status Close() const {
    return writer_ == nullptr ? absl::OkStatus()
                              : absl::InvalidArgumentError("the last object has no end");
  }

  std::uint64_t objects() const { return count_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  absl::Status Begin(const v1::PutRequest& message) {
    if (writer_ != nullptr) return absl::InvalidArgumentError("the object before has no end");
    if (message.size() > kFileBytesMax || message.offset() > message.size()) {
      return absl::InvalidArgumentError(absl::StrCat(message.digest(), " has an impossible size"));
    }
    SLIPWAY_ASSIGN_OR_RETURN(const Digest digest, Digest::Parse(message.digest()));
    SLIPWAY_ASSIGN_OR_RETURN(writer_, objects_.Put(digest, message.size(), message.offset()));
    if (message.zstd()) {
      unpack_.emplace(message.size() - message.offset(),
                      [this](std::string_view bytes) { return writer_->Append(bytes); });
    }
    return absl::OkStatus();
  }

  absl::Status End() {
    if (unpack_) SLIPWAY_RETURN_IF_ERROR(unpack_->Finish());
    unpack_.reset();
    const std::unique_ptr<ObjectWriter> writer = std::move(writer_);
    SLIPWAY_RETURN_IF_ERROR(writer->Finish());
    ++count_;
    bytes_ += writer->size();
    return absl::OkStatus();
  }

  ObjectStore& objects_;
  std::unique_ptr<ObjectWriter> writer_;
  std::optional<ZstdDecompressor> unpack_;
  std::uint64_t count_ = 0, bytes_ = 0;
};

// The rest of one object, in messages.
class Sender {
 public:
  Sender(grpc::ServerWriter<v1::FetchResponse>& stream, std::uint64_t size) : stream_(stream) {
    message_.set_size(size);
  }

  absl::Status Send(ObjectStore& objects, const Digest& digest, std::uint64_t offset) {
    SLIPWAY_RETURN_IF_ERROR(objects.Get(digest, offset, [this](std::string_view piece) {
      return begun_ ? Forward(piece) : Begin(piece);
    }));
    if (pack_) SLIPWAY_RETURN_IF_ERROR(pack_->Finish());
    // The last piece, or, of an object without content, the size alone.
    return Write(true);
  }

 private:
  absl::Status Begin(std::string_view piece) {
    begun_ = true;
    if (IsWorthCompressing(piece.substr(0, kSampleBytes))) {
      message_.set_zstd(true);
      pack_.emplace([this](std::string_view bytes) { return Collect(bytes); });
    }
    return Forward(piece);
  }

  absl::Status Forward(std::string_view piece) {
    return pack_ ? pack_->Write(piece) : Collect(piece);
  }

  absl::Status Collect(std::string_view bytes) {
    message_.mutable_data()->append(bytes);
    return message_.data().size() >= kTransferBytesMax ? Write(false) : absl::OkStatus();
  }

  absl::Status Write(bool last) {
    if (last && wrote_ && message_.data().empty()) return absl::OkStatus();
    if (!stream_.Write(message_)) return absl::CancelledError("the caller has left");
    wrote_ = true;
    message_.Clear();
    return absl::OkStatus();
  }

  grpc::ServerWriter<v1::FetchResponse>& stream_;
  v1::FetchResponse message_;
  std::optional<ZstdCompressor> pack_;
  bool begun_ = false, wrote_ = false;
};

class ArtifactService final : public v1::ArtifactService::Service {
 public:
  explicit ArtifactService(ArtifactServicePorts ports)
      : ports_(std::move(ports)), releases_(ports_.releases) {}

  grpc::Status FindMissing(grpc::ServerContext*, const v1::FindMissingRequest* request,
                           v1::FindMissingResponse* response) override {
    return ToGrpc(DoFindMissing(*request, *response));
  }
  grpc::Status Put(grpc::ServerContext*, grpc::ServerReader<v1::PutRequest>* stream,
                   v1::PutResponse* response) override {
    return ToGrpc(DoPut(*stream, *response));
  }
  grpc::Status CreateRelease(grpc::ServerContext* context, const v1::CreateReleaseRequest* request,
                             v1::ReleaseInfo* response) override {
    return ToGrpc(DoCreate(*context, *request, *response));
  }
  grpc::Status ListReleases(grpc::ServerContext*, const v1::ListReleasesRequest* request,
                            v1::ListReleasesResponse* response) override {
    return ToGrpc(DoList(*request, *response));
  }
  grpc::Status GetRelease(grpc::ServerContext*, const v1::GetReleaseRequest* request,
                          v1::ReleaseInfo* response) override {
    const auto details = releases_.Get(request->name());
    if (details.ok()) *response = ToProto(*details);
    return ToGrpc(details.status());
  }
  grpc::Status VerifyReleases(grpc::ServerContext* context,
                              const v1::VerifyReleasesRequest* request,
                              grpc::ServerWriter<v1::ReleaseCheck>* stream) override {
    return ToGrpc(DoVerify(*context, *request, *stream));
  }
  grpc::Status CollectReleases(grpc::ServerContext* context,
                               const v1::CollectReleasesRequest* request,
                               v1::CollectReleasesResponse* response) override {
    return ToGrpc(DoCollect(*context, *request, *response));
  }
  grpc::Status GetManifest(grpc::ServerContext*, const v1::GetManifestRequest* request,
                           v1::GetManifestResponse* response) override {
    auto manifest = releases_.Manifest(request->digest());
    if (manifest.ok()) response->set_manifest(*std::move(manifest));
    return ToGrpc(manifest.status());
  }
  grpc::Status Fetch(grpc::ServerContext*, const v1::FetchRequest* request,
                     grpc::ServerWriter<v1::FetchResponse>* stream) override {
    return ToGrpc(DoFetch(*request, *stream));
  }

 private:
  absl::Status DoFindMissing(const v1::FindMissingRequest& request,
                             v1::FindMissingResponse& response) {
    SLIPWAY_ASSIGN_OR_RETURN(
        const std::vector<MissingObject> missing,
        releases_.FindMissing({request.digests().begin(), request.digests().end()}));
    for (const MissingObject& object : missing) {
      response.add_missing(object.digest.ToString());
      response.add_held(object.held);
    }
    return absl::OkStatus();
  }

  absl::Status DoPut(grpc::ServerReader<v1::PutRequest>& stream, v1::PutResponse& response) {
    Receiver receiver(releases_.objects());
    v1::PutRequest message;
    while (stream.Read(&message)) SLIPWAY_RETURN_IF_ERROR(receiver.Take(message));
    SLIPWAY_RETURN_IF_ERROR(receiver.Close());
    response.set_objects(receiver.objects());
    response.set_bytes(receiver.bytes());
    return absl::OkStatus();
  }

  // The manifest is its own idempotency key: the same one gives the same release.
  absl::Status DoCreate(const grpc::ServerContext& context, const v1::CreateReleaseRequest& request,
                        v1::ReleaseInfo& response) {
    SLIPWAY_ASSIGN_OR_RETURN(const std::string who, ports_.caller(*context.auth_context()));
    SLIPWAY_ASSIGN_OR_RETURN(const ReleaseDetails made, releases_.Create(request.manifest(), who));
    response = ToProto(made);
    return absl::OkStatus();
  }

  absl::Status DoList(const v1::ListReleasesRequest& request, v1::ListReleasesResponse& response) {
    SLIPWAY_ASSIGN_OR_RETURN(const std::vector<ReleaseDetails> all, releases_.List(request.name()));
    std::size_t begin = 0;
    if (!request.page_token().empty() && !absl::SimpleAtoi(request.page_token(), &begin)) {
      return absl::InvalidArgumentError("page_token is not one that ListReleases gave");
    }
    const std::uint32_t size = request.page_size() == 0 ? kPageSize : request.page_size();
    begin = std::min(begin, all.size());
    const std::size_t end = begin + std::min(size, kPageSizeMax);
    for (std::size_t i = begin; i < std::min(end, all.size()); ++i) {
      *response.add_releases() = ToProto(all[i]);
    }
    if (end < all.size()) response.set_next_page_token(absl::StrCat(end));
    return absl::OkStatus();
  }

  absl::Status DoVerify(const grpc::ServerContext& context,
                        const v1::VerifyReleasesRequest& request,
                        grpc::ServerWriter<v1::ReleaseCheck>& stream) {
    SLIPWAY_ASSIGN_OR_RETURN(const std::vector<ReleaseRecord> found,
                             releases_.Find(request.name()));
    return controller::VerifyReleases(
        releases_.objects(), found, [&](const ReleaseCheck& check) -> absl::Status {
          const bool heard = !context.IsCancelled() && stream.Write(ToProto(check));
          return heard ? absl::OkStatus() : absl::CancelledError("the caller has left");
        });
  }

  absl::Status DoCollect(const grpc::ServerContext& context,
                         const v1::CollectReleasesRequest& request,
                         v1::CollectReleasesResponse& response) {
    if (request.keep() == 0) return absl::InvalidArgumentError("keep the newest one at least");
    SLIPWAY_ASSIGN_OR_RETURN(const std::string who, ports_.caller(*context.auth_context()));
    const MutexLock lock(releases_.changing());
    SLIPWAY_ASSIGN_OR_RETURN(const ReleasesInUse in_use, ports_.in_use());
    SLIPWAY_ASSIGN_OR_RETURN(const CollectedReleases judged,
                             controller::CollectReleases(releases_, ports_.registry, in_use,
                                                         request.keep(), request.dry_run()));
    for (const JudgedRelease& one : judged.removed) {
      *response.add_removed() = ToProto(one);
      if (request.dry_run()) continue;
      log::Info("release removed",
                {{"release", one.release.name}, {"version", one.release.version}, {"by", who}});
    }
    for (const JudgedRelease& one : judged.kept) *response.add_kept() = ToProto(one);
    response.set_freed_bytes(judged.freed_bytes);
    return absl::OkStatus();
  }

  absl::Status DoFetch(const v1::FetchRequest& request,
                       grpc::ServerWriter<v1::FetchResponse>& stream) {
    SLIPWAY_ASSIGN_OR_RETURN(const Digest digest, Digest::Parse(request.digest()));
    SLIPWAY_ASSIGN_OR_RETURN(const std::uint64_t size, releases_.objects().Size(digest));
    return Sender(stream, size).Send(releases_.objects(), digest, request.offset());
  }

  const ArtifactServicePorts ports_;
  ReleaseStore& releases_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeArtifactService(ArtifactServicePorts ports) {
  return std::make_unique<ArtifactService>(std::move(ports));
}

}  // namespace slipway::controller
