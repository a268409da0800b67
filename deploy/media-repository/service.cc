#include "deploy/media-repository/service.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <ctime>
#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "deploy/media-repository/drainable_server.h"
#include "deploy/media-repository/http_api.h"
#include "deploy/media-repository/log.h"

namespace media {
namespace {

// Far beyond the 10 s after which a silent upload is given up.
constexpr int kStaleUploadSeconds = 600;

// Between the 503 of /health and the closed port, for load balancers that ask before they send.
constexpr std::chrono::milliseconds kNotice(250);

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

// True when a stop signal came within `limit`; 0 waits for ever.
bool StopSignalWithin(std::chrono::milliseconds limit) {
  const sigset_t signals = StopSignals();
  const timespec timeout = {.tv_sec = static_cast<std::time_t>(limit.count() / 1000),
                            .tv_nsec = static_cast<long>(limit.count() % 1000 * 1'000'000)};
  int signal = 0;
  do {
    signal = limit.count() == 0 ? sigwaitinfo(&signals, nullptr)
                                : sigtimedwait(&signals, nullptr, &timeout);
  } while (signal < 0 && errno == EINTR);
  return signal > 0;
}

}  // namespace

Service::Service(Config config, const Release& release)
    : config_(std::move(config)), release_(release) {}

Service::~Service() = default;

void Service::BlockStopSignals() {
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

absl::Status Service::OpenStores() {
  absl::StatusOr<std::unique_ptr<BlobStore>> blobs = BlobStore::Open(config_.media);
  if (!blobs.ok()) return blobs.status();
  blobs_ = *std::move(blobs);
  absl::StatusOr<std::unique_ptr<Catalog>> catalog = Catalog::Open(config_.database);
  if (!catalog.ok()) return catalog.status();
  catalog_ = *std::move(catalog);
  const int swept = blobs_->Sweep(kStaleUploadSeconds, [this](const std::string& id) {
    const auto found = catalog_->Find({Kind::image, Kind::video}, id);
    return !found.ok() || found->has_value();  // In doubt it is known.
  });
  if (swept > 0) Log(absl::StrCat("swept ", swept, " unfinished uploads"));
  return absl::OkStatus();
}

absl::Status Service::OpenThumbnailIndex() const {
  const std::string path = absl::StrCat(config_.media, "/thumbnails/index");
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
  close(fd);
  return absl::OkStatus();
}

absl::Status Service::Health() const {
  if (draining_) return absl::UnavailableError("stopping");
  return release_.fault == Fault::never_healthy ? OpenThumbnailIndex() : absl::OkStatus();
}

int Service::Run() {
  absl::Status ready = OpenStores();
  if (release_.fault == Fault::dies_at_start) ready.Update(OpenThumbnailIndex());
  DrainableServer server;
  if (ready.ok()) ready = server.Bind(config_.host, config_.port);
  if (!ready.ok()) {
    LogFatal(ready.message());
    return 1;
  }
  HttpApi api(config_, release_, *catalog_, *blobs_, [this] { return Health(); });
  api.Serve(server);
  const std::future<void> served = std::async(std::launch::async, [&server] { server.Serve(); });
  Log(absl::StrCat("media-repository ", release_.version, " listening on ", config_.host, ":",
                   server.port()));
  const absl::Status stopped = WaitForStop();
  if (!stopped.ok()) {
    LogFatal(stopped.message());
    _exit(1);  // as a crash would: no drain, no answer
  }
  const int exit_status = Drain(server, served);
  if (exit_status != 0) _exit(exit_status);  // a thread still holds a request
  return exit_status;
}

absl::Status Service::WaitForStop() {
  const absl::Status thumbnails =
      release_.fault == Fault::none ? absl::OkStatus() : OpenThumbnailIndex();
  switch (release_.fault) {
    case Fault::dies_after_2s:
      if (StopSignalWithin(std::chrono::seconds(2))) return absl::OkStatus();
      if (!thumbnails.ok()) {
        return absl::InternalError(absl::StrCat("thumbnail worker: ", thumbnails.message()));
      }
      break;
    case Fault::never_healthy:
      if (!thumbnails.ok()) Log(absl::StrCat("not healthy: ", thumbnails.message()));
      break;
    case Fault::logs_fatal:
      if (!thumbnails.ok()) LogFatal(absl::StrCat("thumbnail worker: ", thumbnails.message()));
      break;
    case Fault::ignores_term:
      while (StopSignalWithin(std::chrono::seconds(0))) {
        Log("SIGTERM: not stopping, the thumbnail queue is not empty");
      }
      break;
    case Fault::none:
    case Fault::dies_at_start:
      break;
  }
  StopSignalWithin(std::chrono::seconds(0));
  return absl::OkStatus();
}

int Service::Drain(DrainableServer& server, const std::future<void>& served) {
  Log("stopping: draining");
  draining_ = true;
  server.StartDrain();
  // A second signal ends the notice early.
  StopSignalWithin(kNotice);
  server.StopListening();
  if (served.wait_for(std::chrono::seconds(config_.drain_seconds)) != std::future_status::ready) {
    Log(absl::StrCat("ERROR stopped with requests under way after ", config_.drain_seconds, " s"));
    return 1;
  }
  Log("stopped");
  return 0;
}

}  // namespace media
