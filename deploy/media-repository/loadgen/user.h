// Users of the media repository: what they ask for, and what they accept as an answer.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "deploy/media-repository/loadgen/tally.h"

namespace httplib {
class Client;
}  // namespace httplib

namespace media::load {

// What has been uploaded in this run and may be fetched. Thread-safe.
class Uploads {
 public:
  struct Upload {
    std::string content_path;  // "/api/images/ID/content"
    std::string sha256;
  };

  void Add(Upload upload);

  // The one that `number` falls on; empty while there is none.
  std::optional<Upload> Pick(std::uint64_t number) const;

 private:
  static constexpr std::size_t kKept = 512;

  mutable std::mutex mutex_;  // over all below
  std::vector<Upload> uploads_;
  std::size_t next_ = 0;  // replaced next, once kKept are there
};

// One kept-alive connection. Not thread-safe.
class User {
 public:
  // `base_url` is `http://HOST:PORT`; `run` makes idempotency keys unique; `uploads`, which all
  // users of a run share, must outlive the user.
  User(const std::string& base_url, std::string run, std::chrono::milliseconds timeout,
       Uploads& uploads);
  ~User();

  // Sends the request with this number, once: of ten, four list, four fetch what was uploaded
  // before and compare it byte by byte, two upload. Sets all but `latency`.
  Outcome Send(std::uint64_t number);

 private:
  Outcome List(std::uint64_t number);
  Outcome Fetch(const Uploads::Upload& upload);
  Outcome Upload(std::uint64_t number);

  const std::string run_;
  Uploads& uploads_;
  std::unique_ptr<httplib::Client> client_;
};

}  // namespace media::load
