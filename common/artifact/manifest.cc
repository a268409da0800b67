#include "common/artifact/manifest.h"

#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/artifact/limits.h"
#include "common/status_macros.h"

namespace slipway {
namespace {

constexpr std::string_view kMagic = "slipway-manifest 1";

// Names in messages come from files and peers: no control character may reach a terminal.
std::string Quoted(std::string_view text) {
  return absl::StrCat("\"", absl::CHexEscape(std::string(text.substr(0, 200))), "\"");
}

absl::Status Refuse(std::string_view what, const std::string& why) {
  return absl::InvalidArgumentError(absl::StrCat(Quoted(what), " ", why));
}

std::string ModeText(std::uint32_t mode) {
  return mode == 0755 ? "0755" : "0644";
}

std::string FileLine(const FileEntry& file, std::string_view name) {
  return absl::StrCat("file ", ModeText(file.mode), " ", file.size, " ", file.digest.ToString(),
                      " ", std::string(name), "\n");
}

absl::Status CheckFile(const FileEntry& file) {
  SLIPWAY_RETURN_IF_ERROR(ValidatePath(file.path));
  if (file.mode != 0644 && file.mode != 0755)
    return Refuse(file.path, "has a mode other than 0644 and 0755");
  if (file.size > kFileBytesMax)
    return Refuse(file.path, absl::StrCat("has more than ", kFileBytesMax, " bytes"));
  if (file.size == 0 && file.digest != Digest::Of("")) {
    return Refuse(file.path, "is empty but its digest is not that of nothing");
  }
  const bool one_chunk = file.chunks.size() == 1 && file.chunks[0] == Chunk{file.digest, file.size};
  if (file.size == 0 ? !file.chunks.empty() : !one_chunk) {
    return Refuse(file.path, "must be exactly one chunk, or none when empty");
  }
  return absl::OkStatus();
}

// Every folder and file once, in one spelling and as one kind.
class Names {
 public:
  absl::Status Add(const std::string& path) {
    for (std::size_t slash = path.find('/'); slash != std::string::npos;
         slash = path.find('/', slash + 1)) {
      SLIPWAY_RETURN_IF_ERROR(AddOne(path.substr(0, slash), false));
    }
    return AddOne(path, true);
  }

 private:
  struct Known {
    std::string spelling;
    bool file;
  };

  absl::Status AddOne(const std::string& name, bool file) {
    const auto [it, is_new] = known_.try_emplace(absl::AsciiStrToLower(name), Known{name, file});
    if (is_new) return absl::OkStatus();
    if (it->second.spelling != name) {
      return Refuse(name, absl::StrCat("differs from ", Quoted(it->second.spelling),
                                       " only in the case of letters"));
    }
    if (file || it->second.file) return Refuse(name, "is a file and a folder at once");
    return absl::OkStatus();
  }

  std::map<std::string, Known> known_;
};

absl::Status CheckFiles(const std::vector<FileEntry>& files) {
  if (files.size() > kManifestFilesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("the release has ", files.size(), " files, at most ", kManifestFilesMax));
  }
  Names names;
  std::uint64_t total = 0;
  const std::string* previous = nullptr;
  for (const FileEntry& file : files) {
    SLIPWAY_RETURN_IF_ERROR(CheckFile(file));
    if (previous != nullptr && *previous >= file.path) return Refuse(file.path, "is not in order");
    SLIPWAY_RETURN_IF_ERROR(names.Add(file.path));
    total += file.size;  // cannot overflow: files and sizes are bounded
    if (total > kReleaseBytesMax) {
      return Refuse(file.path, absl::StrCat("takes the release over ", kReleaseBytesMax, " bytes"));
    }
    previous = &file.path;
  }
  return absl::OkStatus();
}

// Reads lines and counted bytes off the front; remembers where it stands for messages.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  absl::StatusOr<std::string_view> Line() {
    ++line_;
    const std::size_t end = rest_.find('\n');
    if (end == std::string_view::npos) return Error("ends in the middle of a line");
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return line;
  }

  // The rest of a line that begins with `key` and a space.
  absl::StatusOr<std::string_view> Value(std::string_view key) {
    SLIPWAY_ASSIGN_OR_RETURN(const std::string_view line, Line());
    if (line.substr(0, key.size()) != key || line.size() <= key.size() || line[key.size()] != ' ') {
      return Error(absl::StrCat("should begin with ", Quoted(key)));
    }
    return line.substr(key.size() + 1);
  }

  absl::StatusOr<std::uint64_t> Number(std::string_view key) {
    SLIPWAY_ASSIGN_OR_RETURN(const std::string_view value, Value(key));
    std::uint64_t number = 0;
    if (!absl::SimpleAtoi(std::string(value), &number)) return Error("should hold a number");
    return number;
  }

  absl::StatusOr<std::string_view> Bytes(std::uint64_t count) {
    if (rest_.size() <= count || rest_[count] != '\n')
      return Error("announces bytes that are not there");
    const std::string_view bytes = rest_.substr(0, count);
    rest_.remove_prefix(count + 1);
    return bytes;
  }

  bool AtEnd() const { return rest_.empty(); }

  absl::Status Error(const std::string& what) const {
    return absl::InvalidArgumentError(absl::StrCat("manifest line ", line_, " ", what));
  }

 private:
  std::string_view rest_;
  int line_ = 0;
};

absl::StatusOr<FileEntry> ParseFile(Reader& reader) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string_view value, reader.Value("file"));
  // The path is last, since it may contain spaces.
  const std::vector<std::string> fields =
      absl::StrSplit(std::string(value), absl::MaxSplits(' ', 3));
  if (fields.size() != 4) return reader.Error("should hold mode, size, digest and path");
  FileEntry file;
  file.path = fields[3];
  if (fields[0] != "0644" && fields[0] != "0755") {
    return Refuse(file.path, "has a mode other than 0644 and 0755");
  }
  file.mode = fields[0] == "0755" ? 0755 : 0644;
  if (!absl::SimpleAtoi(fields[1], &file.size)) return reader.Error("should hold a size");
  SLIPWAY_ASSIGN_OR_RETURN(file.digest, Digest::Parse(fields[2]));
  if (file.size > 0) file.chunks = {{file.digest, file.size}};
  return file;
}

// `end` is the first of `files` that is not below the folder `prefix`.
Digest FolderDigest(const std::vector<FileEntry>& files, std::size_t begin, std::size_t end,
                    std::size_t prefix_length) {
  std::vector<std::pair<std::string, std::string>> lines;  // by entry name
  for (std::size_t i = begin; i < end;) {
    const std::string_view rest = std::string_view(files[i].path).substr(prefix_length);
    const std::size_t slash = rest.find('/');
    if (slash == std::string_view::npos) {
      lines.emplace_back(rest, FileLine(files[i], rest));
      ++i;
      continue;
    }
    // Files of one folder stand together, since they share the prefix that is sorted by.
    const std::string_view folder =
        std::string_view(files[i].path).substr(0, prefix_length + slash + 1);
    std::size_t last = i;
    while (last < end && std::string_view(files[last].path).substr(0, folder.size()) == folder)
      ++last;
    const Digest digest = FolderDigest(files, i, last, folder.size());
    const std::string name(rest.substr(0, slash));
    lines.emplace_back(name, absl::StrCat("dir ", digest.ToString(), " ", name, "\n"));
    i = last;
  }
  std::sort(lines.begin(), lines.end());
  Hasher hasher;
  hasher.Update("slipway-tree 1\n");
  for (const auto& [name, line] : lines) hasher.Update(line);
  return hasher.Finish();
}

}  // namespace

absl::Status ValidatePath(std::string_view path) {
  if (path.empty()) return absl::InvalidArgumentError("a path is empty");
  if (path.size() > kPathBytesMax)
    return Refuse(path, absl::StrCat("is longer than ", kPathBytesMax, " bytes"));
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || c == '\\')
      return Refuse(path, "holds a control character or a backslash");
  }
  std::size_t parts = 0;
  for (std::size_t begin = 0; begin <= path.size(); ++parts) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") {
      return Refuse(path, "is not a plain relative path (empty, \".\" or \"..\" part)");
    }
    if (part.size() > kPathPartBytesMax)
      return Refuse(path, absl::StrCat("has a part of more than ", kPathPartBytesMax, " bytes"));
    begin = end + 1;
  }
  if (parts > kPathPartsMax)
    return Refuse(path, absl::StrCat("has more than ", kPathPartsMax, " parts"));
  return absl::OkStatus();
}

absl::Status ValidateReleaseName(std::string_view name) {
  const auto allowed = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("._+-").find(c) != std::string_view::npos;
  };
  if (name.empty() || name.size() > 64 ||
      !absl::ascii_isalnum(static_cast<unsigned char>(name[0])) ||
      !std::all_of(name.begin(), name.end(), allowed)) {
    return Refuse(name,
                  "is no name or version: 1 to 64 of letters, digits and \"._+-\", "
                  "beginning with a letter or digit");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> EncodeManifest(const Manifest& manifest) {
  SLIPWAY_RETURN_IF_ERROR(ValidateReleaseName(manifest.name));
  SLIPWAY_RETURN_IF_ERROR(ValidateReleaseName(manifest.version));
  if (manifest.release.size() > kReleaseDefinitionBytesMax) {
    return Refuse("release.yaml",
                  absl::StrCat("describes more than ", kReleaseDefinitionBytesMax, " bytes"));
  }
  SLIPWAY_RETURN_IF_ERROR(CheckFiles(manifest.files));
  std::string out = absl::StrCat(std::string(kMagic), "\nname ", manifest.name, "\nversion ",
                                 manifest.version, "\ntree ", TreeDigest(manifest.files).ToString(),
                                 "\nrelease ", manifest.release.size(), "\n", manifest.release,
                                 "\nfiles ", manifest.files.size(), "\n");
  for (const FileEntry& file : manifest.files) out += FileLine(file, file.path);
  out += "end\n";
  if (out.size() > kManifestBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("the manifest has ", out.size(),
                                                   " bytes, at most ", kManifestBytesMax,
                                                   ": the release has too many files"));
  }
  return out;
}

absl::StatusOr<Manifest> ParseManifest(std::string_view bytes) {
  if (bytes.size() > kManifestBytesMax)
    return absl::InvalidArgumentError("the manifest is too long");
  Reader reader(bytes);
  SLIPWAY_ASSIGN_OR_RETURN(const std::string_view magic, reader.Line());
  if (magic != kMagic)
    return reader.Error("is not \"slipway-manifest 1\": another format or no manifest");
  Manifest manifest;
  SLIPWAY_ASSIGN_OR_RETURN(manifest.name, reader.Value("name"));
  SLIPWAY_ASSIGN_OR_RETURN(manifest.version, reader.Value("version"));
  SLIPWAY_ASSIGN_OR_RETURN(const std::string_view tree, reader.Value("tree"));
  SLIPWAY_ASSIGN_OR_RETURN(const std::uint64_t release_bytes, reader.Number("release"));
  SLIPWAY_ASSIGN_OR_RETURN(manifest.release, reader.Bytes(release_bytes));
  SLIPWAY_ASSIGN_OR_RETURN(const std::uint64_t files, reader.Number("files"));
  if (files > kManifestFilesMax) return reader.Error("announces too many files");
  for (std::uint64_t i = 0; i < files; ++i) {
    SLIPWAY_ASSIGN_OR_RETURN(FileEntry file, ParseFile(reader));
    manifest.files.push_back(std::move(file));
  }
  SLIPWAY_ASSIGN_OR_RETURN(const std::string_view end, reader.Line());
  if (end != "end" || !reader.AtEnd()) return reader.Error("should be the last and hold \"end\"");
  // One spelling only: whatever else could be written differently is found here.
  SLIPWAY_ASSIGN_OR_RETURN(const std::string canonical, EncodeManifest(manifest));
  if (TreeDigest(manifest.files).ToString() != tree) {
    return absl::InvalidArgumentError("the manifest's tree digest does not match its files");
  }
  if (canonical != bytes)
    return absl::InvalidArgumentError("the manifest is not in canonical form");
  return manifest;
}

std::vector<FileEntry> FilesBelow(const Manifest& manifest, std::string_view folder) {
  std::vector<FileEntry> below;
  for (FileEntry file : manifest.files) {
    if (std::string_view(file.path).substr(0, folder.size()) != folder) continue;
    file.path = file.path.substr(folder.size());
    below.push_back(std::move(file));
  }
  return below;
}

Digest TreeDigest(const std::vector<FileEntry>& files) {
  return FolderDigest(files, 0, files.size(), 0);
}

std::uint64_t TotalBytes(const std::vector<FileEntry>& files) {
  std::uint64_t total = 0;
  for (const FileEntry& file : files) total += file.size;
  return total;
}

}  // namespace slipway
