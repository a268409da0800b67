#include "controller/fleet/output_stream.h"

#include <utility>

namespace slipway::controller {

bool OutputStream::Push(Piece piece) {
  MutexLock lock(mu_);
  if (end_) return false;
  bytes_ += piece.data.size();
  pieces_.push_back(std::move(piece));
  if (bytes_ > kBytesMax) {
    end_ = absl::ResourceExhaustedError("the output was read too slowly; ask again");
  }
  changed_.NotifyAll();
  return !end_;
}

void OutputStream::End(absl::Status status) {
  MutexLock lock(mu_);
  if (!end_) end_ = std::move(status);
  changed_.NotifyAll();
}

absl::StatusOr<std::optional<OutputStream::Piece>> OutputStream::Next(absl::Duration timeout) {
  MutexLock lock(mu_);
  if (pieces_.empty() && !end_) changed_.WaitFor(mu_, timeout);
  if (!pieces_.empty()) {
    Piece piece = std::move(pieces_.front());
    pieces_.pop_front();
    bytes_ -= piece.data.size();
    return piece;
  }
  if (!end_) return absl::DeadlineExceededError("no output yet");
  if (!end_->ok()) return *end_;
  return std::nullopt;
}

}  // namespace slipway::controller
