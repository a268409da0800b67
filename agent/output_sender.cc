#include "agent/output_sender.h"

#include <utility>

#include "slipway/v1/agent_session.pb.h"

namespace slipway::agent {
namespace {

constexpr std::uint64_t kPieceBytes = 64 << 10;
constexpr std::size_t kWaitingBytesMax = 512 << 10;
constexpr std::size_t kRequestsMax = 256;
constexpr absl::Duration kEarliest = absl::Seconds(5);
constexpr absl::Duration kPause = absl::Milliseconds(200);

}  // namespace

OutputSender::OutputSender(Ports ports) : ports_(std::move(ports)) {
  thread_ = std::thread([this] { Run(); });
}

OutputSender::~OutputSender() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    wake_.NotifyAll();
  }
  thread_.join();
}

void OutputSender::Begin(const std::string& request, Request what) {
  MutexLock lock(mu_);
  if (requests_.size() >= kRequestsMax) return;
  what.since = ports_.clock.Monotonic();
  requests_[request] = std::move(what);
  wake_.NotifyAll();
}

void OutputSender::Cancel(const std::string& request) {
  MutexLock lock(mu_);
  requests_.erase(request);
}

void OutputSender::CancelAll() {
  MutexLock lock(mu_);
  requests_.clear();
}

void OutputSender::Run() {
  for (;;) {
    std::map<std::string, Request> requests;
    {
      MutexLock lock(mu_);
      while (requests_.empty() && !stopping_) wake_.Wait(mu_);
      if (stopping_) return;
      requests = requests_;
    }
    bool moved = false;
    for (const auto& [name, request] : requests) {
      if (ports_.waiting_bytes() > kWaitingBytesMax) break;
      moved = Step(name, request) || moved;
    }
    if (moved) continue;
    MutexLock lock(mu_);
    if (!stopping_) wake_.WaitFor(mu_, kPause);
  }
}

bool OutputSender::Step(const std::string& name, Request request) {
  // Asked before the read: what was written until then is read, too.
  // Who follows may be quicker than the command that is to be followed.
  const bool early = request.offset == 0 && ports_.clock.Monotonic() - request.since < kEarliest;
  const bool more = request.follow && (early || ports_.is_running(request.id));
  const auto piece = ports_.archive.Read(request.id, request.offset, kPieceBytes);
  if (!piece.ok()) {
    if (more) return false;
    End(name, std::string(piece.status().message()));
    return true;
  }
  if (piece->bytes.empty()) {
    if (more) return false;
    End(name, "");
    return true;
  }
  v1::OutputChunk chunk;
  chunk.set_request(name);
  chunk.set_data(piece->bytes);
  chunk.set_offset(piece->offset);
  chunk.set_dropped(piece->dropped);
  ports_.send(chunk);
  MutexLock lock(mu_);
  const auto it = requests_.find(name);
  if (it != requests_.end()) it->second.offset = piece->offset + piece->bytes.size();
  return true;
}

void OutputSender::End(const std::string& name, const std::string& error) {
  Cancel(name);
  v1::OutputChunk chunk;
  chunk.set_request(name);
  chunk.set_end(true);
  chunk.set_error(error);
  ports_.send(chunk);
}

}  // namespace slipway::agent
