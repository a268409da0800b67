#include "common/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

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
  spdlog::default_logger_raw()->log(ToSpdlog(level), "{}", line);
}

}  // namespace slipway::log
