// Private to common/fs: what the kernel says of a file, as a value.
#pragma once

#include <sys/stat.h>

#include "common/fs/file.h"

namespace slipway {

inline FileInfo ToFileInfo(const struct stat& st) {
  FileInfo info;
  if (S_ISREG(st.st_mode)) info.kind = FileKind::regular;
  if (S_ISDIR(st.st_mode)) info.kind = FileKind::directory;
  if (S_ISLNK(st.st_mode)) info.kind = FileKind::symlink;
  info.mode = st.st_mode & 07777;
  info.owner = st.st_uid;
  info.group = st.st_gid;
  info.size = static_cast<std::uint64_t>(st.st_size);
  info.inode = static_cast<std::uint64_t>(st.st_ino);
  return info;
}

}  // namespace slipway
