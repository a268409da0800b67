#include "agent/services/host_journal.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "agent/services/lib_systemd.h"
#include "common/clock.h"

namespace slipway::agent {
namespace {

// journald splits what a service prints at 48 KiB.
constexpr std::size_t kLineBytesMax = 64 << 10;
// Entries that are looked at in one go, wanted or not.
constexpr int kEntriesMost = 20'000;
constexpr std::size_t kLastLinesBytes = 4096;
// SD_MESSAGE_SPAWN_FAILED and SD_MESSAGE_UNIT_PROCESS_EXIT: kinds of messages of systemd.
constexpr char kSpawnFailed[] = "641257651c1b4ec9a8624d7a40a9e1e7";
constexpr char kProcessExit[] = "98e322203f7a4ed290d09fe03c09fe15";
constexpr char kSynchronizeSocket[] = "/run/systemd/journal/io.systemd.journal";
constexpr timeval kSettleTakesAtMost{.tv_sec = 2, .tv_usec = 0};

// The moment that a position names: its own, or that within a cursor of journald.
std::uint64_t MicrosecondsOf(const LogPosition& from) {
  for (const absl::string_view part : absl::StrSplit(from.cursor, ';')) {
    if (!absl::StartsWith(part, "t=")) continue;
    const bool ours = part.size() == from.cursor.size();
    return std::strtoull(std::string(part.substr(2)).c_str(), nullptr, ours ? 10 : 16);
  }
  return 0;
}

// Not thread-safe; made for one question.
class Entries {
 public:
  Entries() {
    const auto lib = LoadLibSystemd();
    if (!lib.ok()) return;
    lib_ = *lib;
    if (lib_->sd_journal_open(&journal_, SD_JOURNAL_LOCAL_ONLY) < 0) journal_ = nullptr;
    if (journal_ != nullptr) lib_->sd_journal_set_data_threshold(journal_, kLineBytesMax);
  }
  ~Entries() {
    if (journal_ != nullptr) lib_->sd_journal_close(journal_);
  }
  Entries(const Entries&) = delete;
  Entries& operator=(const Entries&) = delete;

  bool open() const { return journal_ != nullptr; }
  void Only(const std::string& field, const std::string& value) {
    lib_->sd_journal_add_match(journal_, absl::StrCat(field, "=", value).c_str(), 0);
  }

  // Goes to the first entry after `from`; false: there is none.
  bool First(const LogPosition& from) {
    if (absl::StartsWith(from.cursor, "t=")) {
      lib_->sd_journal_seek_realtime_usec(journal_, MicrosecondsOf(from));
      return Next();
    }
    if (lib_->sd_journal_seek_cursor(journal_, from.cursor.c_str()) < 0 || !Next()) return false;
    return lib_->sd_journal_test_cursor(journal_, from.cursor.c_str()) <= 0 || Next();
  }
  bool Last() { return lib_->sd_journal_seek_tail(journal_) >= 0 && Previous(); }
  bool Next() { return lib_->sd_journal_next(journal_) > 0; }
  bool Previous() { return lib_->sd_journal_previous(journal_) > 0; }

  bool IsAfter(const LogPosition& from) const {
    std::uint64_t us = 0;
    return lib_->sd_journal_get_realtime_usec(journal_, &us) >= 0 && us >= MicrosecondsOf(from) &&
           lib_->sd_journal_test_cursor(journal_, from.cursor.c_str()) <= 0;
  }
  // "" where the entry has no such field.
  std::string Field(const char* name) const {
    const void* data = nullptr;
    std::size_t size = 0;
    if (lib_->sd_journal_get_data(journal_, name, &data, &size) < 0) return "";
    const std::size_t skip = std::strlen(name) + 1;
    return size < skip ? "" : std::string(static_cast<const char*>(data) + skip, size - skip);
  }
  std::string Cursor() const {
    char* text = nullptr;
    if (lib_->sd_journal_get_cursor(journal_, &text) < 0) return "";
    std::string cursor = text;
    std::free(text);
    return cursor;
  }

 private:
  const LibSystemd* lib_ = nullptr;
  sd_journal* journal_ = nullptr;
};

bool Wanted(const Entries& entries, const UnitLines& lines) {
  if (lines.not_of.empty() && lines.only_of.empty()) return true;
  const std::string invocation = entries.Field("_SYSTEMD_INVOCATION_ID");
  return lines.only_of.empty() ? invocation != lines.not_of : invocation == lines.only_of;
}

}  // namespace

LogPosition HostJournal::End() const {
  Entries entries;
  if (entries.open() && entries.Last()) return {.cursor = entries.Cursor()};
  return PositionAt(SystemClock().Now());
}

LogPiece HostJournal::Read(const UnitLines& lines, const LogPosition& from,
                           std::uint64_t bytes_max) const {
  LogPiece piece{.bytes = "", .next = from};
  Entries entries;
  if (!entries.open()) return piece;
  entries.Only("_SYSTEMD_UNIT", lines.unit);
  bool more = entries.First(from);
  for (int i = 0; more && i < kEntriesMost; ++i, more = entries.Next()) {
    const std::string line = Wanted(entries, lines) ? entries.Field("MESSAGE") + "\n" : "";
    if (!piece.bytes.empty() && piece.bytes.size() + line.size() > bytes_max) break;
    piece.bytes += line;
    piece.next = {.cursor = entries.Cursor()};
  }
  return piece;
}

std::string HostJournal::LastLines(const UnitLines& lines, const LogPosition& from,
                                   int count) const {
  std::vector<std::string> last;
  std::size_t bytes = 0;
  Entries entries;
  if (!entries.open()) return "";
  entries.Only("_SYSTEMD_UNIT", lines.unit);
  bool more = entries.Last();
  for (int i = 0; more && i < kEntriesMost && entries.IsAfter(from);
       ++i, more = entries.Previous()) {
    if (!Wanted(entries, lines)) continue;
    last.push_back(entries.Field("MESSAGE"));
    bytes += last.back().size() + 1;
    if (bytes > kLastLinesBytes) {
      // At least the end of a very long line.
      std::string& line = last.back();
      line.erase(0, std::min(line.size(), bytes - kLastLinesBytes));
      break;
    }
    if (static_cast<int>(last.size()) == count) break;
  }
  std::reverse(last.begin(), last.end());
  return absl::StrJoin(last, "\n");
}

std::string HostJournal::Reason(const std::string& unit, const LogPosition& from) const {
  // A program that could not be executed, a process that failed, else whatever systemd said last.
  for (const char* message_id : {kSpawnFailed, kProcessExit, ""}) {
    Entries entries;
    if (!entries.open()) return "";
    entries.Only("UNIT", unit);
    if (*message_id != '\0') entries.Only("MESSAGE_ID", message_id);
    if (entries.Last() && entries.IsAfter(from)) return entries.Field("MESSAGE");
  }
  return "";
}

void HostJournal::Settle() const {
  static constexpr char kSynchronize[] =
      "{\"method\":\"io.systemd.Journal.Synchronize\",\"parameters\":{}}";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, kSynchronizeSocket, sizeof address.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kSettleTakesAtMost, sizeof kSettleTakesAtMost);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kSettleTakesAtMost, sizeof kSettleTakesAtMost);
  // With the NUL that ends a message of varlink; the answer only has to come.
  char answer = 0;
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      send(fd, kSynchronize, sizeof kSynchronize, MSG_NOSIGNAL) > 0) {
    while (recv(fd, &answer, 1, 0) == 1 && answer != '\0') {
    }
  }
  close(fd);
}

}  // namespace slipway::agent
