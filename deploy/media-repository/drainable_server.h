// httplib's server with a stop that cuts off nobody.
#pragma once

#include <httplib.h>

#include <atomic>
#include <string>

#include "absl/status/status.h"

namespace media {

// What httplib's own connection loop lacks: a kept-alive connection that is idle is closed at once
// when the drain ends (httplib waits for its time limit, polling a hundred times a second), one
// in the middle of a request gets its answer, and a request whose body was not read ends its
// connection instead of being taken for the next request.
//
// Life: Bind, then Serve on a thread of its own; StartDrain; StopListening; Serve returns when the
// last request has been answered. All but Bind may be called from any thread.
class DrainableServer : public httplib::Server {
 public:
  DrainableServer();
  ~DrainableServer() override;

  // Listens on `host`:`port` (0: a free port) and returns the port; connections queue up from now
  // on. Two processes on one port are refused.
  // Errors: UNAVAILABLE with the reason.
  absl::Status Bind(const std::string& host, int port);
  int port() const { return port_; }

  // Answers requests until StopListening, then finishes those under way.
  void Serve();

  // From now on each answer ends its connection.
  void StartDrain() { draining_ = true; }
  bool draining() const { return draining_; }

  // Refuses new connections and closes the idle ones. Requests under way go on until the last byte
  // of their answers.
  void StopListening();

  // To be called by a handler: whether the connection goes on after this answer. Ends it by
  // default when a request has a body, until the handler has read the whole body.
  static void KeepConnection(bool keep);

 private:
  bool process_and_close_socket(socket_t socket) override;

  const int stopped_;               // eventfd, readable for ever once StopListening was called
  std::atomic<int> listener_ = -1;  // -1 again once StopListening was called
  int port_ = 0;
  std::atomic<bool> draining_ = false;
};

}  // namespace media
