#include "deploy/media-repository/log.h"

#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "deploy/media-repository/asset.h"

namespace media {

void Log(absl::string_view text) {
  const std::string line = absl::StrCat(FormatTime(NowMillis()), " ", text, "\n");
  // A log that cannot be written leaves nobody to tell.
  [[maybe_unused]] const ssize_t written = write(STDOUT_FILENO, line.data(), line.size());
}

void LogFatal(absl::string_view text) {
  Log(absl::StrCat("FATAL ", text));
}

}  // namespace media
