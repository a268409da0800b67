#include "agent/host_facts.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "common/status_macros.h"
#include "common/tls/pem_file.h"
#include "slipway/v1/agent_session.pb.h"

namespace slipway::agent {
namespace {

// PRETTY_NAME of /etc/os-release.
std::string OperatingSystem() {
  const auto text = tls::ReadFile("/etc/os-release");
  if (!text.ok()) return "";
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(*text, '\n'))) {
    constexpr char kKey[] = "PRETTY_NAME=";
    if (line.rfind(kKey, 0) != 0) continue;
    std::string value = line.substr(sizeof kKey - 1);
    if (value.size() >= 2 && value.front() == '"') value = value.substr(1, value.size() - 2);
    return value;
  }
  return "";
}

void AddAddresses(v1::Facts& facts) {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || (one->ifa_flags & IFF_LOOPBACK) != 0) continue;
    char text[INET6_ADDRSTRLEN] = {};
    const int family = one->ifa_addr->sa_family;
    const void* address = nullptr;
    if (family == AF_INET) address = &reinterpret_cast<sockaddr_in*>(one->ifa_addr)->sin_addr;
    if (family == AF_INET6) address = &reinterpret_cast<sockaddr_in6*>(one->ifa_addr)->sin6_addr;
    if (address == nullptr || ::inet_ntop(family, address, text, sizeof text) == nullptr) continue;
    facts.add_addresses(text);
  }
  ::freeifaddrs(all);
}

}  // namespace

void FillFacts(v1::Facts& facts) {
  facts.set_os(OperatingSystem());
  utsname name = {};
  if (::uname(&name) == 0) {
    facts.set_kernel(name.release);
    facts.set_arch(name.machine);
  }
  facts.set_cpus(static_cast<std::uint32_t>(::get_nprocs()));
  facts.set_memory_bytes(static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                         static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
  AddAddresses(facts);
}

std::uint64_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t size = 0, resident = 0;
  if (!(file >> size >> resident)) return 0;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

absl::StatusOr<std::string> BootId() {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string text,
                           tls::ReadFile("/proc/sys/kernel/random/boot_id"));
  return std::string(absl::StripAsciiWhitespace(text));
}

}  // namespace slipway::agent
