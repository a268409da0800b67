// A PostgreSQL server of the test's own: Debian's programs, a folder of its own, a free port on
// loopback, TLS with a certificate made for it, and gone with the object.
//
// Roles: `postgres` may everything, `slipway_owner` owns the tables, `slipway` is the service.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "controller/journal/postgres_connection.h"
#include "controller/journal/postgres_lease.h"
#include "tests/integration/process.h"

namespace slipway::test {

class PostgresServer {
 public:
  // Makes the cluster and starts it; a failure is a failure of the test. As root it runs as user
  // `postgres`, and `small_disk` (root only) gives it a tablespace "small" on a disk of that many
  // MiB, which no process but the server sees.
  explicit PostgresServer(int small_disk_mib = 0);
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  // One for all tests of the program.
  static PostgresServer& Shared();

  void Start();   // again, after Kill
  void Kill();    // all of its processes, as a machine that loses power
  void Freeze();  // all of its processes, until Thaw
  void Thaw();

  // A database with the tables in it, fresh. `where` is a tablespace.
  std::string NewDatabase(const std::string& where = "");
  // One without.
  std::string EmptyDatabase(const std::string& where = "");
  void DropDatabase(const std::string& name);
  // Fills the small disk up to `left` bytes, or (nothing given) frees it again.
  void FillSmallDisk(long left = -1);

  // postgresql://… ; `more` are further settings ("&key=value"). Another port: a proxy's.
  std::string Url(const std::string& role, const std::string& database,
                  const std::string& more = "", int port = 0) const;
  // For the service role, with deadlines that suit a test.
  controller::PostgresOptions Options(const std::string& database, int port = 0) const;
  // One statement in a session of its own.
  absl::StatusOr<controller::PostgresRows> Run(const std::string& role, const std::string& database,
                                               const std::string& sql) const;

  int port() const { return port_; }
  const std::string& dir() const { return dir_; }
  std::string Log() const;

 private:
  std::vector<std::string> AsItself(const std::vector<std::string>& argv) const;
  void MakeCluster();
  bool TryToStart();
  bool Answers() const;
  std::vector<pid_t> Processes() const;
  void SignalAll(int number) const;

  const std::string dir_;
  const int small_disk_mib_;
  int port_ = 0;
  int databases_ = 0;
  bool frozen_ = false;
  std::unique_ptr<Process> server_;
};

}  // namespace slipway::test
