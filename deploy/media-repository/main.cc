// media-repository --config FILE [--port N] | --version

#include <cstdio>
#include <optional>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "deploy/media-repository/config.h"
#include "deploy/media-repository/log.h"
#include "deploy/media-repository/release.h"
#include "deploy/media-repository/service.h"

namespace {

constexpr int kUsageExit = 2;

struct Arguments {
  std::string config;
  std::optional<int> port;
  bool version = false;
};

std::optional<Arguments> Parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--version") {
      arguments.version = true;
      continue;
    }
    if (i + 1 == argc) return std::nullopt;
    const std::string value = argv[++i];
    int port = 0;
    if (name == "--config") {
      arguments.config = value;
    } else if (name == "--port" && absl::SimpleAtoi(value, &port) && port >= 0 && port <= 65535) {
      arguments.port = port;
    } else {
      return std::nullopt;
    }
  }
  if (arguments.config.empty() && !arguments.version) return std::nullopt;
  return arguments;
}

}  // namespace

int main(int argc, char** argv) {
  const std::optional<Arguments> arguments = Parse(argc, argv);
  if (!arguments.has_value()) {
    std::fputs("usage: media-repository --config FILE [--port N] | --version\n", stderr);
    return kUsageExit;
  }
  if (arguments->version) {
    std::puts(absl::StrCat("media-repository ", media::kRelease.version).c_str());
    return 0;
  }
  absl::StatusOr<media::Config> config =
      media::LoadConfig(arguments->config, media::kRelease.unified_api);
  if (!config.ok()) {
    media::LogFatal(config.status().message());
    return 1;
  }
  if (arguments->port.has_value()) config->port = *arguments->port;
  media::Service::BlockStopSignals();
  return media::Service(*std::move(config), media::kRelease).Run();
}
