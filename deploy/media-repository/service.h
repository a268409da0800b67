// The life of one instance, from its start to its exit status.
#pragma once

#include <atomic>
#include <future>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "deploy/media-repository/blob_store.h"
#include "deploy/media-repository/catalog.h"
#include "deploy/media-repository/config.h"
#include "deploy/media-repository/release.h"

namespace media {

class DrainableServer;

// Start: open the stores, listen, log `listening on HOST:PORT`. SIGTERM or SIGINT: /health turns
// to 503 and each answer ends its connection; a moment later no connection is taken any more;
// requests under way have `drain_seconds` to end.
class Service {
 public:
  // `release` must outlive the service.
  Service(Config config, const Release& release);
  ~Service();

  // Runs until a signal. SIGTERM and SIGINT must be blocked in every thread (BlockStopSignals).
  // Returns the exit status: 0 after a complete drain, 1 after a FATAL line or a cut-off request.
  int Run();

  // To be called before any thread is started.
  static void BlockStopSignals();

 private:
  absl::Status OpenStores();
  absl::Status Health() const;
  // Opens the thumbnail index, which 2.1 brings along; see Fault.
  absl::Status OpenThumbnailIndex() const;

  // Returns when the instance should stop; OK, or why it cannot go on.
  absl::Status WaitForStop();
  // `served` becomes ready when the server has answered its last request.
  int Drain(DrainableServer& server, const std::future<void>& served);

  const Config config_;
  const Release& release_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<BlobStore> blobs_;
  std::atomic<bool> draining_ = false;
};

}  // namespace media
