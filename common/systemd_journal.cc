#include "common/systemd_journal.h"

#include <endian.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"

namespace slipway::log {

std::string JournalFieldName(std::string_view key) {
  std::string name = "SLIPWAY_";
  for (const char c : key) name += absl::ascii_isalnum(c) ? absl::ascii_toupper(c) : '_';
  return name;
}

void AppendJournalField(std::string& entry, std::string_view name, std::string_view value) {
  entry += name;
  if (value.find('\n') == std::string_view::npos) {
    entry += '=';
  } else {
    const std::uint64_t size = htole64(value.size());
    entry += '\n';
    entry.append(reinterpret_cast<const char*>(&size), sizeof size);
  }
  entry += value;
  entry += '\n';
}

bool IsJournalStream(int fd, std::string_view journal_stream) {
  const auto colon = journal_stream.find(':');
  if (colon == std::string_view::npos) return false;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  const absl::string_view text(journal_stream.data(), journal_stream.size());
  struct stat found = {};
  return absl::SimpleAtoi(text.substr(0, colon), &device) &&
         absl::SimpleAtoi(text.substr(colon + 1), &inode) && ::fstat(fd, &found) == 0 &&
         found.st_dev == device && found.st_ino == inode;
}

SystemdJournal::SystemdJournal(std::string path)
    : path_(std::move(path)), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}

SystemdJournal::~SystemdJournal() {
  if (socket_ >= 0) ::close(socket_);
}

bool SystemdJournal::Send(const std::string& entry) const {
  sockaddr_un to = {};
  to.sun_family = AF_UNIX;
  if (socket_ < 0 || path_.size() >= sizeof to.sun_path) return false;
  ::memcpy(to.sun_path, path_.c_str(), path_.size() + 1);
  return ::sendto(socket_, entry.data(), entry.size(), MSG_NOSIGNAL,
                  reinterpret_cast<const sockaddr*>(&to), sizeof to) >= 0;
}

}  // namespace slipway::log
