#include "common/artifact/release_push.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/artifact/limits.h"
#include "common/artifact/tree_scan.h"
#include "common/artifact/zstd_stream.h"
#include "common/fs/directory.h"
#include "common/grpc_status.h"
#include "common/status_macros.h"
#include "slipway/v1/artifact.grpc.pb.h"

namespace slipway {
namespace {

constexpr int kTriesMax = 5;
constexpr absl::Duration kCallWithin = absl::Seconds(30);
constexpr std::uint64_t kBytesPerSecondLeast = 128 * 1024;  // slower than this is broken
constexpr std::size_t kSampleBytes = 64 * 1024;

struct Missing {
  Digest digest;
  std::uint64_t held;
};

void SetDeadline(grpc::ClientContext& context, const Clock& clock, absl::Duration within) {
  context.set_deadline(absl::ToChronoTime(clock.Now() + within));
}

bool IsWorthAnotherTry(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kFailedPrecondition:  // another offset is held by now
    case absl::StatusCode::kDataLoss:            // what was held may have been damaged
      return true;
    default:
      return false;
  }
}

// The messages of one object.
class ObjectSender {
 public:
  ObjectSender(grpc::ClientWriter<v1::PutRequest>& stream, const Missing& object,
               const Chunk& chunk)
      : stream_(stream) {
    message_.set_digest(object.digest.ToString());
    message_.set_size(chunk.size);
    message_.set_offset(object.held);
  }

  // False: the stream is broken; its Finish tells why.
  absl::StatusOr<bool> Send(const File& file, std::uint64_t offset,
                            const std::function<void(std::uint64_t)>& on_bytes) {
    SLIPWAY_ASSIGN_OR_RETURN(const std::string sample, file.ReadAt(offset, kSampleBytes));
    std::optional<ZstdCompressor> pack;
    if (IsWorthCompressing(sample)) {
      message_.set_zstd(true);
      pack.emplace([this](std::string_view bytes) { return Collect(bytes); });
    }
    const absl::Status sent = ReadPieces(file, offset, [&](std::string_view piece) {
      const absl::Status passed = pack ? pack->Write(piece) : Collect(piece);
      if (passed.ok()) on_bytes(piece.size());
      return passed;
    });
    if (absl::IsCancelled(sent)) return false;
    SLIPWAY_RETURN_IF_ERROR(sent);
    if (pack && !pack->Finish().ok()) return false;
    message_.set_end(true);
    return Write().ok();
  }

  std::uint64_t bytes_wire() const { return bytes_wire_; }

 private:
  absl::Status Collect(std::string_view bytes) {
    message_.mutable_data()->append(bytes);
    return message_.data().size() >= kTransferBytesMax ? Write() : absl::OkStatus();
  }

  absl::Status Write() {
    bytes_wire_ += message_.data().size();
    if (!stream_.Write(message_)) return absl::CancelledError("the stream is broken");
    message_.Clear();
    return absl::OkStatus();
  }

  grpc::ClientWriter<v1::PutRequest>& stream_;
  v1::PutRequest message_;
  std::uint64_t bytes_wire_ = 0;
};

class Push {
 public:
  Push(const std::shared_ptr<grpc::Channel>& channel, const SealedRelease& sealed,
       const PushOptions& options)
      : stub_(v1::ArtifactService::NewStub(channel)), sealed_(sealed), options_(options) {
    for (const FileEntry& file : sealed.manifest.files) {
      for (const Chunk& chunk : file.chunks)
        files_.try_emplace(chunk.digest, Content{file.path, chunk});
    }
  }

  absl::StatusOr<PushStatistics> Run(v1::ReleaseInfo& made) {
    absl::Duration pause = absl::Milliseconds(200);
    for (int tries = 1;; ++tries, pause *= 2) {
      const absl::Status pushed = Once(made);
      if (pushed.ok()) return statistics_;
      if (tries == kTriesMax || !IsWorthAnotherTry(pushed)) return pushed;
      options_.clock.Sleep(pause);
    }
  }

 private:
  struct Content {
    std::string path;
    Chunk chunk;
  };

  absl::Status Once(v1::ReleaseInfo& made) {
    SLIPWAY_ASSIGN_OR_RETURN(const std::vector<Missing> missing, FindMissing());
    if (!missing.empty()) SLIPWAY_RETURN_IF_ERROR(PutAll(missing));
    grpc::ClientContext context;
    SetDeadline(context, options_.clock, kCallWithin);
    v1::CreateReleaseRequest request;
    request.set_request_id(sealed_.digest.ToString());
    request.set_manifest(sealed_.bytes);
    return FromGrpc(stub_->CreateRelease(&context, request, &made));
  }

  absl::StatusOr<std::vector<Missing>> FindMissing() {
    std::vector<Missing> missing;
    std::uint64_t bytes = 0;
    for (auto next = files_.begin(); next != files_.end();) {
      v1::FindMissingRequest request;
      for (; next != files_.end() && request.digests_size() < static_cast<int>(kFindMissingMax);
           ++next) {
        request.add_digests(next->first.ToString());
      }
      grpc::ClientContext context;
      SetDeadline(context, options_.clock, kCallWithin);
      v1::FindMissingResponse response;
      SLIPWAY_RETURN_IF_ERROR(FromGrpc(stub_->FindMissing(&context, request, &response)));
      for (int i = 0; i < response.missing_size(); ++i) {
        SLIPWAY_ASSIGN_OR_RETURN(const Digest digest, Digest::Parse(response.missing(i)));
        const auto content = files_.find(digest);
        if (content == files_.end()) {
          return absl::InternalError("the controller misses content that was not asked for");
        }
        const std::uint64_t held = i < response.held_size() ? response.held(i) : 0;
        missing.push_back({digest, std::min(held, content->second.chunk.size)});
        bytes += content->second.chunk.size - missing.back().held;
      }
    }
    NoteMissing(bytes);
    return missing;
  }

  // What is shown as the whole is what was missing at first; a second look finds less of it.
  void NoteMissing(std::uint64_t bytes) {
    if (!looked_) {
      std::uint64_t all = 0;
      for (const auto& [digest, content] : files_) all += content.chunk.size;
      total_ = bytes;
      statistics_.bytes_there = all - bytes;
      looked_ = true;
    }
    done_ = total_ - std::min(total_, bytes);
    left_ = bytes;
  }

  absl::Status PutAll(const std::vector<Missing>& missing) {
    SLIPWAY_ASSIGN_OR_RETURN(const Directory root, Directory::Open(sealed_.dir));
    grpc::ClientContext context;
    SetDeadline(
        context, options_.clock,
        kCallWithin + absl::Seconds(static_cast<std::int64_t>(left_ / kBytesPerSecondLeast)));
    v1::PutResponse response;
    const auto stream = stub_->Put(&context, &response);
    for (const Missing& object : missing) {
      const absl::StatusOr<bool> sent = SendOne(root, *stream, object);
      if (!sent.ok()) {
        context.TryCancel();
        stream->Finish().error_code();
        return sent.status();
      }
      if (!*sent) break;
    }
    stream->WritesDone();
    absl::Status finished = FromGrpc(stream->Finish());
    if (!absl::IsDataLoss(finished)) return finished;
    return absl::DataLossError(
        absl::StrCat(finished.message(), "; was the release changed after it was sealed?"));
  }

  absl::StatusOr<bool> SendOne(const Directory& root, grpc::ClientWriter<v1::PutRequest>& stream,
                               const Missing& object) {
    const Content& content = files_.at(object.digest);
    SLIPWAY_ASSIGN_OR_RETURN(const File file, root.OpenFile(content.path));
    ObjectSender sender(stream, object, content.chunk);
    const auto sent = sender.Send(file, object.held, [&](std::uint64_t bytes) {
      done_ += bytes;
      statistics_.bytes_sent += bytes;
      if (options_.progress) options_.progress(std::min(done_, total_), total_);
    });
    statistics_.bytes_wire += sender.bytes_wire();
    if (sent.ok() && *sent) ++statistics_.objects_sent;
    return sent;
  }

  const std::unique_ptr<v1::ArtifactService::Stub> stub_;
  const SealedRelease& sealed_;
  const PushOptions& options_;
  std::map<Digest, Content> files_;
  PushStatistics statistics_;
  std::uint64_t total_ = 0, done_ = 0, left_ = 0;
  bool looked_ = false;
};

}  // namespace

absl::StatusOr<PushStatistics> PushRelease(const std::shared_ptr<grpc::Channel>& channel,
                                           const SealedRelease& sealed, const PushOptions& options,
                                           v1::ReleaseInfo& made) {
  return Push(channel, sealed, options).Run(made);
}

}  // namespace slipway
