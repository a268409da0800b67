#include "agent/services/unit_record.h"

#include <dirent.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "agent/services/record_file.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

constexpr char kName[] = "unit";

std::optional<UnitRecord> Read(const std::string& folder) {
  UnitRecord record;
  ServiceSpec& spec = record.spec;
  const absl::Status read =
      ReadRecord(absl::StrCat(folder, "/", kName), [&](std::string_view key, const std::string& v) {
        if (key == "app") return SetField(v, spec.id.app);
        if (key == "name") return SetField(v, spec.id.name);
        if (key == "unit") return SetField(v, spec.unit);
        if (key == "release_dir") return SetField(v, spec.release_dir);
        if (key == "port") return SetField(v, spec.ports.emplace_back());
        if (key == "log_file") return SetField(v, spec.log_file);
        if (key == "http") return SetField(v, spec.http);
        if (key == "tcp") return SetField(v, spec.tcp);
        if (key == "http_names") return SetField(v, spec.http_names);
        if (key == "log.cursor") return SetField(v, record.log_start.cursor);
        if (key == "log.inode") return SetField(v, record.log_start.inode);
        if (key == "log.offset") return SetField(v, record.log_start.offset);
        if (key == "before") return SetField(v, record.before);
        if (key == "invocation") return SetField(v, record.invocation);
        if (key.substr(0, 8) == "process.") return SetField(key.substr(8), v, record.process);
        if (key == "executable") return SetField(v, record.executable);
        if (key == "taken_over") return SetField(v, record.taken_over);
        if (key == "stopping") return SetField(v, record.stopping);
        return false;
      });
  if (!read.ok() || spec.unit.empty()) return std::nullopt;
  return record;
}

}  // namespace

absl::Status UnitRecords::Write(const UnitRecord& record) const {
  const ServiceSpec& spec = record.spec;
  RecordWriter out;
  out.Add("app", spec.id.app);
  out.Add("name", spec.id.name);
  out.Add("unit", spec.unit);
  out.Add("release_dir", spec.release_dir);
  for (const std::uint16_t port : spec.ports) out.Add("port", std::int64_t{port});
  out.Add("log_file", spec.log_file);
  out.Add("http", spec.http);
  out.Add("tcp", spec.tcp);
  if (!spec.http_names.empty()) out.Add("http_names", spec.http_names);
  out.Add("log.cursor", record.log_start.cursor);
  out.Add("log.inode", static_cast<std::int64_t>(record.log_start.inode));
  out.Add("log.offset", static_cast<std::int64_t>(record.log_start.offset));
  out.Add("before", record.before);
  out.Add("invocation", record.invocation);
  if (!record.process.boot_id.empty()) out.Add("process", record.process);
  out.Add("executable", record.executable);
  out.Add("taken_over", std::int64_t{record.taken_over});
  out.Add("stopping", std::int64_t{record.stopping});
  const std::string folder = absl::StrCat(base_, "/", FolderNameOf(spec.id));
  SLIPWAY_RETURN_IF_ERROR(MakeFolder(base_));
  SLIPWAY_RETURN_IF_ERROR(MakeFolder(folder));
  return WriteRecord(folder, kName, out.text(), Survives::power_cut);
}

std::optional<UnitRecord> UnitRecords::Find(const ServiceId& id) const {
  return Read(absl::StrCat(base_, "/", FolderNameOf(id)));
}

std::vector<UnitRecord> UnitRecords::All() const {
  std::vector<UnitRecord> records;
  DIR* dir = opendir(base_.c_str());
  if (dir == nullptr) return records;
  while (const dirent* entry = readdir(dir)) {
    auto record = Read(absl::StrCat(base_, "/", entry->d_name));
    if (record) records.push_back(*std::move(record));
  }
  closedir(dir);
  std::sort(records.begin(), records.end(),
            [](const UnitRecord& a, const UnitRecord& b) { return a.spec.id < b.spec.id; });
  return records;
}

}  // namespace slipway::agent
