// Sends the output of commands to whoever asked for it, as fast as the session takes it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <thread>

#include "agent/state/output_spool.h"
#include "common/clock.h"
#include "common/mutex.h"

namespace slipway::v1 {
class OutputChunk;
}

namespace slipway::agent {

// Thread-safe.
class OutputSender {
 public:
  struct Ports {
    const Clock& clock;
    const OutputArchive& archive;
    std::function<bool(const CommandId&)> is_running;  // more may come
    std::function<std::size_t()> waiting_bytes;        // that the session has not sent yet
    std::function<void(const v1::OutputChunk&)> send;
  };
  explicit OutputSender(Ports ports);
  ~OutputSender();

  struct Request {
    CommandId id;
    std::uint64_t offset = 0;
    bool follow = false;
    absl::Duration since = absl::ZeroDuration();  // filled in by Begin
  };
  void Begin(const std::string& request, Request what) ABSL_LOCKS_EXCLUDED(mu_);
  void Cancel(const std::string& request) ABSL_LOCKS_EXCLUDED(mu_);
  // The session is gone, and with it everyone who asked.
  void CancelAll() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mu_);
  // Sends the next piece. False: nothing moved.
  bool Step(const std::string& name, Request request) ABSL_LOCKS_EXCLUDED(mu_);
  void End(const std::string& name, const std::string& error);

  const Ports ports_;
  Mutex mu_;
  CondVar wake_;
  std::map<std::string, Request> requests_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace slipway::agent
