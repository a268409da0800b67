#include "agent/releases/app_records.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/releases/record_file.h"
#include "common/artifact/digest.h"
#include "common/artifact/manifest.h"
#include "common/status_macros.h"
#include "slipway/agentstate/v1/deployment.pb.h"

namespace slipway::agent {
namespace {

namespace pb = agentstate::v1;

constexpr char kAppFile[] = "app";
constexpr std::size_t kBeforeMax = 5;  // rollouts whose configuration can be put back

StagedRelease Summary(const pb::DeploymentRecord& record) {
  return {record.version(), record.component(), record.folder(), record.healthy(),
          record.sequence()};
}

absl::StatusOr<std::string> RecordName(const std::string& digest) {
  SLIPWAY_ASSIGN_OR_RETURN(const Digest parsed, Digest::Parse(digest));
  return parsed.Hex();
}

// Replaces the file of the same path.
void Put(const pb::FileRecord& file, google::protobuf::RepeatedPtrField<pb::FileRecord>& files) {
  for (pb::FileRecord& known : files) {
    if (known.path() != file.path()) continue;
    known = file;
    return;
  }
  *files.Add() = file;
}

}  // namespace

std::string AppRecords::FolderName(const std::string& app) {
  std::string name = app.substr(app.rfind('/') + 1);
  for (char& c : name) {
    if (!ValidateReleaseName(std::string(1, c)).ok() && c != '-' && c != '.') c = '_';
  }
  return absl::StrCat(name.substr(0, 100), "-", Digest::Of(app).Short());
}

AppRecords::AppRecords(Directory dir, Directory releases, Directory before)
    : dir_(std::move(dir)), releases_(std::move(releases)), before_(std::move(before)) {}

absl::StatusOr<AppRecords> AppRecords::Create(Directory dir, const std::string& app) {
  SLIPWAY_ASSIGN_OR_RETURN(Directory releases, dir.MakeBelow("releases", 0700));
  SLIPWAY_ASSIGN_OR_RETURN(Directory before, dir.MakeBelow("before", 0700));
  AppRecords records(std::move(dir), std::move(releases), std::move(before));
  records.app_ = app;
  SLIPWAY_RETURN_IF_ERROR(records.Save());
  return records;
}

absl::StatusOr<AppRecords> AppRecords::Load(Directory dir) {
  pb::AppRecord record;
  SLIPWAY_RETURN_IF_ERROR(ReadRecord(dir, kAppFile, record));
  SLIPWAY_ASSIGN_OR_RETURN(Directory releases, dir.MakeBelow("releases", 0700));
  SLIPWAY_ASSIGN_OR_RETURN(Directory before, dir.MakeBelow("before", 0700));
  AppRecords records(std::move(dir), std::move(releases), std::move(before));
  records.app_ = record.app();
  records.previous_ = record.previous();
  records.next_sequence_ = record.next_sequence();
  for (const pb::Pin& pin : record.pins()) records.pins_.emplace(pin.digest(), pin.rollout());
  SLIPWAY_RETURN_IF_ERROR(records.LoadReleases());
  SLIPWAY_RETURN_IF_ERROR(records.MakeDurable());
  return records;
}

// The process before may have died between a rename and its sync: what is built upon from now on
// must not vanish in a power cut.
absl::Status AppRecords::MakeDurable() const {
  for (const Directory* const dir : {&dir_, &releases_, &before_}) {
    SLIPWAY_RETURN_IF_ERROR(dir->Sync());
  }
  // A folder that is away or cannot be read is what later steps will tell of.
  const auto root = Directory::Open(app_);
  if (!root.ok()) return absl::OkStatus();
  SLIPWAY_RETURN_IF_ERROR(root->Sync());
  const auto trees = root->Below("releases");
  return trees.ok() ? trees->Sync() : absl::OkStatus();
}

absl::Status AppRecords::LoadReleases() {
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<std::string> names, releases_.List());
  for (const std::string& name : names) {
    if (name.front() == '.') continue;  // a write that a crash cut off
    pb::DeploymentRecord record;
    SLIPWAY_RETURN_IF_ERROR(ReadRecord(releases_, name, record));
    staged_[record.digest()] = Summary(record);
    next_sequence_ = std::max(next_sequence_, record.sequence() + 1);
  }
  return absl::OkStatus();
}

absl::Status AppRecords::Save() {
  pb::AppRecord record;
  record.set_app(app_);
  record.set_previous(previous_);
  record.set_next_sequence(next_sequence_);
  for (const auto& [digest, rollout] : pins_) {
    pb::Pin& pin = *record.add_pins();
    pin.set_digest(digest);
    pin.set_rollout(rollout);
  }
  return WriteRecord(dir_, kAppFile, record);
}

bool AppRecords::IsPinned(const std::string& digest) const {
  const auto it = pins_.lower_bound({digest, ""});
  return it != pins_.end() && it->first == digest;
}

absl::Status AppRecords::SetPrevious(const std::string& digest) {
  if (previous_ == digest) return absl::OkStatus();
  previous_ = digest;
  return Save();
}

absl::Status AppRecords::Pin(const std::string& digest, const std::string& rollout) {
  return pins_.emplace(digest, rollout).second ? Save() : absl::OkStatus();
}

absl::Status AppRecords::Unpin(const std::string& digest, const std::string& rollout) {
  return pins_.erase({digest, rollout}) > 0 ? Save() : absl::OkStatus();
}

absl::Status AppRecords::UnpinAll(const std::string& rollout) {
  const auto of_rollout = [&](const auto& pin) { return pin.second == rollout; };
  return std::erase_if(pins_, of_rollout) > 0 ? Save() : absl::OkStatus();
}

absl::Status AppRecords::Write(const pb::DeploymentRecord& record) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string name, RecordName(record.digest()));
  SLIPWAY_RETURN_IF_ERROR(WriteRecord(releases_, name, record));
  staged_[record.digest()] = Summary(record);
  return absl::OkStatus();
}

absl::Status AppRecords::Add(pb::DeploymentRecord record) {
  record.set_sequence(next_sequence_++);
  return Write(record);
}

absl::Status AppRecords::Drop(const std::string& digest) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string name, RecordName(digest));
  SLIPWAY_RETURN_IF_ERROR(releases_.RemoveFile(name));
  SLIPWAY_RETURN_IF_ERROR(releases_.Sync());
  staged_.erase(digest);
  return absl::OkStatus();
}

absl::StatusOr<pb::DeploymentRecord> AppRecords::Get(const std::string& digest) const {
  if (!staged_.contains(digest)) {
    return absl::NotFoundError(absl::StrCat("release ", digest, " is not staged in ", app_));
  }
  SLIPWAY_ASSIGN_OR_RETURN(const std::string name, RecordName(digest));
  pb::DeploymentRecord record;
  SLIPWAY_RETURN_IF_ERROR(ReadRecord(releases_, name, record));
  return record;
}

absl::Status AppRecords::MarkUsed(const std::string& digest) {
  SLIPWAY_ASSIGN_OR_RETURN(pb::DeploymentRecord record, Get(digest));
  if (record.sequence() + 1 == next_sequence_) return absl::OkStatus();
  return Add(std::move(record));
}

absl::Status AppRecords::MarkHealthy(const std::string& digest) {
  SLIPWAY_ASSIGN_OR_RETURN(pb::DeploymentRecord record, Get(digest));
  if (record.healthy()) return absl::OkStatus();
  record.set_healthy(true);
  return Write(record);
}

absl::Status AppRecords::AddRendered(const std::string& digest, const pb::FileRecord& file) {
  SLIPWAY_ASSIGN_OR_RETURN(pb::DeploymentRecord record, Get(digest));
  Put(file, *record.mutable_rendered());
  return Write(record);
}

absl::StatusOr<pb::BeforeRecord> AppRecords::BeforeOf(const std::string& rollout) const {
  SLIPWAY_RETURN_IF_ERROR(ValidateReleaseName(rollout));
  pb::BeforeRecord record;
  const absl::Status read = ReadRecord(before_, rollout, record);
  if (!read.ok() && !absl::IsNotFound(read)) return read;
  record.set_rollout(rollout);
  return record;
}

absl::Status AppRecords::WriteBefore(pb::BeforeRecord record) {
  if (record.sequence() == 0) {
    record.set_sequence(next_sequence_++);
    SLIPWAY_RETURN_IF_ERROR(Save());
  }
  SLIPWAY_RETURN_IF_ERROR(WriteRecord(before_, record.rollout(), record));
  return PruneBefore();
}

absl::Status AppRecords::AddBefore(const std::string& rollout, const pb::FileRecord& file) {
  SLIPWAY_ASSIGN_OR_RETURN(pb::BeforeRecord record, BeforeOf(rollout));
  for (const pb::FileRecord& known : record.files()) {
    if (known.path() == file.path()) return absl::OkStatus();
  }
  *record.add_files() = file;
  return WriteBefore(std::move(record));
}

absl::Status AppRecords::AddServiceBefore(const std::string& rollout, const std::string& service,
                                          bool running) {
  SLIPWAY_ASSIGN_OR_RETURN(pb::BeforeRecord record, BeforeOf(rollout));
  for (const pb::ServiceRecord& known : record.services()) {
    if (known.name() == service) return absl::OkStatus();
  }
  pb::ServiceRecord& added = *record.add_services();
  added.set_name(service);
  added.set_running(running);
  return WriteBefore(std::move(record));
}

absl::Status AppRecords::PruneBefore() {
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<std::string> names, before_.List());
  if (names.size() <= kBeforeMax) return absl::OkStatus();
  std::vector<std::pair<std::uint64_t, std::string>> newest_first;
  for (const std::string& name : names) {
    pb::BeforeRecord record;
    if (name.front() != '.') SLIPWAY_RETURN_IF_ERROR(ReadRecord(before_, name, record));
    newest_first.emplace_back(record.sequence(), name);
  }
  std::sort(newest_first.begin(), newest_first.end(), std::greater<>());
  for (std::size_t i = kBeforeMax; i < newest_first.size(); ++i) {
    SLIPWAY_RETURN_IF_ERROR(before_.RemoveFile(newest_first[i].second));
  }
  return absl::OkStatus();
}

absl::StatusOr<pb::FileRecord> AppRecords::Before(const std::string& rollout,
                                                  const std::string& path) const {
  SLIPWAY_ASSIGN_OR_RETURN(const pb::BeforeRecord record, BeforeOf(rollout));
  for (const pb::FileRecord& file : record.files()) {
    if (file.path() == path) return file;
  }
  return absl::NotFoundError(absl::StrCat("rollout ", rollout, " did not write ", path));
}

absl::StatusOr<bool> AppRecords::ServiceBefore(const std::string& rollout,
                                               const std::string& service) const {
  SLIPWAY_ASSIGN_OR_RETURN(const pb::BeforeRecord record, BeforeOf(rollout));
  for (const pb::ServiceRecord& known : record.services()) {
    if (known.name() == service) return known.running();
  }
  return absl::NotFoundError(absl::StrCat("rollout ", rollout, " did not stop ", service));
}

}  // namespace slipway::agent
