#include "common/artifact/directory_object_store.h"

#include <sys/file.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "common/artifact/tree_scan.h"
#include "common/status_macros.h"

namespace slipway {
namespace {

std::string FolderOf(const Digest& digest) {
  return digest.Hex().substr(0, 2);
}
std::string NameOf(const Digest& digest) {
  return FolderOf(digest) + "/" + digest.Hex().substr(2);
}

absl::Status NotThere(const absl::Status& status, const Digest& digest) {
  if (!absl::IsNotFound(status)) return status;
  return absl::NotFoundError(digest.ToString() + " is not in the store");
}

}  // namespace

class DirectoryObjectStore::Writer final : public ObjectWriter {
 public:
  Writer(const DirectoryObjectStore& store, const Digest& digest, std::uint64_t size, File file,
         std::string name)
      : store_(store),
        digest_(digest),
        size_(size),
        file_(std::move(file)),
        name_(std::move(name)) {}

  ~Writer() override {
    const bool is_private = name_.find('.') != std::string::npos;
    if (is_private && !finished_) (void)store_.partial_.RemoveFile(name_);
  }

  // Of what a broken Put left.
  absl::Status Rehash() {
    return ReadPieces(file_, 0, [&](std::string_view piece) {
      hasher_.Update(piece);
      written_ += piece.size();
      return absl::OkStatus();
    });
  }

  std::uint64_t size() const override { return written_; }

  absl::Status Append(std::string_view bytes) override {
    if (bytes.size() > size_ - written_) {
      return absl::InvalidArgumentError(
          absl::StrCat(digest_.ToString(), " was announced with ", size_, " bytes and has more"));
    }
    SLIPWAY_RETURN_IF_ERROR(file_.Append(bytes));
    hasher_.Update(bytes);
    written_ += bytes.size();
    return absl::OkStatus();
  }

  absl::Status Finish() override {
    finished_ = true;
    if (written_ != size_ || hasher_.Finish() != digest_) {
      SLIPWAY_RETURN_IF_ERROR(store_.partial_.RemoveFile(name_));
      return absl::DataLossError(absl::StrCat("what came (", written_, " bytes) is not ",
                                              digest_.ToString(), " (", size_, " bytes)"));
    }
    SLIPWAY_RETURN_IF_ERROR(file_.SetMode(0444));
    SLIPWAY_RETURN_IF_ERROR(file_.Sync());
    SLIPWAY_ASSIGN_OR_RETURN(const Directory folder,
                             store_.objects_.MakeBelow(FolderOf(digest_), 0700));
    const absl::Status linked = store_.partial_.Link(name_, store_.objects_, NameOf(digest_));
    if (!linked.ok() && !absl::IsAlreadyExists(linked)) return linked;
    SLIPWAY_RETURN_IF_ERROR(folder.Sync());
    SLIPWAY_RETURN_IF_ERROR(store_.objects_.Sync());
    return store_.partial_.RemoveFile(name_);
  }

 private:
  const DirectoryObjectStore& store_;
  const Digest digest_;
  const std::uint64_t size_;
  File file_;
  const std::string name_;
  Hasher hasher_;
  std::uint64_t written_ = 0;
  bool finished_ = false;
};

absl::StatusOr<std::unique_ptr<DirectoryObjectStore>> DirectoryObjectStore::Open(
    const std::string& root) {
  SLIPWAY_ASSIGN_OR_RETURN(const Directory dir, Directory::OpenOrMake(root, 0700));
  SLIPWAY_ASSIGN_OR_RETURN(Directory objects, dir.MakeBelow("objects", 0700));
  SLIPWAY_ASSIGN_OR_RETURN(Directory partial, dir.MakeBelow("partial", 0700));
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<std::string> names, partial.List());
  for (const std::string& name : names) {
    if (name.find('.') != std::string::npos) SLIPWAY_RETURN_IF_ERROR(partial.RemoveFile(name));
  }
  SLIPWAY_RETURN_IF_ERROR(dir.Sync());
  return std::unique_ptr<DirectoryObjectStore>(
      new DirectoryObjectStore(std::move(objects), std::move(partial)));
}

absl::StatusOr<bool> DirectoryObjectStore::Has(const Digest& digest) {
  return objects_.Exists(NameOf(digest));
}

absl::StatusOr<std::uint64_t> DirectoryObjectStore::Size(const Digest& digest) {
  const auto info = objects_.Stat(NameOf(digest));
  if (!info.ok()) return NotThere(info.status(), digest);
  return info->size;
}

absl::StatusOr<std::uint64_t> DirectoryObjectStore::Held(const Digest& digest) {
  const auto info = partial_.Stat(digest.Hex());
  if (absl::IsNotFound(info.status())) return 0;
  SLIPWAY_RETURN_IF_ERROR(info.status());
  return info->size;
}

struct DirectoryObjectStore::Part {
  File file;
  std::string name;
};

absl::StatusOr<DirectoryObjectStore::Part> DirectoryObjectStore::OpenPart(const Digest& digest) {
  SLIPWAY_ASSIGN_OR_RETURN(File file, partial_.OpenForAppend(digest.Hex(), 0600));
  if (::flock(file.fd(), LOCK_EX | LOCK_NB) == 0) {
    // Between our open and our lock the file may have become the object itself.
    SLIPWAY_ASSIGN_OR_RETURN(const FileInfo ours, file.Info());
    const auto named = partial_.Stat(digest.Hex());
    if (named.ok() && named->inode == ours.inode) return Part{std::move(file), digest.Hex()};
  }
  // Somebody writes the same object: let both come through, each into a file of its own.
  const std::string name = absl::StrCat(digest.Hex(), ".", next_private_++);
  SLIPWAY_ASSIGN_OR_RETURN(file, partial_.CreateFile(name, 0600));
  return Part{std::move(file), name};
}

absl::StatusOr<std::unique_ptr<ObjectWriter>> DirectoryObjectStore::Put(const Digest& digest,
                                                                        std::uint64_t size,
                                                                        std::uint64_t offset) {
  SLIPWAY_ASSIGN_OR_RETURN(Part part, OpenPart(digest));
  if (offset == 0) SLIPWAY_RETURN_IF_ERROR(part.file.Truncate(0));
  auto writer = std::make_unique<Writer>(*this, digest, size, std::move(part.file), part.name);
  SLIPWAY_RETURN_IF_ERROR(writer->Rehash());
  if (writer->size() == offset && offset <= size) return writer;
  return absl::FailedPreconditionError(absl::StrCat("the store holds ", writer->size(),
                                                    " bytes of ", digest.ToString(), ", not ",
                                                    offset, ": begin at 0"));
}

absl::Status DirectoryObjectStore::Get(const Digest& digest, std::uint64_t offset,
                                       const std::function<absl::Status(std::string_view)>& sink) {
  const auto file = objects_.OpenFile(NameOf(digest));
  if (!file.ok()) return NotThere(file.status(), digest);
  SLIPWAY_ASSIGN_OR_RETURN(const FileInfo info, file->Info());
  if (offset > info.size) return absl::OutOfRangeError("the offset is behind the end");
  return ReadPieces(*file, offset, sink);
}

absl::Status DirectoryObjectStore::Remove(const Digest& digest) {
  const absl::Status removed = objects_.RemoveFile(NameOf(digest));
  return absl::IsNotFound(removed) ? absl::OkStatus() : removed;
}

}  // namespace slipway
