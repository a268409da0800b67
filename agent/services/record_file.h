// Small durable records of "key=value" entries, each ended by a NUL.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/process/proc.h"

namespace slipway::agent {

// Builds the text of a record. Values hold no NUL.
class RecordWriter {
 public:
  void Add(absl::string_view key, absl::string_view value);
  void Add(absl::string_view key, std::int64_t value);
  void Add(absl::string_view key, absl::Duration value);  // to the millisecond
  void Add(absl::string_view key, absl::Time value);      // to the millisecond
  void Add(absl::string_view key, const ProcessIdentity& process);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// Reads one value; false: it has no meaning for that type.
bool SetField(const std::string& text, std::string& into);
bool SetField(const std::string& text, std::int64_t& into);
bool SetField(const std::string& text, absl::Duration& into);
bool SetField(const std::string& text, absl::Time& into);
template <class Integer>
bool SetField(const std::string& text, Integer& into) {
  std::int64_t value = 0;
  if (!SetField(text, value)) return false;
  into = static_cast<Integer>(value);
  return true;
}
// `field` is what follows "key." in an entry of Add(key, process).
bool SetField(std::string_view field, const std::string& text, ProcessIdentity& into);

// Calls `entry` for each entry of the record in order; false from it means that the entry has no
// meaning. Errors: NOT_FOUND, no such record; DATA_LOSS with the position of what has no meaning.
absl::Status ReadRecord(
    const std::string& path,
    const std::function<bool(std::string_view key, const std::string& value)>& entry);

// Puts `text` in DIR/name: readers see the old or the new, never a mix.
enum class Survives {
  crash,      // of any process; a power cut may take it back
  power_cut,  // two syncs
};
absl::Status WriteRecord(const std::string& dir, const std::string& name, const std::string& text,
                         Survives survives);

// Makes a folder for records (0700) unless it is there.
absl::Status MakeFolder(const std::string& path);

// Makes the names in `dir` survive a power cut.
absl::Status SyncFolder(const std::string& dir);

// Takes the disk space that a WriteRecord of at most 4 KiB will need, so that a full disk cannot
// stop it.
absl::Status ReserveRecord(const std::string& dir, const std::string& name);

}  // namespace slipway::agent
