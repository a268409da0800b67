#include "common/artifact/seal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "common/fs/test_directory.h"
#include "slipway/v1/action.pb.h"

namespace slipway {
namespace {

using testing::HasSubstr;

constexpr char kFile[] =
    "release: 1\nname: shop\nversion: 1.0\ncomponents:\n  backend: { path: backend/ }\n"
    "services:\n  shop: { component: backend, run: [bin/shop], env: { A: '1', B: '2', C: '3' } }\n";

void LayOut(const TestDirectory& home, const std::string& release_yaml = kFile) {
  home.Write("release.yaml", release_yaml);
  home.Write("backend/bin/shop", "program");
  ::chmod((home / "backend/bin/shop").c_str(), 0755);
}

std::string Refusal(const TestDirectory& home, const SealOptions& options = {}) {
  return std::string(SealRelease(home.path(), options, nullptr).status().message());
}

TEST(Seal, TheSameContentHasTheSameDigestAnywhere) {
  TestDirectory here, there;
  LayOut(here);
  LayOut(there);
  ::chmod((there / "backend/bin/shop").c_str(), 0700);
  const auto a = SealRelease(here.path(), {}, nullptr);
  const auto b = SealRelease(there.path(), {}, nullptr);
  ASSERT_TRUE(a.ok()) << a.status();
  ASSERT_TRUE(b.ok()) << b.status();
  EXPECT_EQ(a->digest, b->digest);
  EXPECT_EQ(a->digest, Digest::Of(a->bytes));
  there.Write("backend/more", "x");
  EXPECT_NE(SealRelease(there.path(), {}, nullptr)->digest, a->digest);
}

TEST(Seal, TheManifestCarriesTheDefinition) {
  TestDirectory home;
  LayOut(home);
  const auto sealed = SealRelease(home.path(), {}, nullptr);
  ASSERT_TRUE(sealed.ok()) << sealed.status();
  const auto manifest = ParseManifest(sealed->bytes);
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  v1::Release release;
  ASSERT_TRUE(release.ParseFromString(manifest->release));
  EXPECT_EQ(release.version(), "1.0");
  EXPECT_EQ(release.services(0).name(), "shop");
  EXPECT_EQ(manifest->files.size(), 2u);
}

TEST(Seal, WhatReleaseYamlNamesMustBeThere) {
  TestDirectory home;
  LayOut(home, std::string(kFile) + "hooks: { hooks/smoke: { undo: not_needed } }\n");
  EXPECT_THAT(Refusal(home), HasSubstr("hooks/smoke"));
  home.Write("hooks/smoke", "#!/bin/sh\n");
  EXPECT_THAT(Refusal(home), HasSubstr("executable"));
  ::chmod((home / "hooks/smoke").c_str(), 0755);
  EXPECT_EQ(Refusal(home), "");
  std::filesystem::remove_all(home / "backend");
  EXPECT_THAT(Refusal(home), HasSubstr("component \"backend\" has no file"));
}

TEST(Seal, ProblemsOfTheFileAreHandedOut) {
  TestDirectory home;
  LayOut(home, "release: 1\nnmae: shop\n");
  std::vector<plan::Problem> problems;
  const auto sealed = SealRelease(home.path(), {}, &problems);
  EXPECT_EQ(sealed.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_GE(problems.size(), 2u);
  EXPECT_EQ(SealRelease(home / "none", {}, nullptr).status().code(), absl::StatusCode::kNotFound);
}

TEST(Seal, BuildStepsRunWithoutAShellInTheReleasesFolder) {
  TestDirectory home;
  home.Write("release.yaml", std::string(kFile) +
                                 "build:\n"
                                 "  - { run: [mkdir, \"$HOME and more\"], into: backend/bin/ }\n"
                                 "  - { run: [cp, release.yaml, backend/bin/shop] }\n"
                                 "  - { run: [rmdir, \"$HOME and more\"] }\n");
  int begun = 0;
  const auto sealed = SealRelease(
      home.path(), {.build = true, .begin = [&](const BuildStep&) { ++begun; }}, nullptr);
  ASSERT_TRUE(sealed.ok()) << sealed.status();
  EXPECT_EQ(begun, 3);
  EXPECT_TRUE(home.Has("backend/bin/shop"));
  EXPECT_FALSE(home.Has("$HOME and more"));
}

TEST(Seal, FailingBuildStepEndsTheBuildAndIsNamed) {
  TestDirectory home;
  LayOut(home,
         std::string(kFile) + "build:\n  - { run: [\"false\"] }\n  - { run: [touch, after] }\n");
  EXPECT_THAT(Refusal(home, {.build = true}), HasSubstr("`false` ended with status 1"));
  EXPECT_FALSE(home.Has("after"));
  LayOut(home, std::string(kFile) + "build:\n  - { run: [no-such-program-here] }\n");
  EXPECT_THAT(Refusal(home, {.build = true}), HasSubstr("cannot be started"));
  EXPECT_EQ(Refusal(home), "") << "sealing alone runs nothing";
}

}  // namespace
}  // namespace slipway
