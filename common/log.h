// Log lines of the daemons: one line an event, key=value pairs behind a fixed message.
// Thread-safe. The only door to spdlog is log.cc.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

namespace slipway::log {

enum class Level { debug, info, warn, error };

// A value of a log line; made from strings and numbers.
using Field = std::pair<std::string_view, absl::AlphaNum>;

// Lines below `least` are dropped. Writes to standard error, or to systemd's journal when that is
// what standard error is: as the same line, and each field by its own name (SLIPWAY_ROLLOUT=).
// Call once, in main.
void Init(std::string_view program, Level least);
// What every later entry in systemd's journal carries too. In main, before the first thread.
void TagJournal(std::string_view key, std::string_view value);

// `message` is a constant sentence; what varies goes into `fields`. Values are escaped: no
// control character reaches the log.
void Write(Level level, std::string_view message, std::initializer_list<Field> fields = {});

inline void Debug(std::string_view m, std::initializer_list<Field> f = {}) {
  Write(Level::debug, m, f);
}
inline void Info(std::string_view m, std::initializer_list<Field> f = {}) {
  Write(Level::info, m, f);
}
inline void Warn(std::string_view m, std::initializer_list<Field> f = {}) {
  Write(Level::warn, m, f);
}
inline void Error(std::string_view m, std::initializer_list<Field> f = {}) {
  Write(Level::error, m, f);
}

}  // namespace slipway::log
