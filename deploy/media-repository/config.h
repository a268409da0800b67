// The configuration file of the service.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace media {

struct Config {
  // [service]
  std::string name;     // of this instance, shown by /health; may be empty
  std::string release;  // the release that this file was rendered for; may be empty
  // [listen]
  std::string host;  // address to bind
  int port = 0;      // 0: the kernel chooses
  // [storage]
  std::string database;  // SQLite file, shared by the instances of one machine
  std::string media;     // directory of the uploaded files, shared as well
  // [limits]
  std::int64_t max_upload_bytes = 64 << 20;
  int drain_seconds = 4;  // requests under way at SIGTERM may take this long to end
  // [api], only known to releases with the unified API
  bool legacy = true;  // /api/images and /api/videos are answered too
};

// Reads `text`, the content of the file called `name` in messages. The format is the plain part of
// TOML: `[section]`, `key = "string" | integer | true | false`, `#` comments. Strict: an unknown or
// repeated key, a missing one that has no default, and a value out of range are errors.
//
// Errors: INVALID_ARGUMENT with `NAME:LINE: what is wrong`.
absl::StatusOr<Config> ParseConfig(absl::string_view text, absl::string_view name,
                                   bool unified_api);

// Errors: as ParseConfig; NOT_FOUND or UNAVAILABLE when the file cannot be read.
absl::StatusOr<Config> LoadConfig(const std::string& path, bool unified_api);

}  // namespace media
