#include "agent/state/fake_log_file.h"

#include <algorithm>

namespace slipway::agent {
namespace {

constexpr std::uint64_t kSectorBytes = 512;

absl::Status Dead() {
  return absl::AbortedError("the process is dead");
}

}  // namespace

absl::Status FakeLogFile::Die() {
  crashed_ = true;
  return Dead();
}

void FakeLogFile::CountWrite() {
  ++writes_;
  if (crash_ && crash_->writes > 0) --crash_->writes;
}

void FakeLogFile::Restart(bool power_cut) {
  crashed_ = false;
  sync_fails_ = false;
  crash_.reset();
  if (!power_cut || synced_ >= bytes_.size()) return;
  ++torn_;
  const std::uint64_t unsynced = bytes_.size() - synced_;
  switch (Below(4)) {
    case 0:
      bytes_.resize(synced_);
      break;
    case 1:
      bytes_.resize(synced_ + Below(unsynced));
      break;
    case 2: {  // the size was written, one sector was not
      const std::uint64_t hole = (synced_ + Below(unsynced)) / kSectorBytes * kSectorBytes;
      const std::uint64_t begin = std::max(hole, synced_);
      const std::uint64_t end = std::min<std::uint64_t>(hole + kSectorBytes, bytes_.size());
      std::fill(bytes_.begin() + static_cast<std::ptrdiff_t>(begin),
                bytes_.begin() + static_cast<std::ptrdiff_t>(end), '\0');
      break;
    }
    default:
      break;  // all of it had reached the disk
  }
  synced_ = bytes_.size();
}

absl::StatusOr<std::string> FakeLogFile::Read() {
  if (crashed_) return Dead();
  return bytes_;
}

absl::Status FakeLogFile::Append(std::string_view bytes) {
  if (crashed_ || CrashesNow(Crash::before)) return Die();
  if (CrashesNow(Crash::torn)) {
    bytes_.append(bytes.substr(0, Below(bytes.size())));
    return Die();
  }
  const std::uint64_t written = std::min<std::uint64_t>(bytes.size(), free_);
  bytes_.append(bytes.substr(0, written));
  free_ -= written;
  if (written < bytes.size()) return absl::ResourceExhaustedError("no space left on the disk");
  return absl::OkStatus();
}

absl::Status FakeLogFile::Sync() {
  if (crashed_ || CrashesNow(Crash::unsynced)) return Die();
  if (sync_fails_) {
    sync_fails_ = false;
    return absl::DataLossError("input/output error");
  }
  synced_ = bytes_.size();
  if (CrashesNow(Crash::after)) return Die();
  CountWrite();
  return absl::OkStatus();
}

absl::Status FakeLogFile::Truncate(std::uint64_t size) {
  if (crashed_) return Dead();
  free_ += bytes_.size() - size;
  bytes_.resize(size);
  synced_ = std::min(synced_, size);
  return absl::OkStatus();
}

absl::Status FakeLogFile::Replace(std::string_view bytes) {
  if (crashed_ || CrashesNow(Crash::before) || CrashesNow(Crash::torn) ||
      CrashesNow(Crash::unsynced)) {
    return Die();  // whatever of `.new` was written, the old content stands
  }
  if (bytes.size() > free_) return absl::ResourceExhaustedError("no space left on the disk");
  free_ += bytes_.size();
  free_ -= bytes.size();
  bytes_ = bytes;
  synced_ = bytes_.size();
  if (CrashesNow(Crash::after)) return Die();
  CountWrite();
  return absl::OkStatus();
}

absl::Status FakeLogFile::ReleaseReserve() {
  if (crashed_) return Dead();
  if (has_reserve_) free_ += kReserveBytes;
  has_reserve_ = false;
  return absl::OkStatus();
}

absl::Status FakeLogFile::RefillReserve() {
  if (crashed_) return Dead();
  if (has_reserve_) return absl::OkStatus();
  if (free_ < kReserveBytes) return absl::ResourceExhaustedError("no space left on the disk");
  free_ -= kReserveBytes;
  has_reserve_ = true;
  return absl::OkStatus();
}

}  // namespace slipway::agent
