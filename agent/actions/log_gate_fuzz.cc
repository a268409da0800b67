// Any log, however it is cut into looks: the gate finds the words exactly when a line has them.
//
// The input: words that must come, words that must not, and the log, each ended by a NUL but for
// the log, in which a 0x01 is where the gate looks and a 0x02 stands for a kibibyte without a
// newline.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "agent/actions/log_gate.h"
#include "agent/services/fake_service_manager.h"
#include "common/manual_clock.h"

namespace {

using slipway::agent::FakeServiceManager;
using slipway::agent::LogGate;
using slipway::agent::LogPosition;
using slipway::agent::ServiceId;

constexpr std::size_t kLogBytesMax = 512 << 10;

std::string Taken(std::string_view& text) {
  const std::size_t end = std::min(text.find('\0'), text.size());
  const std::string taken(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return taken;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string good = Taken(rest), bad = Taken(rest);
  // Words are of one line, and none are no words.
  if ((good + bad).find_first_of("\n\x01\x02") != std::string::npos || bad.empty()) return 0;

  const slipway::ManualClock clock;
  FakeServiceManager services(clock);
  const ServiceId id{"/srv/app", "app"};
  LogGate gate(services, id, LogPosition{}, good, {bad});
  std::string log;
  for (const char c : rest) {
    if (log.size() > kLogBytesMax) break;
    const std::string piece = c == '\x02' ? std::string(1024, '.') : std::string(1, c);
    if (c == '\x01') {
      gate.Look();
    } else {
      services.Log(id, piece);
      log += piece;
    }
  }
  gate.Look();
  if (gate.matched() != (log.find(good) != std::string::npos)) std::abort();
  if (gate.offence().empty() != (log.find(bad) == std::string::npos)) std::abort();
  if (!gate.offence().empty() && bad.size() <= 512 &&
      gate.offence().find(bad) == std::string::npos) {
    std::abort();
  }
  if (gate.offence().size() > 1024) std::abort();
  return 0;
}
