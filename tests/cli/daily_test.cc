// What an operator asks every day: drift, facts, completion, doctor, plans.
#include <fstream>
#include <sstream>

#include "tests/cli/cli_fixture.h"
#include "tests/cli/golden.h"

namespace slipway::cli {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

v1::Host HostNamed(const std::string& name) {
  v1::Host host;
  host.set_name(name);
  host.set_state(v1::Host::CONNECTED);
  host.set_agent_version("0.1.0");
  (*host.mutable_labels())["role"] = "web";
  auto* app = host.add_apps();
  app->set_app("/srv/shop");
  app->set_wanted("sha256:aaaaaaaa11111111");
  app->set_wanted_label("2.4.0");
  app->set_on_disk("sha256:aaaaaaaa11111111");
  app->set_running("sha256:aaaaaaaa11111111");
  app->set_label("2.4.0");
  auto* service = host.mutable_health()->add_services();
  service->set_name("shop");
  service->set_state(v1::ServiceHealth::RUNNING);
  service->set_healthy(true);
  return host;
}

class DailyTest : public CliTest {
 protected:
  // What a shell is offered for these words. A controller that takes longer than somebody with a
  // finger on the key would wait offers nothing: the key is pressed again.
  std::string Completed(std::vector<std::string> words) {
    words.insert(words.begin(), {"__complete", "--"});
    for (int presses = 0; presses < 20; ++presses) {
      EXPECT_EQ(Run(words), 0);
      if (!output_.empty()) break;
    }
    return output_;
  }
  void SetUp() override {
    CliTest::SetUp();
    fleet_ = {HostNamed("web-1"), HostNamed("web-2")};
    for (v1::Host& host : fleet_) SetFacts(host);
    script_.host = [this](const std::string&) { return fleet_[0]; };
    script_.hosts = [this](const std::string& selector) {
      selector_ = selector;
      v1::ListHostsResponse response;
      for (const v1::Host& host : fleet_) *response.add_hosts() = host;
      response.set_total(static_cast<std::uint32_t>(fleet_.size()));
      response.set_degraded(degraded_);
      return response;
    };
  }
  void SetFacts(v1::Host& host) {
    host.mutable_facts()->set_os("Debian GNU/Linux 12 (bookworm)");
    host.mutable_facts()->set_kernel("6.1.0");
    host.mutable_facts()->set_arch("x86_64");
    host.mutable_facts()->set_cpus(4);
    host.mutable_facts()->set_memory_bytes(std::uint64_t{16} << 30);
  }
  void LetDrift(v1::Host& host) {
    host.mutable_apps(0)->set_running("sha256:bbbbbbbb22222222");
    host.mutable_apps(0)->set_drift(true);
  }
  std::string File(const std::string& name, const std::string& text) {
    const std::string path = dir_ + "/" + name;
    std::ofstream(path) << text;
    return path;
  }

  std::vector<v1::Host> fleet_;
  std::string selector_, degraded_;
};

TEST_F(DailyTest, FleetDriftNamesWhatDiffersAndTellsScripts) {
  EXPECT_EQ(Run({"fleet", "drift", "--exit-code"}), 0);
  ExpectGolden("fleet_drift_none", output_);
  LetDrift(fleet_[1]);
  EXPECT_EQ(Run({"fleet", "drift", "role=web"}), 0) << "without --exit-code it is no failure";
  EXPECT_EQ(selector_, "role=web");
  ExpectGolden("fleet_drift", output_);
  EXPECT_EQ(Run({"fleet", "drift", "--exit-code", "-o", "json"}), 20);
  ExpectGolden("fleet_drift.json", output_);
}

TEST_F(DailyTest, DoctorIsContentWithASoundFleet) {
  EXPECT_EQ(Run({"doctor", "--strict"}), 0);
  EXPECT_THAT(output_, HasSubstr("2 of 2 connected"));
  EXPECT_THAT(output_, HasSubstr("your certificate is valid for"));
  EXPECT_THAT(output_, HasSubstr("0 failures, 0 warnings"));
}

TEST_F(DailyTest, DoctorNamesEachAilmentAndWhatHelps) {
  fleet_[0].mutable_health()->mutable_services(0)->set_healthy(false);
  fleet_[0].set_agent_version("0.0.9");
  fleet_[0].set_clock_offset_us(-2'500'000);
  auto* disk = fleet_[0].mutable_health()->add_disks();
  disk->set_path("/srv");
  disk->set_total_bytes(100);
  disk->set_free_bytes(4);
  LetDrift(fleet_[0]);
  fleet_[1].set_state(v1::Host::SILENT);
  degraded_ = "storage: disk \x1b[2Jfull";
  EXPECT_EQ(Run({"doctor"}), 30);
  EXPECT_THAT(output_,
              HasSubstr("web-1 has a service that is not well      slipway host show web-1"));
  EXPECT_THAT(output_, HasSubstr("web-1 runs agent 0.0.9"));
  EXPECT_THAT(output_, HasSubstr("the clock of web-1 is -2.5 s off"));
  EXPECT_THAT(output_, HasSubstr("/srv on web-1 is 96 % full"));
  EXPECT_THAT(output_, HasSubstr("slipway fleet drift"));
  EXPECT_THAT(output_, HasSubstr("1 of 2 connected"));
  EXPECT_THAT(output_, HasSubstr("degraded: storage: disk \\x1b[2Jfull"));
  EXPECT_THAT(output_, HasSubstr("3 failures, 4 warnings"));
  EXPECT_EQ(Run({"doctor", "-o", "json"}), 30);
  EXPECT_THAT(output_, HasSubstr("\"verdict\": \"failure\""));
}

TEST_F(DailyTest, DoctorFailsOnWarningsOnlyWhenStrict) {
  LetDrift(fleet_[0]);
  EXPECT_EQ(Run({"doctor"}), 0);
  EXPECT_EQ(Run({"doctor", "--strict"}), 31);
}

TEST_F(DailyTest, DoctorSaysWhatIsMissingWithoutAController) {
  controller_->Stop();
  EXPECT_EQ(Run({"doctor"}), 30);
  EXPECT_THAT(output_, HasSubstr("is not reachable"));
  Program without({"doctor"}, {});
  EXPECT_EQ(without.Wait(), 30);
  EXPECT_THAT(without.output(), HasSubstr("no client configuration"));
}

TEST_F(DailyTest, CompletionKnowsTheFleet) {
  EXPECT_EQ(Completed({"host", "show", "web"}), "web-1\t\nweb-2\t\n");
  EXPECT_EQ(Completed({"watch", ""}), "ro-M4TZ7K\tshop 2.4.0\n");
  fleet_[0].set_name("evil\x1b[2J");
  EXPECT_EQ(Completed({"host", "show", ""}), "web-2\t\n");
  EXPECT_EQ(Run({"__complete", "--", "deploy", "--help"}), 0);
  EXPECT_EQ(output_, "") << "what is being completed is not asked for help";
  controller_->Stop();
  EXPECT_EQ(Run({"__complete", "--", "host", "show", ""}), 0);
  EXPECT_EQ(output_, "");
  EXPECT_EQ(Run({"completion", "tcsh"}), 2);
}

// The script itself, in a real shell.
TEST_F(DailyTest, BashCompletesALineWithLiveHosts) {
  std::string script = "eval \"$(" + std::string(std::getenv("SLIPWAY_BINARY_DIR")) +
                       "/bin/slipway completion bash)\"\n"
                       "COMP_WORDS=(" +
                       std::getenv("SLIPWAY_BINARY_DIR") +
                       "/bin/slipway host show web-); COMP_CWORD=3; _slipway\n"
                       "printf '%s\\n' \"${COMPREPLY[@]}\"\n";
  const std::string path = File("complete.sh", script);
  std::string offered;
  for (int presses = 0; presses < 20 && offered.size() <= 1; ++presses) {
    Program shell({"/bin/bash", "--norc", path}, controller_->environment());
    EXPECT_EQ(shell.Wait(), 0);
    offered = shell.output();
  }
  EXPECT_EQ(offered, "web-1\nweb-2\n");
}

TEST_F(DailyTest, NewPlanIsSound) {
  EXPECT_EQ(Run({"plan", "new", "media"}), 0);
  ExpectGolden("plan_new", output_);
  const std::string path = File("new.yaml", output_);
  EXPECT_EQ(Run({"plan", "validate", path}), 0);
  EXPECT_THAT(output_, HasSubstr("sound"));
  EXPECT_EQ(Run({"plan", "new", "a b"}), 2);
}

TEST_F(DailyTest, PlanDiffSpeaksOfDecisionsAndNotOfSpelling) {
  EXPECT_EQ(Run({"plan", "new"}), 0);
  const std::string plan = output_;
  const std::string before = File("before.yaml", plan);
  EXPECT_EQ(
      Run({"plan", "diff", before, File("same.yaml", "# said otherwise\n" + plan), "--exit-code"}),
      0);
  EXPECT_EQ(output_, "both plans decide the same\n");
  std::string changed = plan;
  changed.replace(changed.find("bake: 30s"), 9, "bake: 2m");
  changed.replace(changed.find("within: 10m"), 11, "within: 5m");
  const std::string after = File("after.yaml", changed);
  EXPECT_EQ(Run({"plan", "diff", before, after}), 0);
  ExpectGolden("plan_diff", output_);
  EXPECT_EQ(Run({"plan", "diff", before, after, "--exit-code", "-o", "json"}), 20);
  ExpectGolden("plan_diff.json", output_);
  EXPECT_EQ(Run({"plan", "diff", before, File("bad.yaml", "plan: 1\n")}), 3);
}

TEST_F(DailyTest, PlanGraphIsForGraphviz) {
  EXPECT_EQ(Run({"plan", "new"}), 0);
  const std::string plan = File("plan.yaml", output_);
  EXPECT_EQ(Run({"plan", "graph", plan}), 0);
  ExpectGolden("plan_graph", output_);
  EXPECT_EQ(Run({"plan", "graph", File("bad.yaml", "plan: 1\n")}), 3);
}

TEST_F(DailyTest, ExplainTellsMoreThanTheMessage) {
  EXPECT_EQ(Run({"explain", "p013"}), 0);
  ExpectGolden("explain", output_);
  EXPECT_EQ(Run({"explain", "P013", "-o", "json"}), 0);
  ExpectGolden("explain.json", output_);
  EXPECT_EQ(Run({"explain"}), 0);
  EXPECT_THAT(output_, HasSubstr("P107"));
  EXPECT_EQ(Run({"explain", "P999"}), 5);
}

// One line for each code: the pages themselves are read here, as a person reads them.
TEST_F(DailyTest, EveryCodeIsExplained) {
  EXPECT_EQ(Run({"explain", "--columns", "code", "--no-headers"}), 0);
  std::istringstream codes(output_);
  std::string all;
  for (std::string code; std::getline(codes, code);) {
    EXPECT_EQ(Run({"explain", code}), 0) << code;
    all += output_ + "\n";
  }
  ExpectGolden("explain_all", all);
}

TEST_F(DailyTest, TablesShowWhatIsAskedFor) {
  fleet_[0].set_name("web-10");
  EXPECT_EQ(Run({"agent", "list", "--columns", "host,agent", "--sort-by", "host", "--no-headers"}),
            0);
  EXPECT_EQ(output_, "web-2    0.1.0\nweb-10   0.1.0\n");
  EXPECT_EQ(Run({"agent", "list", "--columns", "host,agnt"}), 2);
  EXPECT_THAT(output_, HasSubstr("did you mean AGENT?"));
  EXPECT_EQ(Run({"agent", "list", "--sort-by", "host,agent"}), 2);
  EXPECT_EQ(Run({"deploy", "plan.yaml", "--columns", "host"}), 2) << "it prints no table";
}

TEST_F(DailyTest, PlanFmtKeepsCommentsAndSaysWhetherItWould) {
  const std::string path = File("untidy.yaml",
                                "# head\n"
                                "plan: 1\n"
                                "name: shop   # beside\n"
                                "\n\n"
                                "groups:\n"
                                "    web: { select: \"role=web\" }  \n");
  EXPECT_EQ(Run({"plan", "fmt", path, "--check"}), 20);
  EXPECT_EQ(Run({"plan", "fmt", path, "--check", "-o", "json"}), 20);
  EXPECT_THAT(output_, HasSubstr("\"differs\": true"));
  EXPECT_EQ(Run({"plan", "fmt", path}), 0);
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(),
            "# head\n"
            "plan: 1\n"
            "name: shop   # beside\n"
            "\n"
            "groups:\n"
            "  web: { select: \"role=web\" }\n");
  EXPECT_EQ(Run({"plan", "fmt", path, "--check"}), 0);
  EXPECT_THAT(output_, HasSubstr("nothing to change"));
  EXPECT_EQ(Run({"plan", "fmt", File("bad.yaml", "a: [1\n")}), 3);
}

TEST_F(DailyTest, ContextsStandForControllers) {
  const std::string config = dir_ + "/controller/operators/tester/config.yaml";
  const std::vector<std::string> home = {"XDG_CONFIG_HOME=" + dir_ + "/home"};
  const auto run = [&](const std::vector<std::string>& arguments,
                       std::vector<std::string> more = {}) {
    more.insert(more.end(), home.begin(), home.end());
    Program program(arguments, more);
    const int code = program.Wait();
    output_ = program.output();
    return code;
  };
  EXPECT_EQ(run({"context", "list"}), 0);
  EXPECT_THAT(output_, HasSubstr("no context yet"));
  EXPECT_EQ(run({"context", "add", "staging", config}), 0);
  EXPECT_EQ(run({"context", "add", "staging", config}), 6) << "it is there already";
  EXPECT_EQ(run({"context", "add", "../evil", config}), 3);
  EXPECT_EQ(run({"fleet", "status"}), 4) << "no context is preferred yet";
  EXPECT_EQ(run({"context", "use", "stagin"}), 5);
  EXPECT_THAT(output_, HasSubstr("did you mean staging?"));
  EXPECT_EQ(run({"context", "use", "staging"}), 0);
  EXPECT_EQ(run({"context", "list", "--columns", "current,name", "--no-headers"}), 0);
  EXPECT_EQ(output_, "*   staging\n");
  EXPECT_EQ(run({"config", "view", "--origin"}), 0);
  EXPECT_THAT(output_, HasSubstr(dir_ + "/home/slipway/contexts/staging.conf"));
  // A context of the environment goes over the preferred one, a flag over both.
  EXPECT_EQ(run({"config", "view"}, {"SLIPWAY_CONTEXT=nowhere"}), 5);
  EXPECT_EQ(run({"config", "view", "--context", "staging"}, {"SLIPWAY_CONTEXT=nowhere"}), 0);
  EXPECT_EQ(run({"__complete", "--", "context", "use", "s"}), 0);
  EXPECT_EQ(output_, "staging\t\n");
  EXPECT_EQ(run({"context", "remove", "staging"}), 0);
  EXPECT_EQ(run({"config", "view", "--context", "staging"}), 5);
}

TEST_F(DailyTest, PreferencesComeFromTheFirstPlaceThatHasThem) {
  const std::string home = "XDG_CONFIG_HOME=" + dir_ + "/home";
  const auto run = [&](const std::vector<std::string>& arguments,
                       const std::vector<std::string>& more = {}) {
    std::vector<std::string> environment = controller_->environment();
    environment.push_back(home);
    environment.insert(environment.end(), more.begin(), more.end());
    Program program(arguments, environment);
    const int code = program.Wait();
    output_ = program.output();
    return code;
  };
  EXPECT_EQ(run({"config", "set", "output", "json"}), 0);
  EXPECT_EQ(run({"config", "set", "output", "xml"}), 3);
  EXPECT_EQ(run({"config", "set", "outptu", "json"}), 2);
  EXPECT_EQ(run({"version"}), 0);
  EXPECT_EQ(output_[0], '{');
  EXPECT_EQ(run({"version"}, {"SLIPWAY_OUTPUT=text"}), 0);
  EXPECT_NE(output_[0], '{') << "the environment goes over the person's file";
  EXPECT_EQ(run({"version", "-o", "json"}, {"SLIPWAY_OUTPUT=text"}), 0);
  EXPECT_EQ(output_[0], '{') << "a flag goes over all";
  EXPECT_EQ(run({"version"}, {"SLIPWAY_OUTPUT=xml"}), 3);
  EXPECT_THAT(output_, HasSubstr("SLIPWAY_OUTPUT: output is one of text, json"));
  EXPECT_EQ(run({"config", "set", "output"}), 0);
  EXPECT_EQ(run({"version"}), 0);
  EXPECT_NE(output_[0], '{') << "it was removed";
  std::ofstream(dir_ + "/home/slipway/config.yaml") << "outptu: json\n";
  EXPECT_EQ(run({"version"}), 3);
  EXPECT_THAT(output_, HasSubstr("config.yaml"));
}

TEST_F(DailyTest, HostFactsAreWhatSelectorsAndTemplatesSee) {
  EXPECT_EQ(Run({"host", "facts", "web-1"}), 0);
  ExpectGolden("host_facts", output_);
  EXPECT_EQ(Run({"host", "facts", "web-1", "-o", "json"}), 0);
  ExpectGolden("host_facts.json", output_);
}

TEST_F(DailyTest, HostLabelSetsAndRemoves) {
  v1::LabelHostRequest asked;
  script_.label = [&](const v1::LabelHostRequest& request) {
    asked = request;
    return fleet_[0];
  };
  EXPECT_EQ(Run({"host", "label", "web-1", "zone=b", "path=/srv/a-", "rack-"}), 0);
  EXPECT_EQ(asked.name(), "web-1");
  EXPECT_EQ(asked.set().at("zone"), "b");
  EXPECT_EQ(asked.set().at("path"), "/srv/a-");
  EXPECT_THAT(asked.remove(), testing::ElementsAre("rack"));
  EXPECT_FALSE(asked.request_id().empty());
  for (const char* wrong : {"zone", "=b", "-"}) {
    EXPECT_EQ(Run({"host", "label", "web-1", "--", wrong}), 2) << wrong;
  }
  EXPECT_EQ(Run({"host", "label", "web-1"}), 2);
}

TEST_F(DailyTest, ReleaseVerifyNamesTheDamageAndTellsScripts) {
  for (const char* version : {"2.0.0", "1.0.0"}) {
    v1::ReleaseCheck& check = script_.checks.emplace_back();
    check.set_name("shop");
    check.set_version(version);
    check.set_digest("sha256:aaaaaaaa11111111");
    check.set_bytes_read(43831296);
  }
  EXPECT_EQ(Run({"release", "verify"}), 0);
  ExpectGolden("release_verify", output_);
  auto* damaged = script_.checks[1].add_damaged();
  damaged->set_path("backend/shop\x1b[2J");
  damaged->set_digest("sha256:bbbbbbbb22222222");
  damaged->set_problem("is missing");
  EXPECT_EQ(Run({"release", "verify"}), 30);
  ExpectGolden("release_verify_damaged", output_);
  EXPECT_EQ(Run({"release", "verify", "-o", "json"}), 30);
  ExpectGolden("release_verify_damaged.json", output_);
}

TEST_F(DailyTest, ReleaseGcSaysWhatGoesAndWhyTheRestStays) {
  std::vector<v1::CollectReleasesRequest> asked;
  v1::CollectReleasesResponse answer;
  script_.collect = [&](const v1::CollectReleasesRequest& request) {
    asked.push_back(request);
    return answer;
  };
  EXPECT_EQ(Run({"release", "gc"}), 0);
  ExpectGolden("release_gc_nothing", output_);
  for (const char* version : {"1.0.0", "1.1.0"}) {
    auto* removed = answer.add_removed();
    removed->set_name("shop");
    removed->set_version(version);
    removed->set_digest("sha256:aaaaaaaa11111111");
  }
  auto* kept = answer.add_kept();
  kept->set_name("shop");
  kept->set_version("2.0.0");
  kept->set_digest("sha256:bbbbbbbb22222222");
  kept->set_why("is on web-1\x1b[2J");
  answer.set_freed_bytes(43831296);
  EXPECT_EQ(Run({"release", "gc", "--keep", "3", "--dry-run"}), 0);
  ExpectGolden("release_gc_dry_run", output_);
  EXPECT_EQ(Run({"release", "gc"}), 0);
  ExpectGolden("release_gc", output_);
  EXPECT_EQ(Run({"release", "gc", "-o", "json"}), 0);
  ExpectGolden("release_gc.json", output_);
  EXPECT_EQ(Run({"release", "gc", "--keep", "0"}), 2);
  EXPECT_EQ(Run({"release", "gc", "--keep", "few"}), 2);
  ASSERT_EQ(asked.size(), 4u);
  EXPECT_EQ(asked[1].keep(), 3u);
  EXPECT_TRUE(asked[1].dry_run());
  EXPECT_EQ(asked[2].keep(), 5u);
  EXPECT_FALSE(asked[2].dry_run());
}

TEST_F(DailyTest, ConfigViewSaysWhereEachWordComesFrom) {
  EXPECT_EQ(Run({"config", "view", "--controller", "deploy.example.net:7443", "--columns",
                 "value,origin", "--no-headers"}),
            0);
  EXPECT_THAT(output_, ContainsRegex("deploy.example.net:7443 +--controller\n"));
  EXPECT_THAT(output_, HasSubstr(dir_ + "/controller/operators/tester/config.yaml"));
  EXPECT_EQ(Run({"config", "view"}), 0);
  EXPECT_THAT(output_, Not(HasSubstr("SLIPWAY_CONTROLLER")));
  EXPECT_EQ(Run({"config", "view", "--origin"}), 0);
  EXPECT_THAT(output_, HasSubstr("SLIPWAY_CONTROLLER"));
  EXPECT_EQ(Run({"config", "view", "-o", "json"}), 0);
  EXPECT_THAT(output_, HasSubstr("\"origin\": \"SLIPWAY_CONTROLLER\""));
  Program without({"config", "view"}, {});
  EXPECT_EQ(without.Wait(), 4);
}

TEST_F(DailyTest, ManualPagesComeFromTheTable) {
  EXPECT_EQ(Run({"gen", "man", "fleet", "drift"}), 0);
  ExpectGolden("man_fleet_drift", output_);
  EXPECT_EQ(Run({"gen", "man"}), 0);
  EXPECT_THAT(output_, HasSubstr("host retire"));
  EXPECT_EQ(Run({"gen", "man", "nonsense"}), 2);
}

TEST_F(DailyTest, SchemaIsThatOfTheLanguage) {
  EXPECT_EQ(Run({"plan", "schema"}), 0);
  for (const char* part : {"json-schema.org/draft/2020-12/schema", "\"preflight\"", "\"canary\"",
                           "\"additionalProperties\": false"}) {
    EXPECT_THAT(output_, HasSubstr(part));
  }
  EXPECT_THAT(output_, Not(HasSubstr("\"notify\""))) << "nothing serves it yet";
}

}  // namespace
}  // namespace slipway::cli
