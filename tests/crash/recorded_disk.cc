#include "tests/crash/recorded_disk.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/crash/caught_calls.h"

namespace slipway::crash {
namespace {

namespace fs = std::filesystem;

constexpr int kRoot = 0;

}  // namespace

RecordedDisk::RecordedDisk(std::string folder, std::uint64_t seed)
    : folder_(std::move(folder)), random_(seed) {
  now_[kRoot] = durable_[kRoot] = {'d', 0700, "", {}};
  CatchFor(this);
}

RecordedDisk::~RecordedDisk() {
  CatchFor(nullptr);
}

void RecordedDisk::CrashAfter(std::uint64_t changes, Crash how) {
  crash_after_ = changes;
  how_ = how;
  armed_ = true;
}

bool RecordedDisk::Concerns(const std::string& path) const {
  return path.size() > folder_.size() && path.compare(0, folder_.size(), folder_) == 0 &&
         path[folder_.size()] == '/';
}

RecordedDisk::Fate RecordedDisk::Next() {
  if (crashed_) return Fate::fails;
  if (!armed_) return Fate::happens;
  if (crash_after_ > 0) {
    --crash_after_;
    return Fate::happens;
  }
  armed_ = false;
  crashed_ = true;
  if (how_ == Crash::before) return Fate::fails;
  return how_ == Crash::torn ? Fate::is_torn : Fate::happens;
}

int RecordedDisk::Find(const std::string& path) const {
  int node = kRoot;
  std::string rest = path.size() > folder_.size() ? path.substr(folder_.size() + 1) : "";
  while (!rest.empty()) {
    const std::size_t slash = rest.find('/');
    const auto& entries = now_.at(node).entries;
    const auto it = entries.find(rest.substr(0, slash));
    if (it == entries.end()) return -1;
    node = it->second;
    rest = slash == std::string::npos ? "" : rest.substr(slash + 1);
  }
  return node;
}

std::pair<int, std::string> RecordedDisk::Place(const std::string& path) const {
  const std::size_t slash = path.rfind('/');
  return {Find(path.substr(0, slash)), path.substr(slash + 1)};
}

void RecordedDisk::Apply(std::map<int, Node>& nodes, const Change& change) {
  for (const Entry& entry : change.entries) {
    auto& entries = nodes.at(entry.folder).entries;
    if (entry.node < 0) {
      entries.erase(entry.name);
    } else {
      entries[entry.name] = entry.node;
    }
  }
  if (change.kind == 0) return;
  Node& node = nodes.at(change.node);
  if (change.kind == 'm') node.mode = static_cast<std::uint32_t>(change.at);
  if (change.kind == 't') node.content.resize(change.at);
  if (change.kind == 'w') {
    // What was written before and is lost leaves zeros.
    node.content.resize(std::max(node.content.size(), change.at + change.bytes.size()));
    node.content.replace(change.at, change.bytes.size(), change.bytes);
  }
}

std::string RecordedDisk::FileSystemOf(const std::string& path) const {
  const std::size_t begin = folder_.size() + 1;
  return path.substr(begin, path.find('/', begin) - begin);
}

void RecordedDisk::Record(const std::string& path, Change change) {
  change.file_system = FileSystemOf(path);
  Apply(now_, change);
  unsynced_.push_back(std::move(change));
}

void RecordedDisk::RecordEntries(const std::string& path, std::vector<Entry> entries) {
  Change change;
  change.entries = std::move(entries);
  Record(path, std::move(change));
}

void RecordedDisk::Made(const std::string& path, char kind, std::uint32_t mode,
                        const std::string& content) {
  const auto [folder, name] = Place(path);
  const int node = next_node_++;
  now_[node] = durable_[node] = {kind, mode, content, {}};  // nobody finds it without its entry
  RecordEntries(path, {{folder, name, node}});
}

void RecordedDisk::Wrote(const std::string& path, std::string bytes) {
  const int node = Find(path);
  if (node >= 0) Record(path, {{}, node, 'w', std::move(bytes), now_.at(node).content.size()});
}

void RecordedDisk::Truncated(const std::string& path, std::uint64_t size) {
  if (const int node = Find(path); node >= 0) Record(path, {{}, node, 't', "", size});
}

void RecordedDisk::ChangedMode(const std::string& path, std::uint32_t mode) {
  if (const int node = Find(path); node >= 0) Record(path, {{}, node, 'm', "", mode});
}

void RecordedDisk::Linked(const std::string& from, const std::string& to) {
  const auto [folder, name] = Place(to);
  RecordEntries(to, {{folder, name, Find(from)}});
}

void RecordedDisk::Removed(const std::string& path) {
  const auto [folder, name] = Place(path);
  RecordEntries(path, {{folder, name, -1}});
}

void RecordedDisk::Renamed(const std::string& from, const std::string& to) {
  const auto [old_folder, old_name] = Place(from);
  const auto [folder, name] = Place(to);
  RecordEntries(to, {{old_folder, old_name, -1}, {folder, name, Find(from)}});
}

// What happened to a folder's entries reaches the disk in order, and with it what a rename did to
// another folder.
void RecordedDisk::MarkEntries(int folder, std::size_t until, std::vector<bool>& chosen) const {
  std::map<int, bool> folders = {{folder, true}};
  for (std::size_t i = until; i-- > 0;) {
    bool touches = false;
    for (const Entry& entry : unsynced_[i].entries) touches |= folders.count(entry.folder) > 0;
    if (!touches) continue;
    chosen[i] = true;
    for (const Entry& entry : unsynced_[i].entries) folders[entry.folder] = true;
  }
}

void RecordedDisk::Keep(const std::vector<bool>& chosen) {
  std::vector<Change> left;
  for (std::size_t i = 0; i < unsynced_.size(); ++i) {
    if (chosen[i]) {
      Apply(durable_, unsynced_[i]);
    } else {
      left.push_back(std::move(unsynced_[i]));
    }
  }
  unsynced_ = std::move(left);
}

void RecordedDisk::Synced(const std::string& path) {
  const int node = Find(path);
  if (node < 0) return;
  std::vector<bool> chosen(unsynced_.size());
  for (std::size_t i = 0; i < unsynced_.size(); ++i) chosen[i] = unsynced_[i].node == node;
  MarkEntries(node, unsynced_.size(), chosen);
  Keep(chosen);
}

void RecordedDisk::SyncedAll(const std::string& path) {
  std::vector<bool> chosen(unsynced_.size());
  for (std::size_t i = 0; i < unsynced_.size(); ++i) {
    chosen[i] = unsynced_[i].file_system == FileSystemOf(path);
  }
  Keep(chosen);
}

void RecordedDisk::ForgetByChance() {
  std::vector<bool> chosen(unsynced_.size());
  const bool in_order = Below(2) == 0;  // as a journal of the file system does it: all folders
  const std::size_t journaled = Below(unsynced_.size() + 1);
  for (std::size_t i = 0; i < unsynced_.size(); ++i) {
    Change& change = unsynced_[i];
    if (!change.entries.empty()) {
      if (in_order) {
        chosen[i] = i < journaled;
      } else if (Below(4) == 0) {
        for (const Entry& entry : change.entries) MarkEntries(entry.folder, i + 1, chosen);
      }
      continue;
    }
    chosen[i] = Below(2) == 0;
    if (change.kind != 'w' || change.bytes.empty()) continue;
    const std::uint64_t how = Below(4);  // two of them leave it whole
    if (how == 0) change.bytes.resize(Below(change.bytes.size()));
    if (how == 1) change.bytes.assign(change.bytes.size(), '\0');
  }
  forgot_ += std::find(chosen.begin(), chosen.end(), false) != chosen.end() ? 1 : 0;
  Keep(chosen);
  unsynced_.clear();
}

void RecordedDisk::Write(int node, const std::string& path,
                         std::map<int, std::string>& written) const {
  const Node& what = durable_.at(node);
  const auto [first, is_first] = written.try_emplace(node, path);
  if (!is_first) return fs::create_hard_link(first->second, path);
  if (what.kind == 'l') return fs::create_symlink(what.content, path);
  if (what.kind == 'f') std::ofstream(path, std::ios::binary) << what.content;
  if (what.kind == 'd' && node != kRoot) fs::create_directory(path);
  for (const auto& [name, entry] : what.entries) Write(entry, path + "/" + name, written);
  if (node != kRoot) fs::permissions(path, static_cast<fs::perms>(what.mode));
}

void RecordedDisk::Restart(bool power_cut) {
  armed_ = crashed_ = false;
  if (!power_cut) return;
  CatchFor(nullptr);
  ForgetByChance();
  for (const auto& entry : fs::directory_iterator(folder_)) fs::remove_all(entry.path());
  std::map<int, std::string> written;
  Write(kRoot, folder_, written);
  now_ = durable_;
  CatchFor(this);
}

}  // namespace slipway::crash
