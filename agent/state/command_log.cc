#include "agent/state/command_log.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/state/frames.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

absl::Status Undecided(const absl::Status& cause) {
  return absl::DataLossError(absl::StrCat("the command log's last write is in doubt: ",
                                          cause.message(), "; the agent ends and reads it again"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<CommandLog>> CommandLog::Open(LogFile& file) {
  SLIPWAY_ASSIGN_OR_RETURN(std::string bytes, file.Read());
  if (bytes.empty()) {
    bytes = EncodeFileHeader();
    SLIPWAY_RETURN_IF_ERROR(file.Replace(bytes));
  }
  SLIPWAY_ASSIGN_OR_RETURN(const LogContent content, ReadLog(bytes));
  if (content.valid_size < bytes.size()) {
    SLIPWAY_RETURN_IF_ERROR(file.Truncate(content.valid_size));
  }
  // The process before may have died between its last append and the sync: what is read here
  // and acted upon must not vanish in a power cut.
  SLIPWAY_RETURN_IF_ERROR(file.Sync());
  std::unique_ptr<CommandLog> log(new CommandLog(file));
  log->size_ = content.valid_size;
  log->count_ = content.records.size();
  const absl::Status reserve = file.RefillReserve();
  if (!reserve.ok() && !absl::IsResourceExhausted(reserve)) return reserve;
  log->reserve_released_ = !reserve.ok();
  return log;
}

absl::StatusOr<std::vector<Record>> CommandLog::Replay() {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string bytes, file_.Read());
  SLIPWAY_ASSIGN_OR_RETURN(LogContent content, ReadLog(bytes));
  return std::move(content.records);
}

absl::Status CommandLog::Append(const std::vector<Record>& records, Need need) {
  if (records.empty()) return absl::OkStatus();
  const std::string frame = EncodeFrame(records);
  absl::Status written = WriteFrame(frame);
  if (absl::IsResourceExhausted(written) && need == Need::must) {
    SLIPWAY_RETURN_IF_ERROR(file_.ReleaseReserve());
    reserve_released_ = true;
    written = WriteFrame(frame);
  }
  SLIPWAY_RETURN_IF_ERROR(written);
  size_ += frame.size();
  count_ += records.size();
  // As soon as there is space again; a full disk is no news here.
  if (reserve_released_) reserve_released_ = !file_.RefillReserve().ok();
  return absl::OkStatus();
}

absl::Status CommandLog::WriteFrame(const std::string& frame) {
  const absl::Status appended = file_.Append(frame);
  if (appended.ok()) {
    const absl::Status synced = file_.Sync();
    return synced.ok() ? synced : Undecided(synced);
  }
  if (!absl::IsResourceExhausted(appended)) return Undecided(appended);
  const absl::Status cut = file_.Truncate(size_);
  return cut.ok() ? appended : Undecided(cut);
}

absl::Status CommandLog::Rewrite(const std::vector<Record>& records) {
  const std::string bytes = absl::StrCat(EncodeFileHeader(), EncodeFrame(records), EncodeFrame({}));
  const absl::Status replaced = file_.Replace(bytes);
  if (!replaced.ok()) return absl::IsResourceExhausted(replaced) ? replaced : Undecided(replaced);
  size_ = bytes.size();
  count_ = records.size();
  return absl::OkStatus();
}

}  // namespace slipway::agent
