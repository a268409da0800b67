// slipway-controller: init, operator add, run.
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/clock.h"
#include "common/flags.h"
#include "common/status_macros.h"
#include "controller/config.h"
#include "controller/setup.h"

namespace slipway::controller {
namespace {

constexpr char kUsage[] =
    "usage: slipway-controller init --dir DIR --name HOST... [--operator NAME] [--listen-... "
    "ADDR]\n"
    "       slipway-controller operator add NAME --dir DIR\n"
    "       slipway-controller run --dir DIR [--listen-operators ADDR] [--listen-agents ADDR]\n"
    "                              [--listen-enrolment ADDR]\n";

void Overrule(Config& config, const CommandLine& line) {
  config.listen_operators = line.Get("listen-operators", config.listen_operators);
  config.listen_agents = line.Get("listen-agents", config.listen_agents);
  config.listen_enrolment = line.Get("listen-enrolment", config.listen_enrolment);
}

absl::Status Init(const std::string& dir, const CommandLine& line) {
  Config config;
  config.dir = dir;
  if (line.Has("name")) config.hosts = line.All("name");
  Overrule(config, line);
  const std::string person = line.Get("operator", "admin");
  SLIPWAY_RETURN_IF_ERROR(Initialise(config, person, SystemClock().Now()));
  std::printf("controller  %s\noperator    %s/operators/%s/config.yaml\n", dir.c_str(), dir.c_str(),
              person.c_str());
  return absl::OkStatus();
}

absl::Status Execute(const CommandLine& line) {
  const auto& words = line.words;
  const std::string dir = line.Get("dir");
  if (words.empty() || dir.empty()) return absl::InvalidArgumentError(kUsage);
  if (words[0] == "init" && words.size() == 1) return Init(dir, line);
  SLIPWAY_ASSIGN_OR_RETURN(Config config, ReadConfig(dir));
  Overrule(config, line);
  if (words[0] == "operator" && words.size() == 3 && words[1] == "add") {
    SLIPWAY_ASSIGN_OR_RETURN(const std::string folder,
                             AddOperator(config, words[2], SystemClock().Now()));
    std::printf("operator    %s/config.yaml\n", folder.c_str());
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(kUsage);
}

int Main(const std::vector<std::string>& arguments) {
  if (arguments.size() == 1 && arguments[0] == "--version") {
    std::puts("slipway-controller 0.1.0");
    return 0;
  }
  const auto line = ParseCommandLine(
      arguments,
      {"dir", "name", "operator", "listen-operators", "listen-agents", "listen-enrolment"}, {});
  const absl::Status status = line.ok() ? Execute(*line) : line.status();
  if (status.ok()) return 0;
  std::fprintf(stderr, "slipway-controller: %s\n", std::string(status.message()).c_str());
  return absl::IsInvalidArgument(status) ? 2 : 1;
}

}  // namespace
}  // namespace slipway::controller

int main(int argc, char** argv) {
  return slipway::controller::Main(std::vector<std::string>(argv + 1, argv + argc));
}
