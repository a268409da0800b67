// A service that behaves as its arguments say, for tests of whoever runs services.
//
//   --port N          listens there and answers each request with 200 and `--version`
//   --version TEXT    what the answers say
//   --say TEXT        its first line of log
//   --ignore-term     lives on after a TERM
//   --die-after MS    logs "FATAL out of luck" and exits with status 3
//   --daemonize       forks twice and leaves its session; the first process exits with status 0
//   --leave-socket    has a child that holds the listening socket and ignores a TERM
//   --child           keeps a second process in a session of its own
//   --status N        answers with that instead of 200
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <map>
#include <string>

namespace {

int Listen(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(fd, 8) != 0) {
    printf("FATAL cannot listen on %d\n", port);
    exit(4);
  }
  return fd;
}

void Answer(int listener, const std::string& status, const std::string& version) {
  const int fd = accept(listener, nullptr, nullptr);
  if (fd < 0) return;
  char request[4096];
  if (read(fd, request, sizeof request) > 0) {
    const std::string body = "{\"version\": \"" + version + "\"}";
    const std::string answer =
        "HTTP/1.1 " + status +
        " X\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
        body;
    [[maybe_unused]] const ssize_t n = write(fd, answer.data(), answer.size());
  }
  close(fd);
}

void Daemonize() {
  if (fork() != 0) exit(0);
  setsid();
  if (fork() != 0) exit(0);
}

void DieAfter(int ms) {
  signal(SIGALRM, [](int) {
    constexpr char kLastWords[] = "FATAL out of luck\n";
    [[maybe_unused]] const ssize_t n = write(1, kLastWords, sizeof kLastWords - 1);
    _exit(3);
  });
  const itimerval once{{0, 0}, {ms / 1000, ms % 1000 * 1000 + 1}};
  setitimer(ITIMER_REAL, &once, nullptr);
}

void KeepChild() {
  if (fork() != 0) return;
  setsid();
  while (true) pause();
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> options;
  for (int i = 1; i < argc; ++i) {
    const std::string key = argv[i];
    const bool flag = key == "--ignore-term" || key == "--daemonize" || key == "--child" ||
                      key == "--leave-socket";
    options[key] = flag || i + 1 == argc ? "yes" : argv[++i];
  }
  setlinebuf(stdout);
  signal(SIGPIPE, SIG_IGN);
  if (options.count("--daemonize")) Daemonize();
  if (options.count("--ignore-term")) signal(SIGTERM, SIG_IGN);
  if (options.count("--child")) KeepChild();
  const int listener = options.count("--port") ? Listen(atoi(options["--port"].c_str())) : -1;
  if (options.count("--leave-socket") && fork() == 0) {
    signal(SIGTERM, SIG_IGN);
    while (true) pause();
  }
  printf("%s\n", options.count("--say") ? options["--say"].c_str() : "listening");

  if (options.count("--die-after")) DieAfter(atoi(options["--die-after"].c_str()));
  const std::string status = options.count("--status") ? options["--status"] : "200";
  pollfd entry{listener, POLLIN, 0};
  while (true) {
    if (poll(&entry, 1, -1) > 0) Answer(listener, status, options["--version"]);
  }
}
