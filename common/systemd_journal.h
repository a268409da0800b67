// Entries for systemd-journald in its native protocol: fields with names, besides the message.
// For log.cc, which is how programs write.
#pragma once

#include <string>
#include <string_view>

namespace slipway::log {

// "rollout" -> "SLIPWAY_ROLLOUT". What a name may not contain becomes '_'.
std::string JournalFieldName(std::string_view key);

// Appends one field to an entry. Any bytes may be in `value`: one with line breaks is sent with its
// length.
void AppendJournalField(std::string& entry, std::string_view name, std::string_view value);

// Whether `fd` is what JOURNAL_STREAM ("device:inode") names: a service's connection to the
// journal.
bool IsJournalStream(int fd, std::string_view journal_stream);

// Thread-safe.
class SystemdJournal {
 public:
  // journald's socket, or a test's.
  explicit SystemdJournal(std::string path = "/run/systemd/journal/socket");
  ~SystemdJournal();
  SystemdJournal(const SystemdJournal&) = delete;
  SystemdJournal& operator=(const SystemdJournal&) = delete;

  // False when it was not taken: nobody is there, or the entry is too large for a datagram.
  bool Send(const std::string& entry) const;

 private:
  const std::string path_;
  int socket_ = -1;
};

}  // namespace slipway::log
