// What this build of the media repository is: the only source that differs between versions.
#pragma once

#include "absl/strings/string_view.h"

namespace media {

// What is wrong with a build. The broken releases exist so that a deployment can be seen to
// notice them; each fails in the way its name says, because of the thumbnail index that 2.1
// wants to read and nobody made.
enum class Fault {
  none,
  dies_at_start,  // cannot start: says so and exits 1
  dies_after_2s,  // listens, is healthy, exits 1 two seconds later
  never_healthy,  // listens, but /health stays at 503
  logs_fatal,     // writes a FATAL line and answers as if nothing were wrong
  ignores_term,   // does not stop on SIGTERM, and reports the version of its predecessor
};

struct Release {
  absl::string_view version;  // what /health and --version say
  bool unified_api = false;   // /api/media, since 2.0
  Fault fault = Fault::none;
};

// Database schema versions that every release so far can run on.
inline constexpr int kSchemaOldest = 1;
inline constexpr int kSchemaNewest = 1;

// Chosen by compile definitions; see CMakeLists.txt.
extern const Release kRelease;

}  // namespace media
