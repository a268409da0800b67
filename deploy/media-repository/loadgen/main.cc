// media-load --url http://HOST:PORT --summary FILE [--rate N] [--users N] [--timeout-ms N]
//            [--seconds N]
//
// Sends requests to the media repository until SIGTERM, SIGINT or --seconds. FILE is replaced every
// 250 ms. Exit status: 0 no request failed, 1 some did, 2 wrong usage or FILE cannot be written.

#include <signal.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <map>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "deploy/media-repository/loadgen/load.h"
#include "deploy/media-repository/loadgen/tally.h"

namespace {

constexpr int kUsageExit = 2;
constexpr long kSummaryNanos = 250'000'000;

struct Arguments {
  media::load::LoadOptions load;
  std::string summary;
  double seconds = 0;  // 0: until a signal
};

std::optional<Arguments> Parse(int argc, char** argv) {
  std::map<std::string, std::string> values = {
      {"--url", ""},     {"--summary", ""},         {"--rate", "20"},
      {"--users", "16"}, {"--timeout-ms", "10000"}, {"--seconds", "0"}};
  for (int i = 1; i < argc; i += 2) {
    const auto value = values.find(argv[i]);
    if (value == values.end() || i + 1 == argc) return std::nullopt;
    value->second = argv[i + 1];
  }
  Arguments arguments;
  int timeout_ms = 0;
  const bool numbers = absl::SimpleAtod(values["--rate"], &arguments.load.rate) &&
                       absl::SimpleAtoi(values["--users"], &arguments.load.users) &&
                       absl::SimpleAtoi(values["--timeout-ms"], &timeout_ms) &&
                       absl::SimpleAtod(values["--seconds"], &arguments.seconds);
  arguments.load.base_url = values["--url"];
  arguments.load.timeout = std::chrono::milliseconds(timeout_ms);
  arguments.summary = values["--summary"];
  const bool sound = numbers && arguments.load.rate > 0 && arguments.load.rate <= 100'000 &&
                     arguments.load.users > 0 && arguments.load.users <= 1000 && timeout_ms > 0 &&
                     arguments.seconds >= 0 && !arguments.summary.empty() &&
                     absl::StartsWith(arguments.load.base_url, "http://");
  return sound ? std::optional(arguments) : std::nullopt;
}

// Writes the summary again and again until it is time to stop. False: it cannot be written.
bool Watch(const Arguments& arguments, const media::load::Tally& tally, const sigset_t& stop) {
  const auto write = [&] {
    const absl::Status written =
        media::load::WriteWhole(arguments.summary, tally.ToJson(/*running=*/true));
    if (!written.ok()) std::fprintf(stderr, "media-load: %s\n", written.ToString().c_str());
    return written.ok();
  };
  const auto start = std::chrono::steady_clock::now();
  const timespec pause = {.tv_sec = 0, .tv_nsec = kSummaryNanos};
  while (write()) {
    if (sigtimedwait(&stop, nullptr, &pause) > 0) return true;
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    if (arguments.seconds > 0 && elapsed.count() >= arguments.seconds) return true;
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  const std::optional<Arguments> arguments = Parse(argc, argv);
  if (!arguments.has_value()) {
    std::fputs(
        "usage: media-load --url http://HOST:PORT --summary FILE [--rate N] [--users N]\n"
        "                  [--timeout-ms N] [--seconds N]\n",
        stderr);
    return kUsageExit;
  }
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  signal(SIGPIPE, SIG_IGN);

  media::load::Tally tally;
  media::load::Load load(arguments->load, tally);
  bool written = Watch(*arguments, tally, stop);
  load.Stop();
  written =
      media::load::WriteWhole(arguments->summary, tally.ToJson(/*running=*/false)).ok() && written;
  if (!written) return kUsageExit;
  return tally.failed() == 0 ? 0 : 1;
}
