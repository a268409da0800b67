#include "tools/slipway/read_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"

namespace slipway::cli {

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  struct stat about{};
  if (stat(path.c_str(), &about) != 0) {
    return absl::NotFoundError(absl::StrCat("cannot read ", path, ": ", std::strerror(errno)));
  }
  if (!S_ISREG(about.st_mode)) return absl::NotFoundError(absl::StrCat(path, " is not a file"));
  if (about.st_size > static_cast<off_t>(kReadFileBytesMax)) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, " has ", about.st_size, " bytes; no such file has more than ", kReadFileBytesMax));
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  if (about.st_size > 0 && !(bytes << file.rdbuf())) {
    return absl::NotFoundError(absl::StrCat("cannot read ", path, ": ", std::strerror(errno)));
  }
  return bytes.str();
}

}  // namespace slipway::cli
