#include "common/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <stdlib.h>
#include <unistd.h>

#include <memory>

#include "common/systemd_journal.h"

namespace slipway::log {
namespace {

spdlog::level::level_enum ToSpdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// Set before the first thread, and never destroyed: threads may write to the end.
struct Journal {
  SystemdJournal socket;
  std::string always;  // fields of every entry
};
Journal* journal = nullptr;

// As in syslog.
const char* PriorityOf(Level level) {
  switch (level) {
    case Level::debug:
      return "7";
    case Level::info:
      return "6";
    case Level::warn:
      return "4";
    case Level::error:
      return "3";
  }
  return "3";
}

bool WriteToJournal(Level level, const std::string& line, std::initializer_list<Field> fields) {
  if (journal == nullptr) return false;
  std::string entry = journal->always;
  AppendJournalField(entry, "MESSAGE", line);
  AppendJournalField(entry, "PRIORITY", PriorityOf(level));
  for (const auto& [key, value] : fields) {
    AppendJournalField(entry, JournalFieldName(key), {value.data(), value.size()});
  }
  return journal->socket.Send(entry);
}

// Quotes where a reader could not tell where the value ends, and escapes what could
// move a terminal's cursor.
void AppendValue(std::string& line, std::string_view value) {
  const bool quote = value.empty() || value.find_first_of(" =\"\\") != std::string_view::npos;
  if (quote) line += '"';
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      static constexpr char kHex[] = "0123456789abcdef";
      line += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      if (c == '"' || c == '\\') line += '\\';
      line += c;
    }
  }
  if (quote) line += '"';
}

}  // namespace

void Init(std::string_view program, Level least) {
  auto logger = std::make_shared<spdlog::logger>(std::string(program),
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %n %v");
  logger->set_level(ToSpdlog(least));
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(std::move(logger));

  const char* stream = ::getenv("JOURNAL_STREAM");
  if (stream == nullptr || !IsJournalStream(STDERR_FILENO, stream)) return;
  journal = new Journal;
  AppendJournalField(journal->always, "SYSLOG_IDENTIFIER", program);
}

void TagJournal(std::string_view key, std::string_view value) {
  if (journal != nullptr) AppendJournalField(journal->always, JournalFieldName(key), value);
}

void Write(Level level, std::string_view message, std::initializer_list<Field> fields) {
  if (!spdlog::default_logger_raw()->should_log(ToSpdlog(level))) return;
  std::string line(message);
  for (const auto& [key, value] : fields) {
    line += ' ';
    line += key;
    line += '=';
    AppendValue(line, {value.data(), value.size()});
  }
  if (WriteToJournal(level, line, fields)) return;
  spdlog::default_logger_raw()->log(ToSpdlog(level), "{}", line);
}

}  // namespace slipway::log
