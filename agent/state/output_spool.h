// What the steps of this host said, kept for whoever asks: head and tail of each command's output.
//
//   BASE/ro-M4TZ7K/f2.3_web-1_1/out.N    (agent/services/exec_output.h)
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/services/exec_output.h"
#include "common/model/ids.h"
#include "common/mutex.h"

namespace slipway::agent {

// The output of one command. Thread-safe. Writing never fails: what the disk does not take is
// lost, for no step is to wait for its own talk.
class OutputSpool {
 public:
  // `dir` exists. Goes on where an earlier spool of `dir` ended.
  explicit OutputSpool(std::string dir) : dir_(std::move(dir)), sink_(dir_) {}

  void Write(std::string_view bytes) ABSL_LOCKS_EXCLUDED(mu_);
  // One line: `text` and a newline.
  void Say(std::string_view text) ABSL_LOCKS_EXCLUDED(mu_);

  // The last bytes, at most `bytes_max`.
  std::string Tail(std::uint64_t bytes_max) const { return SpoolTail(dir_, bytes_max); }

 private:
  const std::string dir_;
  Mutex mu_;
  SpoolSink sink_ ABSL_GUARDED_BY(mu_);
};

// The spools of all commands. Thread-safe; holds nothing in memory.
class OutputArchive {
 public:
  // Makes `base` when absent (0700).
  static absl::StatusOr<std::unique_ptr<OutputArchive>> Open(std::string base);

  absl::StatusOr<std::unique_ptr<OutputSpool>> SpoolOf(const CommandId& id) const;

  // From `offset` on, at most `bytes_max`; empty: nothing (yet) there. NOT_FOUND: this host never
  // ran the command, or the rollout was forgotten.
  absl::StatusOr<SpoolPiece> Read(const CommandId& id, std::uint64_t offset,
                                  std::uint64_t bytes_max) const;

  // Removes what the rollout's commands said.
  void Forget(const RolloutId& rollout) const;

 private:
  explicit OutputArchive(std::string base) : base_(std::move(base)) {}
  const std::string base_;
};

// "ro-M4TZ7K" and "f2.3_web-1_1": a command's place below a folder of the agent.
std::string RolloutFolder(const RolloutId& rollout);
std::string CommandFolder(const CommandId& id);

}  // namespace slipway::agent
