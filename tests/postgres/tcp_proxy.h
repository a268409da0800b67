// A way to a server on loopback that can be cut at any byte.
#pragma once

#include <cstddef>
#include <list>
#include <thread>

#include "common/mutex.h"

namespace slipway::test {

// Thread-safe. Everything passes until something else is asked for.
class TcpProxy {
 public:
  explicit TcpProxy(int to_port);
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  int port() const { return port_; }

  // The next piece of at least `request` bytes from a client goes to the server; of what the server
  // then says the client gets `answer` bytes, and both find the connection closed.
  void CutAnswer(std::size_t request, std::size_t answer);
  // The server gets only `part` bytes of that piece.
  void CutRequest(std::size_t request, std::size_t part);
  // True once what was asked for last has happened.
  bool HasCut() const;
  // Ends all connections, and ends new ones at once until Open.
  void Close();
  void Open();

 private:
  struct Link;
  struct Order {
    std::size_t request = 0;  // 0: nothing was asked for
    std::size_t part = 0;
    bool of_answer = false;
  };

  void Accept();
  void Carry(Link& link);
  // False: the connection is over.
  bool ToServer(Link& link);
  bool ToClient(Link& link);
  void Done();

  const int to_port_;
  int listener_ = -1;
  int port_ = 0;
  mutable Mutex mu_;
  Order order_ ABSL_GUARDED_BY(mu_);
  bool has_cut_ ABSL_GUARDED_BY(mu_) = false;
  bool open_ ABSL_GUARDED_BY(mu_) = true;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::list<Link> links_;  // of the accepting thread
  std::thread thread_;
};

}  // namespace slipway::test
