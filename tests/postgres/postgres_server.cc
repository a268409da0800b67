#include "tests/postgres/postgres_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/tls/pem_file.h"
#include "controller/journal/postgres_schema.h"
#include "controller/journal/postgres_url.h"

namespace slipway::test {
namespace {

namespace fs = std::filesystem;
using controller::PostgresConnection;
using controller::PostgresRows;

constexpr char kPrograms[] = "/usr/lib/postgresql/15/bin/";
constexpr char kPassword[] = "not a secret";
constexpr absl::Duration kPatience = absl::Seconds(60);

// In memory where there is room: a test asks what PostgreSQL does, not how fast the disk is.
std::string FreshDir() {
  struct statvfs room = {};
  const bool roomy =
      ::statvfs("/dev/shm", &room) == 0 && room.f_bavail * room.f_frsize > (2ull << 30);
  std::string pattern = (roomy ? "/dev/shm" : testing::TempDir()) + "/slipway-pg-XXXXXX";
  EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
  return pattern;
}

// Below the ports of outgoing connections, one of which could take it while the server is down.
int FreePort() {
  static std::mt19937 random{std::random_device()()};
  for (;;) {
    const int port = std::uniform_int_distribution<int>(15'000, 31'000)(random);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    address.sin_port = ::htons(static_cast<std::uint16_t>(port));
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int bound = ::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::close(socket);
    if (bound == 0) return port;
  }
}

void Write(const std::string& path, const std::string& text, mode_t mode) {
  EXPECT_TRUE(tls::WriteFile(path, text, mode).ok()) << path;
}

controller::CallGuard& Guard() {
  static controller::CallGuard guard(SystemClock());
  return guard;
}

}  // namespace

PostgresServer::PostgresServer(int small_disk_mib)
    : dir_(FreshDir()), small_disk_mib_(small_disk_mib) {
  MakeCluster();
  Start();
  for (const std::string role : {"slipway_owner", "slipway"}) {
    const auto made = Run("postgres", "postgres",
                          absl::StrCat("CREATE ROLE ", role, " LOGIN PASSWORD '", kPassword, "'"));
    EXPECT_TRUE(made.ok()) << made.status() << Log();
  }
  if (small_disk_mib_ == 0) return;
  const auto made = Run("postgres", "postgres",
                        absl::StrCat("CREATE TABLESPACE small LOCATION '", dir_, "/small/data'"));
  EXPECT_TRUE(made.ok()) << made.status();
}

PostgresServer::~PostgresServer() {
  Kill();
  std::error_code ignored;
  fs::remove_all(dir_, ignored);
}

PostgresServer& PostgresServer::Shared() {
  static PostgresServer server;
  return server;
}

// The server refuses to run as root.
std::vector<std::string> PostgresServer::AsItself(const std::vector<std::string>& argv) const {
  std::vector<std::string> all;
  if (::geteuid() == 0) {
    all = {"/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres",
           "--clear-groups",   "--pdeathsig=KILL", "--"};
  }
  all.insert(all.end(), argv.begin(), argv.end());
  return all;
}

void PostgresServer::MakeCluster() {
  if (const passwd* user = ::getpwnam("postgres"); ::geteuid() == 0 && user != nullptr) {
    EXPECT_EQ(::chown(dir_.c_str(), user->pw_uid, user->pw_gid), 0);
  }
  // Everybody may pass: the certificates are read by the test, the data by the server.
  EXPECT_EQ(::chmod(dir_.c_str(), 0711), 0);
  Write(dir_ + "/password", kPassword, 0644);
  Write(dir_ + "/pgpass", absl::StrCat("*:*:*:*:", kPassword, "\n"), 0600);
  EXPECT_EQ(RunProgram(AsItself({absl::StrCat(kPrograms, "initdb"), "--pgdata", dir_ + "/data",
                                 "--username=postgres", "--pwfile=" + dir_ + "/password",
                                 "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8",
                                 "--no-sync", "--wal-segsize=1"}),
                       dir_ + "/log"),
            0)
      << Log();
  EXPECT_EQ(
      RunProgram(AsItself({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                           "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                           "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                           dir_ + "/data/server.key", "-out", dir_ + "/server.crt"}),
                 dir_ + "/log"),
      0)
      << Log();
}

void PostgresServer::Start() {
  const bool first = port_ == 0;
  const absl::Duration deadline = SystemClock().Monotonic() + kPatience;
  // Its remains may still hold what a new server needs, and another program the port.
  while (SystemClock().Monotonic() < deadline) {
    if (first) port_ = FreePort();
    if (TryToStart()) return;
  }
  ADD_FAILURE() << "PostgreSQL does not start\n" << Log();
}

bool PostgresServer::TryToStart() {
  std::vector<std::string> argv = {absl::StrCat(kPrograms, "postgres"), "-D", dir_ + "/data"};
  const std::string settings[] = {
      absl::StrCat("port=", port_), "listen_addresses=127.0.0.1",
      "unix_socket_directories=", "ssl=on", "ssl_cert_file=" + dir_ + "/server.crt",
      "ssl_key_file=" + dir_ + "/data/server.key", "shared_buffers=16MB",
      // In its folder, which goes with it: in /dev/shm what a killed server
      // left would stay.
      "dynamic_shared_memory_type=mmap", "max_connections=40", "max_wal_size=64MB",
      "min_wal_size=2MB"};
  for (const std::string& setting : settings) {
    argv.push_back("-c");
    argv.push_back(setting);
  }
  argv = AsItself(argv);
  if (small_disk_mib_ > 0) {
    const std::string small = dir_ + "/small";
    ::mkdir(small.c_str(), 0755);
    // Mounted in a namespace of the server's: it goes with its last process.
    argv.insert(argv.begin(),
                {"/usr/bin/unshare", "--mount", "/bin/sh", "-c",
                 absl::StrCat("mount -t tmpfs -o size=", small_disk_mib_, "m tmpfs ", small,
                              " && install -d -m 0700 -o postgres -g postgres ", small,
                              "/data && exec \"$@\""),
                 "sh"});
  }
  server_ = std::make_unique<Process>(argv, dir_ + "/log");
  const absl::Duration deadline = SystemClock().Monotonic() + kPatience;
  while (SystemClock().Monotonic() < deadline && ::kill(server_->pid(), 0) == 0) {
    if (Answers()) return true;
    if (server_->Ended()) return false;
    SystemClock().Sleep(absl::Milliseconds(20));
  }
  return false;
}

bool PostgresServer::Answers() const {
  return Run("postgres", "postgres", "SELECT 1").ok();
}

// The postmaster and its children, each of which has a session of its own.
std::vector<pid_t> PostgresServer::Processes() const {
  std::vector<pid_t> all;
  if (server_ == nullptr || server_->pid() <= 0) return all;
  all.push_back(server_->pid());
  const std::string pid = std::to_string(server_->pid());
  std::istringstream children(ContentOf("/proc/" + pid + "/task/" + pid + "/children"));
  for (pid_t child = 0; children >> child;) all.push_back(child);
  return all;
}

void PostgresServer::SignalAll(int number) const {
  for (const pid_t process : Processes()) ::kill(process, number);
}

void PostgresServer::Kill() {
  SignalAll(SIGKILL);
  server_.reset();
  frozen_ = false;
}

void PostgresServer::Freeze() {
  SignalAll(SIGSTOP);
  frozen_ = true;
}

void PostgresServer::Thaw() {
  SignalAll(SIGCONT);
  frozen_ = false;
}

std::string PostgresServer::EmptyDatabase(const std::string& where) {
  const std::string name = absl::StrCat("test", ++databases_);
  const auto made = Run("postgres", "postgres",
                        absl::StrCat("CREATE DATABASE ", name, " OWNER slipway_owner",
                                     where.empty() ? "" : " TABLESPACE " + where));
  EXPECT_TRUE(made.ok()) << made.status();
  return name;
}

std::string PostgresServer::NewDatabase(const std::string& where) {
  const std::string name = EmptyDatabase(where);
  const auto url = controller::ParsePostgresUrl(Url("slipway_owner", name));
  auto owner = PostgresConnection::Open({url->conninfo, ""}, {}, Guard());
  EXPECT_TRUE(owner.ok()) << owner.status();
  if (!owner.ok()) return name;
  const absl::Status prepared = controller::PreparePostgres(**owner, "slipway");
  EXPECT_TRUE(prepared.ok()) << prepared;
  return name;
}

void PostgresServer::DropDatabase(const std::string& name) {
  const auto dropped = Run("postgres", "postgres", "DROP DATABASE " + name + " WITH (FORCE)");
  EXPECT_TRUE(dropped.ok()) << dropped.status();
}

void PostgresServer::FillSmallDisk(long left) {
  const std::string small = absl::StrCat("/proc/", server_->pid(), "/root", dir_, "/small");
  const std::string ballast = small + "/ballast";
  if (left < 0) {
    ::unlink(ballast.c_str());
    return;
  }
  struct statvfs room = {};
  ASSERT_EQ(::statvfs(small.c_str(), &room), 0);
  const long size = static_cast<long>(room.f_bavail * room.f_frsize) - left;
  ASSERT_GT(size, 0);
  std::ofstream(ballast, std::ios::binary) << std::string(static_cast<std::size_t>(size), 'x');
}

std::string PostgresServer::Url(const std::string& role, const std::string& database,
                                const std::string& more, int port) const {
  return absl::StrCat("postgresql://", role, "@localhost:", port == 0 ? port_ : port, "/", database,
                      "?hostaddr=127.0.0.1&sslrootcert=", dir_, "/server.crt&passfile=", dir_,
                      "/pgpass", more);
}

controller::PostgresOptions PostgresServer::Options(const std::string& database, int port) const {
  controller::PostgresOptions options;
  const auto url = controller::ParsePostgresUrl(Url("slipway", database, "", port));
  EXPECT_TRUE(url.ok()) << url.status();
  options.address.conninfo = url->conninfo;
  options.limits = {absl::Seconds(20), absl::Seconds(30), absl::Seconds(20), kPatience};
  return options;
}

absl::StatusOr<PostgresRows> PostgresServer::Run(const std::string& role,
                                                 const std::string& database,
                                                 const std::string& sql) const {
  const auto url = controller::ParsePostgresUrl(Url(role, database));
  if (!url.ok()) return url.status();
  controller::PostgresLimits limits;
  limits.statement = limits.call = kPatience;
  auto connection = PostgresConnection::Open({url->conninfo, ""}, limits, Guard());
  if (!connection.ok()) return connection.status();
  return (*connection)->Execute(sql);
}

std::string PostgresServer::Log() const {
  return ContentOf(dir_ + "/log");
}

}  // namespace slipway::test
