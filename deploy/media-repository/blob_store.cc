#include "deploy/media-repository/blob_store.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "deploy/media-repository/asset.h"

namespace media {
namespace {

// Unfinished uploads lie here, in the same file system as the finished ones.
constexpr char kIncoming[] = "/incoming";

absl::Status Failed(absl::string_view what, absl::string_view path) {
  const std::string text = absl::StrCat("cannot ", what, " ", path);
  if (errno == ENOSPC || errno == EDQUOT) return absl::ResourceExhaustedError(text + ": disk full");
  return absl::ErrnoToStatus(errno, text);
}

absl::Status SyncDirectory(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Failed("open", path);
  const int failed = fsync(fd);
  const absl::Status status = failed ? Failed("sync", path) : absl::OkStatus();
  close(fd);
  return status;
}

}  // namespace

BlobWriter::BlobWriter(std::string directory, std::string part, int fd)
    : directory_(std::move(directory)), part_(std::move(part)), fd_(fd), digest_(EVP_MD_CTX_new()) {
  EVP_DigestInit_ex(digest_, EVP_sha256(), nullptr);
}

BlobWriter::~BlobWriter() {
  close(fd_);
  if (!part_.empty()) unlink(part_.c_str());
  EVP_MD_CTX_free(digest_);
}

absl::Status BlobWriter::Append(absl::string_view bytes) {
  EVP_DigestUpdate(digest_, bytes.data(), bytes.size());
  bytes_ += static_cast<std::int64_t>(bytes.size());
  while (!bytes.empty()) {
    const ssize_t written = write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Failed("write", part_);
    bytes.remove_prefix(written);
  }
  return absl::OkStatus();
}

absl::Status BlobWriter::Publish(const std::string& id) {
  const std::string path = absl::StrCat(directory_, "/", id);
  if (fsync(fd_) != 0) return Failed("sync", part_);
  if (rename(part_.c_str(), path.c_str()) != 0) return Failed("publish", path);
  part_.clear();
  return SyncDirectory(directory_);
}

std::string BlobWriter::Sha256() {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned int length = 0;
  EVP_DigestFinal_ex(digest_, reinterpret_cast<unsigned char*>(digest.data()), &length);
  digest.resize(length);
  return absl::BytesToHexString(digest);
}

BlobReader::~BlobReader() {
  close(fd_);
}

std::size_t BlobReader::Read(std::int64_t offset, char* buffer, std::size_t length) const {
  ssize_t count = 0;
  do {
    count = pread(fd_, buffer, length, offset);
  } while (count < 0 && errno == EINTR);
  return count < 0 ? 0 : static_cast<std::size_t>(count);
}

absl::StatusOr<std::unique_ptr<BlobStore>> BlobStore::Open(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory + kIncoming, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("cannot open media directory ", directory, ": ", error.message()));
  }
  return std::unique_ptr<BlobStore>(new BlobStore(directory));
}

absl::StatusOr<std::unique_ptr<BlobWriter>> BlobStore::Begin() {
  const std::string part = absl::StrCat(directory_, kIncoming, "/", NewId());
  const int fd = open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
  if (fd < 0) return Failed("create", part);
  return std::make_unique<BlobWriter>(directory_, part, fd);
}

absl::StatusOr<std::shared_ptr<BlobReader>> BlobStore::Read(const std::string& id) const {
  const std::string path = absl::StrCat(directory_, "/", id);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Failed("open", path);
  struct stat info = {};
  if (fstat(fd, &info) != 0) {
    const absl::Status failed = Failed("inspect", path);
    close(fd);
    return failed;
  }
  return std::make_shared<BlobReader>(fd, info.st_size);
}

absl::Status BlobStore::Remove(const std::string& id) {
  const std::string path = absl::StrCat(directory_, "/", id);
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return Failed("remove", path);
  return absl::OkStatus();
}

int BlobStore::Sweep(int stale_seconds,
                     const std::function<bool(const std::string& id)>& is_known) {
  int removed = 0;
  const auto sweep = [&](const std::string& directory, bool unfinished) {
    std::error_code error;
    for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
         entry.increment(error)) {
      struct stat info = {};
      const std::string name = entry->path().filename();
      // Whatever else lies in the directory is not ours.
      if (!IsId(name) || stat(entry->path().c_str(), &info) != 0) continue;
      const bool stale = NowMillis() / 1000 - info.st_mtime >= stale_seconds;
      if (!stale || (!unfinished && is_known(name))) continue;
      if (unlink(entry->path().c_str()) == 0) ++removed;
    }
  };
  sweep(directory_ + kIncoming, true);
  sweep(directory_, false);
  return removed;
}

}  // namespace media
