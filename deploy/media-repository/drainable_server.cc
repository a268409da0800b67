#include "deploy/media-repository/drainable_server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace media {
namespace {

// A connection holds a thread, idle ones too: this many can be open at a time.
constexpr std::size_t kThreads = 32;
constexpr int kBacklog = 256;
constexpr int kIdleSeconds = 5;
constexpr int kRequestsPerConnectionMax = 10'000;
constexpr int kStallMillis = 10'000;  // a peer that moves no byte for so long is given up
constexpr std::size_t kFlushBytes = 128 * 1024;
constexpr std::chrono::seconds kLinger(3);

// Each connection is served by one thread from accept to close.
thread_local bool keep_connection = true;

bool WaitFor(int fd, short events, int millis) {
  pollfd wanted = {.fd = fd, .events = events, .revents = 0};
  int ready = 0;
  do {
    ready = poll(&wanted, 1, millis);
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

// Buffered stream over a connected socket that lives as long as the connection: bytes of a
// pipelined request stay in the buffer. A small answer leaves in one piece, so that a process that
// dies has sent all of it or nothing, and a proxy can ask another instance.
class SocketStream final : public httplib::Stream {
 public:
  explicit SocketStream(int fd) : fd_(fd) {}

  bool has_buffered() const { return begin_ < end_; }

  bool is_readable() const override { return has_buffered() || WaitFor(fd_, POLLIN, kStallMillis); }
  bool is_writable() const override { return true; }  // Flush finds out

  ssize_t read(char* to, size_t size) override {
    if (!has_buffered()) {
      // The peer may wait for `100 Continue` before it sends more.
      if (!Flush() || !is_readable()) return -1;
      // A large read goes straight to its place.
      if (size >= buffer_.size()) return Receive(to, size);
      const ssize_t got = Receive(buffer_.data(), buffer_.size());
      if (got <= 0) return got;
      begin_ = 0;
      end_ = static_cast<std::size_t>(got);
    }
    const std::size_t count = std::min(size, end_ - begin_);
    std::memcpy(to, buffer_.data() + begin_, count);
    begin_ += count;
    return static_cast<ssize_t>(count);
  }

  ssize_t write(const char* from, size_t size) override {
    out_.append(from, size);
    if (out_.size() >= kFlushBytes && !Flush()) return -1;
    return static_cast<ssize_t>(size);
  }

  // Sends what was written. False: the peer is gone or takes nothing any more.
  bool Flush() {
    absl::string_view rest = out_;
    while (!rest.empty()) {
      if (!WaitFor(fd_, POLLOUT, kStallMillis)) break;
      const ssize_t sent = send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno != EINTR && errno != EAGAIN) break;
      if (sent > 0) rest.remove_prefix(sent);
    }
    const bool whole = rest.empty();
    out_.clear();
    return whole;
  }

  void get_remote_ip_and_port(std::string& ip, int& port) const override { Clear(ip, port); }
  void get_local_ip_and_port(std::string& ip, int& port) const override { Clear(ip, port); }
  socket_t socket() const override { return fd_; }

 private:
  // Nobody asks who is calling: the service stands behind a proxy.
  static void Clear(std::string& ip, int& port) {
    ip.clear();
    port = 0;
  }

  ssize_t Receive(char* to, std::size_t size) const {
    ssize_t got = 0;
    do {
      got = recv(fd_, to, size, 0);
    } while (got < 0 && errno == EINTR);
    return got;
  }

  const int fd_;
  std::string out_;
  std::array<char, 16 * 1024> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

// True when a request begins; false when the peer is gone, idle for too long, or `stopped`.
bool NextRequest(const SocketStream& stream, int stopped) {
  if (stream.has_buffered()) return true;
  std::array<pollfd, 2> wanted = {{{stream.socket(), POLLIN, 0}, {stopped, POLLIN, 0}}};
  int ready = 0;
  do {
    ready = poll(wanted.data(), wanted.size(), kIdleSeconds * 1000);
  } while (ready < 0 && errno == EINTR);
  return ready > 0 && wanted[0].revents != 0;
}

// Closes so that the peer still gets the last answer: with unread bytes in the socket a plain close
// would reset the connection and might destroy it.
void LingerAndClose(int fd) {
  using std::chrono::steady_clock;
  shutdown(fd, SHUT_WR);
  std::array<char, 16 * 1024> discarded;
  const auto give_up_at = steady_clock::now() + kLinger;
  while (steady_clock::now() < give_up_at && WaitFor(fd, POLLIN, 1000) &&
         recv(fd, discarded.data(), discarded.size(), 0) > 0) {
  }
  close(fd);
}

}  // namespace

DrainableServer::DrainableServer() : stopped_(eventfd(0, EFD_CLOEXEC)) {
  new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  // Only SO_REUSEADDR. httplib's default, SO_REUSEPORT, would let two instances share a port.
  set_socket_options([this](socket_t socket) {
    const int on = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    listener_ = socket;
  });
  set_tcp_nodelay(true);
  set_keep_alive_timeout(kIdleSeconds);  // what clients are told; NextRequest keeps to it
  set_keep_alive_max_count(kRequestsPerConnectionMax);
  set_post_routing_handler([this](const httplib::Request&, httplib::Response& response) {
    if (draining_) keep_connection = false;
    if (!keep_connection) response.set_header("Connection", "close");
  });
}

DrainableServer::~DrainableServer() {
  close(stopped_);
}

absl::Status DrainableServer::Bind(const std::string& host, int port) {
  errno = 0;
  port_ = port == 0 ? bind_to_any_port(host) : (bind_to_port(host, port) ? port : -1);
  if (port_ < 0) {
    const std::string reason = errno != 0 ? std::strerror(errno) : "not an address of this host";
    return absl::UnavailableError(absl::StrCat("cannot listen on ", host, ":", port, ": ", reason));
  }
  // httplib asks for a backlog of 5, which a burst of connections overflows.
  ::listen(listener_, kBacklog);
  return absl::OkStatus();
}

void DrainableServer::Serve() {
  listen_after_bind();
}

void DrainableServer::StopListening() {
  draining_ = true;
  const int listener = listener_.exchange(-1);
  if (listener < 0) return;
  // Ends httplib's loop: its accept fails, and it closes the socket. Not by stop(), which does
  // nothing before the loop has begun; and svr_sock_ must stay as it is, because httplib breaks off
  // every content that is being sent once it is INVALID_SOCKET.
  shutdown(listener, SHUT_RDWR);
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(stopped_, &one, sizeof(one));
}

void DrainableServer::KeepConnection(bool keep) {
  keep_connection = keep;
}

bool DrainableServer::process_and_close_socket(socket_t socket) {
  SocketStream stream(socket);
  // Headers are looked at here, before any handler: a Range is left to the handler, which knows
  // the size (httplib would read beyond the end of a short file).
  const auto prepare = [](httplib::Request& request) {
    request.ranges.clear();
    keep_connection = !request.has_header("Transfer-Encoding") &&
                      (!request.has_header("Content-Length") ||
                       request.get_header_value("Content-Length") == "0");
  };
  bool answered = true;
  bool last = false;
  keep_connection = true;
  for (int left = kRequestsPerConnectionMax; !last && NextRequest(stream, stopped_); --left) {
    bool peer_closes = false;
    answered = process_request(stream, left == 1, peer_closes, prepare);
    answered = stream.Flush() && answered;
    last = left == 1 || !answered || peer_closes || !keep_connection;
  }
  if (keep_connection) {
    close(socket);
  } else {
    LingerAndClose(socket);
  }
  return answered;
}

}  // namespace media
