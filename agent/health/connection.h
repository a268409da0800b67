// One TCP connection, all of it before one deadline. For probes.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/fs/unique_fd.h"

namespace slipway::agent {

// Where bytes go to and come from.
class Stream {
 public:
  virtual ~Stream() = default;

  // UNAVAILABLE: it broke, or the deadline passed; the message says why and not where.
  virtual absl::Status Send(std::string_view bytes) = 0;
  // What came next, at least one byte; "" once the peer has ended its half. Errors as for Send.
  virtual absl::StatusOr<std::string> Receive() = 0;
};

// Used by one thread at a time.
class Connection final : public Stream {
 public:
  // Tries each address of `host` (a name, or an IP address without brackets) until one accepts.
  // `deadline` is on SystemClock().Monotonic(); looking a name up may take longer, as long as the
  // host's resolver tries. UNAVAILABLE: nobody accepts; the message is the system's reason.
  static absl::StatusOr<Connection> Open(const std::string& host, const std::string& port,
                                         absl::Duration deadline);

  absl::Status Send(std::string_view bytes) override;
  absl::StatusOr<std::string> Receive() override;

 private:
  Connection(UniqueFd fd, absl::Duration deadline) : fd_(std::move(fd)), deadline_(deadline) {}

  UniqueFd fd_;
  absl::Duration deadline_;
};

}  // namespace slipway::agent
