#include "controller/releases/release_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/artifact/manifest.h"
#include "common/artifact/memory_object_store.h"
#include "common/manual_clock.h"
#include "controller/registry/memory_store.h"
#include "slipway/v1/action.pb.h"

namespace slipway::controller {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ReleaseStoreTest : public testing::Test {
 protected:
  static std::string ManifestOf(const std::string& version, const std::string& content) {
    v1::Release release;
    release.set_name("shop");
    release.set_version(version);
    release.add_components()->set_name("backend");
    release.add_services()->set_name("web");
    const Digest digest = Digest::Of(content);
    return *EncodeManifest(
        {"shop",
         version,
         release.SerializeAsString(),
         {{"backend/f", 0644, content.size(), digest, {{digest, content.size()}}}}});
  }
  absl::StatusOr<ReleaseDetails> Push(const std::string& version, const std::string& content) {
    EXPECT_TRUE(PutObject(objects_, content).ok());
    return store_.Create(ManifestOf(version, content), "slipway://x/operator/lena");
  }

  ManualClock clock_;
  MemoryObjectStore objects_;
  MemoryStore database_;
  ReleaseStore store_{objects_, database_.registry(), clock_};
};

TEST_F(ReleaseStoreTest, ReleaseIsMadeOfContentThatIsThereAndOnlyOnce) {
  const std::string manifest = ManifestOf("1.0", "content");
  const auto early = store_.Create(manifest, "lena");
  EXPECT_EQ(early.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(early.status().message()), HasSubstr(Digest::Of("content").ToString()));
  const auto made = Push("1.0", "content");
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->record.digest, Digest::Of(manifest).ToString());
  EXPECT_EQ(made->record.size, 7u);
  EXPECT_EQ(made->files, 1u);
  EXPECT_THAT(made->components, ElementsAre("backend"));
  EXPECT_THAT(made->services, ElementsAre("web"));
  clock_.Advance(absl::Hours(1));
  const auto again = store_.Create(manifest, "max");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->record, made->record) << "the first one counts";
  EXPECT_EQ(Push("1.0", "other").status().code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(ReleaseStoreTest, ReleasesAreFoundByNameVersionAndDigits) {
  const std::string one = Push("1.0", "one")->record.digest;
  clock_.Advance(absl::Seconds(1));
  const std::string two = Push("2.0", "two")->record.digest;
  EXPECT_EQ(store_.Get("shop@1.0")->record.digest, one);
  EXPECT_EQ(store_.Get(two)->record.version, "2.0");
  EXPECT_EQ(store_.Get(two.substr(7, 8))->record.version, "2.0");
  EXPECT_EQ(store_.Get(two.substr(7, 3)).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(store_.Get("shop@1.1").status().message()), HasSubstr("did you mean"));
  const auto all = store_.List("");
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ((*all)[0].record.version, "2.0") << "newest first";
  EXPECT_TRUE(store_.List("other")->empty());
  EXPECT_EQ(store_.Definition(one)->digest(), one);
  EXPECT_EQ(store_.Definition(Digest::Of("x").ToString()).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(ReleaseStoreTest, MissingContentIsNamedWithWhatIsHeldOfIt) {
  ASSERT_TRUE(PutObject(objects_, "there").ok());
  const Digest broken = Digest::Of("broken off");
  {
    const auto writer = *objects_.Put(broken, 10, 0);
    ASSERT_TRUE(writer->Append("brok").ok());
  }
  const auto missing = store_.FindMissing(
      {Digest::Of("there").ToString(), Digest::Of("absent").ToString(), broken.ToString()});
  ASSERT_TRUE(missing.ok()) << missing.status();
  ASSERT_EQ(missing->size(), 2u);
  EXPECT_EQ((*missing)[0].digest, Digest::Of("absent"));
  EXPECT_EQ((*missing)[1].held, 4u);
  EXPECT_EQ(store_.FindMissing({"sha1:abc"}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ReleaseStoreTest, ManifestsThatLieAreRefused) {
  ASSERT_TRUE(PutObject(objects_, "content").ok());
  const Digest digest = Digest::Of("content");
  const auto create = [&](const slipway::Manifest& manifest) {
    return store_.Create(*EncodeManifest(manifest), "x").status().code();
  };
  v1::Release release;
  release.set_name("shop");
  release.set_version("1.0");
  const std::string bytes = release.SerializeAsString();
  const auto refused = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(create({"shop", "2.0", bytes, {}}), refused) << "another version inside";
  EXPECT_EQ(create({"shop", "1.0", "\xff\xff", {}}), refused) << "no definition";
  EXPECT_EQ(create({"shop", "1.0", bytes, {{"f", 0644, 8, digest, {{digest, 8}}}}}), refused)
      << "another size";
  EXPECT_EQ(store_.Create("hello", "x").status().code(), refused);
}

}  // namespace
}  // namespace slipway::controller
