#include "common/artifact/release_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "absl/strings/str_replace.h"
#include "google/protobuf/util/message_differencer.h"
#include "slipway/v1/action.pb.h"

namespace slipway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kReleaseFile[] = R"(release: 1
name: unified-media
version: 2.0.0
schema: "7..8"
components:
  frontend: { path: frontend, assets: assets/ }
  backend:  { path: backend/ }
services:
  media:
    component: backend
    run: [bin/media-repository, --config, "{{shared}}/media.toml"]
    user: media
    port: 8080
    log: service
    identity: exe
    stop:
      ready_file: "{{shared}}/in-traffic"
      notice: 5s
      drain: 30s
      ladder: [TERM, 20s, KILL]
    ready: { must_match: "listening on", must_not_match: [FATAL, panic], http: "http://127.0.0.1:{{port}}/health", deadline: 90s }
    env: { LANG: C.UTF-8 }
hooks:
  tests/integration: { undo: not_needed, idempotent: true, timeout: 10m }
build:
  - { run: [make, -C, backend, install], into: backend/ }
)";

std::string FirstProblem(const std::string& text) {
  v1::Release release;
  const auto content = ReadReleaseFile("release.yaml", text, release);
  return content.problems.empty() ? "" : content.problems[0].message;
}

std::string With(const std::string& from, const std::string& to) {
  const std::string text = absl::StrReplaceAll(kReleaseFile, {{from, to}});
  EXPECT_NE(text, kReleaseFile) << from;
  return text;
}

TEST(ReleaseFile, TheDocumentedExampleIsReadWhole) {
  v1::Release release;
  const auto content = ReadReleaseFile("release.yaml", kReleaseFile, release);
  ASSERT_TRUE(content.problems.empty()) << content.problems[0].message;
  EXPECT_EQ(release.name(), "unified-media");
  EXPECT_EQ(release.schema(), "7..8");
  EXPECT_EQ(release.digest(), "");
  ASSERT_EQ(release.components_size(), 2);
  EXPECT_EQ(release.components(0).name(), "backend");
  EXPECT_EQ(release.components(1).path(), "frontend/");
  ASSERT_EQ(release.services_size(), 1);
  const v1::Service& media = release.services(0);
  EXPECT_THAT(media.run(),
              ElementsAre("bin/media-repository", "--config", "{{shared}}/media.toml"));
  EXPECT_EQ(media.identity(), v1::Service::EXE);
  EXPECT_EQ(media.ready_file(), "{{shared}}/in-traffic");
  EXPECT_EQ(media.notice().seconds(), 5);
  EXPECT_EQ(media.drain().seconds(), 30);
  EXPECT_THAT(media.ladder(), ElementsAre("TERM", "20s", "KILL"));
  EXPECT_THAT(media.ready().must_not_match(), ElementsAre("FATAL", "panic"));
  EXPECT_EQ(media.env().at("LANG"), "C.UTF-8");
  ASSERT_EQ(release.hooks_size(), 1);
  EXPECT_EQ(release.hooks(0).timeout().seconds(), 600);
  ASSERT_EQ(content.build.size(), 1u);
  EXPECT_THAT(content.build[0].run, ElementsAre("make", "-C", "backend", "install"));
  EXPECT_EQ(content.build[0].into, "backend/");
}

// The example of docs/release.md.
TEST(ReleaseFile, TheManualsExampleIsTheOneTestedHere) {
  std::ifstream in("docs/release.md");
  const std::string manual{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const std::string open = "```yaml\n";
  const std::size_t begin = manual.find(open);
  ASSERT_NE(begin, std::string::npos) << "run in the root of the checkout";
  const std::size_t from = begin + open.size();
  v1::Release documented, tested;
  const auto content = ReadReleaseFile(
      "docs/release.md", manual.substr(from, manual.find("```", from) - from), documented);
  ASSERT_TRUE(content.problems.empty()) << content.problems[0].message;
  ASSERT_TRUE(ReadReleaseFile("release.yaml", kReleaseFile, tested).problems.empty());
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(documented, tested));
}

TEST(ReleaseFile, MistakesAreNamedWithTheirPlace) {
  v1::Release release;
  const auto content =
      ReadReleaseFile("release.yaml", With("component: backend", "component: backedn"), release);
  ASSERT_EQ(content.problems.size(), 1u);
  EXPECT_THAT(content.problems[0].message, HasSubstr("backedn"));
  EXPECT_EQ(content.problems[0].line, 10u);
}

TEST(ReleaseFile, NoticeIsOfAReadyFile) {
  EXPECT_THAT(FirstProblem(With("      ready_file: \"{{shared}}/in-traffic\"\n", "")),
              HasSubstr("ready_file"));
}

TEST(ReleaseFile, IdentityIsChosenByName) {
  v1::Release release;
  ReadReleaseFile("release.yaml", With("identity: exe", "identity: http"), release);
  EXPECT_EQ(release.services(0).identity(), v1::Service::HTTP);
  EXPECT_THAT(FirstProblem(With("identity: exe", "identity: pid")), HasSubstr("pid"));
}

TEST(ReleaseFile, UnitStandsInsteadOfAProgram) {
  const auto services = [](const std::string& service) {
    return "release: 1\nname: shop\nversion: 1\ncomponents: { backend: { path: backend/ } }\n"
           "services:\n  shop: { component: backend, " +
           service + " }\n";
  };
  v1::Release release;
  const auto content =
      ReadReleaseFile("release.yaml", services("unit: \"shop@{{port}}.service\""), release);
  EXPECT_TRUE(content.problems.empty());
  EXPECT_EQ(release.services(0).unit(), "shop@{{port}}.service");
  EXPECT_THAT(FirstProblem(services("port: 80")), HasSubstr("neither `run:` nor `unit:`"));
  EXPECT_THAT(FirstProblem(services("unit: shop.timer")), HasSubstr("shop.timer"));
  EXPECT_THAT(FirstProblem(services("unit: ../shop.service")), HasSubstr("../shop.service"));
  EXPECT_THAT(FirstProblem(services("unit: a.service, run: [bin/a]")), HasSubstr("`run:`"));
  EXPECT_THAT(FirstProblem(services("unit: a.service, user: a")), HasSubstr("`user:`"));
  EXPECT_THAT(FirstProblem(services("unit: a.service, env: { A: b }")), HasSubstr("`env:`"));
}

TEST(ReleaseFile, HostileOrWrongValuesAreRefused) {
  EXPECT_THAT(FirstProblem(With("release: 1", "release: 2")), HasSubstr("not a format"));
  EXPECT_THAT(FirstProblem(With("name: unified-media", "name: ../media")), HasSubstr("../media"));
  EXPECT_THAT(FirstProblem(With("version: 2.0.0", "version: \"2/0\"")), HasSubstr("2/0"));
  EXPECT_THAT(FirstProblem(With("path: backend/", "path: ../backend/")), HasSubstr("../backend"));
  EXPECT_THAT(FirstProblem(With("path: backend/", "path: /etc")), HasSubstr("/etc"));
  EXPECT_THAT(FirstProblem(With("[TERM, 20s, KILL]", "[TERM, 20, KILL]")), HasSubstr("`20`"));
  EXPECT_THAT(FirstProblem(With("log: service", "log: syslog")), HasSubstr("log: syslog"));
  EXPECT_THAT(FirstProblem(With("port: 8080", "port: 80800")), HasSubstr("TCP port"));
  EXPECT_THAT(FirstProblem(With("undo: not_needed", "undo: tests/none")), HasSubstr("tests/none"));
  EXPECT_THAT(FirstProblem(With("hooks:\n  tests/", "hooks:\n  ../tests/")), HasSubstr("../tests"));
  EXPECT_THAT(FirstProblem(With("into: backend/", "into: ../x")), HasSubstr("../x"));
  EXPECT_THAT(FirstProblem(With("schema:", "shcema:")), HasSubstr("shcema"));
}

}  // namespace
}  // namespace slipway
