// Real databases to try drivers on, one fresh one a test.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/database/database.h"
#include "agent/database/parts.h"
#include "common/clock.h"
#include "common/fs/test_directory.h"

namespace slipway::agent {

// A database, its driver, and a folder for the sequences that run on it.
class DatabaseSite {
 public:
  DatabaseSite();
  virtual ~DatabaseSite() = default;

  virtual const Database& database() const = 0;
  // What a secret holds, or of SQLite the file.
  virtual std::string Url() const = 0;
  // In a session of its own, as an application would.
  virtual void Execute(const std::string& sql) = 0;
  // Copies that lie about, by name.
  virtual std::vector<std::string> Copies() = 0;

  // The sequence number `n` of this database; the same one again goes on where it was.
  std::unique_ptr<Parts> Sequence(int n, HookWatch watch = {});
  std::string Said(int n) const;

  const TestDirectory folder;

 private:
  const ExecLauncher launcher_;
  std::unique_ptr<HookRunner> hooks_;
  std::unique_ptr<OutputArchive> archive_;
  std::vector<std::unique_ptr<CommandId>> ids_;
  std::vector<std::unique_ptr<OutputSpool>> spools_;
};

struct DatabaseKind {
  std::string name;
  std::function<std::unique_ptr<DatabaseSite>()> make;
};
std::vector<DatabaseKind> DatabaseKinds();

// What stands in the password of each PostgreSQL site, and may stand nowhere else.
inline constexpr char kCanary[] = "canary-9Kq2w7";

}  // namespace slipway::agent
