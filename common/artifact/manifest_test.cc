#include "common/artifact/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_replace.h"
#include "common/artifact/limits.h"

namespace slipway {
namespace {

using testing::HasSubstr;

FileEntry File(const std::string& path, const std::string& content, std::uint32_t mode = 0644) {
  FileEntry file{path, mode, content.size(), Digest::Of(content), {}};
  if (!content.empty()) file.chunks = {{file.digest, file.size}};
  return file;
}

Manifest Sample() {
  return {"unified-media",
          "2.0.0",
          std::string("\x0a\x05media\n\0", 9),
          {File("backend/bin/run", "program", 0755), File("backend/empty", ""),
           File("backend/with space", "s"), File("release.yaml", "release: 1\n")}};
}

std::string EncodedWith(const std::vector<FileEntry>& files) {
  return std::string(EncodeManifest({"n", "1", "", files}).status().message());
}

TEST(Manifest, BytesAndValueAreOneAnother) {
  const auto bytes = EncodeManifest(Sample());
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  const auto parsed = ParseManifest(*bytes);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(*parsed, Sample());
}

// docs/formats/manifest.md holds the same digests.
TEST(Manifest, TreeDigestsAreThoseOfTheFormatsTestVectors) {
  EXPECT_EQ(TreeDigest({}).ToString(),
            "sha256:751597c01f741db183e825dfe7487ab01e104dd26fad3b7b8a1294b3848811dd");
  EXPECT_EQ(TreeDigest({File("a", "")}).ToString(),
            "sha256:fadba046406616c69f70a9ff3958703bff384784a6c6402700660da190b08e3c");
  EXPECT_EQ(TreeDigest({File("a", ""), File("b/c", "x", 0755)}).ToString(),
            "sha256:84ab8047af7be1901cf9d0866c3c56024e5d2a37481dc9c9f2bf43dbdee82a79");
}

TEST(Manifest, ComponentHasTheSameTreeDigestWhereverItHangs) {
  const std::vector<FileEntry> below = FilesBelow(Sample(), "backend/");
  ASSERT_EQ(below.size(), 3u);
  EXPECT_EQ(below[0].path, "bin/run");
  const Manifest alone{"other", "1", "", below};
  EXPECT_EQ(TreeDigest(below), TreeDigest(FilesBelow(alone, "")));
  EXPECT_EQ(TotalBytes(below), 8u);
}

TEST(Manifest, TreeDigestSeesNameModeContentAndPlace) {
  const Digest tree = TreeDigest({File("a/b", "x")});
  EXPECT_NE(tree, TreeDigest({File("a/c", "x")}));
  EXPECT_NE(tree, TreeDigest({File("a/b", "x", 0755)}));
  EXPECT_NE(tree, TreeDigest({File("a/b", "y")}));
  EXPECT_NE(tree, TreeDigest({File("b", "x")}));
  // "a-b" sorts before "a/x" as a path and behind "a" as an entry.
  EXPECT_EQ(TreeDigest({File("a-b", "1"), File("a/x", "2")}),
            TreeDigest({File("a-b", "1"), File("a/x", "2")}));
}

TEST(Manifest, HostilePathsAreRefused) {
  const std::string deep = [] {
    std::string path = "d";
    for (int i = 0; i < 64; ++i) path += "/d";
    return path;
  }();
  const std::vector<std::string> hostile = {"",
                                            "/",
                                            "/etc/passwd",
                                            "..",
                                            ".",
                                            "../x",
                                            "a/../b",
                                            "a/./b",
                                            "a//b",
                                            "a/",
                                            "./a",
                                            "a/..",
                                            "a\nb",
                                            std::string("a\0b", 3),
                                            "a\tb",
                                            "a\x7f",
                                            "a\\b",
                                            "\x1b[2J",
                                            std::string(4097, 'a'),
                                            std::string(256, 'a'),
                                            deep,
                                            "C:\\x",
                                            "a/\r"};
  for (const std::string& path : hostile) {
    EXPECT_EQ(ValidatePath(path).code(), absl::StatusCode::kInvalidArgument) << path;
    EXPECT_FALSE(EncodeManifest({"n", "1", "", {File(path, "x")}}).ok()) << path;
  }
  EXPECT_THAT(std::string(ValidatePath("\x1b[2J").message()), HasSubstr("\\x1b[2J"));
  for (const std::string path : {"a", "...", "..a", "a b", "-rf", "grün/ß", ".hidden/x"}) {
    EXPECT_TRUE(ValidatePath(path).ok()) << path;
  }
}

TEST(Manifest, TwinsAndConflictsAreRefused) {
  EXPECT_THAT(EncodedWith({File("A/x", "1"), File("a/y", "2")}), HasSubstr("case of letters"));
  EXPECT_THAT(EncodedWith({File("README", "1"), File("readme", "2")}),
              HasSubstr("case of letters"));
  EXPECT_THAT(EncodedWith({File("a", "1"), File("a-b", "3"), File("a/b", "2")}),
              HasSubstr("folder"));
  EXPECT_THAT(EncodedWith({File("a", "1"), File("a", "1")}), HasSubstr("order"));
  EXPECT_THAT(EncodedWith({File("b", "1"), File("a", "1")}), HasSubstr("order"));
}

TEST(Manifest, SizesAndModesAreBounded) {
  FileEntry file = File("a", "x", 04755);
  EXPECT_THAT(EncodedWith({file}), HasSubstr("mode"));
  file = File("a", "x");
  file.size = std::uint64_t{1} << 50;
  file.chunks[0].size = file.size;
  EXPECT_THAT(EncodedWith({file}), HasSubstr("more than"));
  std::vector<FileEntry> many;
  for (const std::string name : {"a", "b", "c", "d", "e"}) {
    many.push_back(
        {name, 0644, kFileBytesMax, Digest::Of(name), {{Digest::Of(name), kFileBytesMax}}});
  }
  EXPECT_THAT(EncodedWith(many), HasSubstr("takes the release over"));
  EXPECT_THAT(EncodedWith(std::vector<FileEntry>(kManifestFilesMax + 1, File("a", ""))),
              HasSubstr("files, at most"));
}

TEST(Manifest, NamesAreSafeAsPartsOfFolders) {
  for (const std::string name : {"", ".", "..", "a/b", "-x", ".hidden", "a b", "a\n"}) {
    EXPECT_FALSE(ValidateReleaseName(name).ok()) << name;
    EXPECT_FALSE(EncodeManifest({name, "1", "", {}}).ok()) << name;
    EXPECT_FALSE(EncodeManifest({"n", name, "", {}}).ok()) << name;
  }
}

// Every single-byte change and every truncation is another release or no release: never the same.
TEST(Manifest, EveryChangedOrMissingByteIsNoticed) {
  const std::string bytes = *EncodeManifest(Sample());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    const auto parsed = ParseManifest(changed);
    if (parsed.ok()) {
      EXPECT_NE(*parsed, Sample()) << i;
    }
    EXPECT_FALSE(ParseManifest(bytes.substr(0, i)).ok()) << i;
  }
  EXPECT_FALSE(ParseManifest(bytes + "\n").ok());
}

TEST(Manifest, OtherSpellingsOfTheSameReleaseAreRefused) {
  const std::string bytes = *EncodeManifest(Sample());
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"files 4", "files 04"},
           {"files 4", "files +4"},
           {"files 4", "files  4"},
           {"release 9", "release 99999999999999999999"},
           {"release 9", "release 10"},
           {" 7 ", " 07 "},
           {"file 0644", "file 644"},
           {"slipway-manifest 1", "slipway-manifest 2"},
           {"files 4", "files 18446744073709551615"},
           {"files 4", "files 3"},
           {"\nend", "\r\nend"}}) {
    const std::string other = absl::StrReplaceAll(bytes, {{from, to}});
    ASSERT_NE(other, bytes) << from;
    EXPECT_FALSE(ParseManifest(other).ok()) << to;
  }
}

}  // namespace
}  // namespace slipway
