#include "controller/metrics/process_gauges.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include "common/version.h"
#include "controller/metrics/gauge_list.h"

namespace slipway::controller {
namespace {

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// Without that by which they are counted, and "." and "..".
double OpenFiles() {
  DIR* const folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  int count = -3;
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count;
}

}  // namespace

std::vector<prometheus::MetricFamily> ProcessGauges::Collect() const {
  GaugeList list;
  list.Begin("slipway_build_info", "1; the version is in the label.");
  list.Value({{"version", std::string(Version())}}, 1);
  list.Add("process_start_time_seconds", "When the process started, in seconds since 1970.",
           absl::ToDoubleSeconds(started_ - absl::UnixEpoch()));
  rusage used = {};
  ::getrusage(RUSAGE_SELF, &used);
  list.Begin("process_cpu_seconds_total", "Processor time of the process.",
             prometheus::MetricType::Counter);
  list.Value({}, Seconds(used.ru_utime) + Seconds(used.ru_stime));
  std::ifstream statm("/proc/self/statm");
  double size = 0, resident = 0;
  statm >> size >> resident;
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  list.Add("process_resident_memory_bytes", "Memory that is not paged out.", resident * page);
  list.Add("process_open_fds", "Open files and connections.", OpenFiles());
  rlimit limit = {};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  list.Add("process_max_fds", "How many may be open.", static_cast<double>(limit.rlim_cur));
  return list.Take();
}

}  // namespace slipway::controller
