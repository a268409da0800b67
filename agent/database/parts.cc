#include "agent/database/parts.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/services/record_file.h"
#include "common/artifact/digest.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

constexpr std::uint64_t kLastWords = 8 << 10;  // bytes

// The line that says what went wrong: the last one with "error" in it, else the last.
std::string LastWords(const OutputSpool& output) {
  const std::string tail = output.Tail(kLastWords);
  std::string last, error;
  for (const absl::string_view line : absl::StrSplit(tail, '\n', absl::SkipWhitespace())) {
    last = std::string(line);
    for (const char* sign : {"ERROR:", "FATAL:", "rror: ", "Parse error", "Runtime error"}) {
      if (line.find(sign) != absl::string_view::npos) error = std::string(line);
    }
  }
  return error.empty() ? last : error;
}

}  // namespace

absl::StatusOr<std::unique_ptr<HookParts>> HookParts::Open(const std::string& folder,
                                                           HookRunner& hooks, const CommandId& id,
                                                           OutputSpool& output,
                                                           absl::Duration deadline, HookWatch watch,
                                                           NewParts fresh) {
  SLIPWAY_RETURN_IF_ERROR(MakeFolder(folder));
  return std::unique_ptr<HookParts>(
      new HookParts(folder, hooks, id, output, deadline, std::move(watch), fresh));
}

HookParts::HookParts(std::string folder, HookRunner& hooks, const CommandId& id,
                     OutputSpool& output, absl::Duration deadline, HookWatch watch, NewParts fresh)
    : folder_(std::move(folder)),
      tag_(Digest::Of(ToString(id)).Hex().substr(0, 16)),
      hooks_(hooks),
      id_(id),
      output_(output),
      deadline_(deadline),
      watch_(std::move(watch)),
      fresh_(fresh) {}

absl::Status HookParts::Run(const std::string& name, const PartOrder& order) {
  if (!used_.insert(name).second) {
    return absl::InternalError(absl::StrCat("two parts of one action are called ", name));
  }
  const HookOrder hook{.id = id_,
                       .part = name,
                       .argv = order.argv,
                       .env = order.env,
                       .cwd = folder_,
                       .deadline = deadline_ + order.overtime};
  const bool begins = fresh_ == NewParts::begin;
  const auto end = begins ? hooks_.Run(hook, output_, watch_) : hooks_.Adopt(hook, output_, watch_);
  if (!begins && absl::IsFailedPrecondition(end.status())) {
    return absl::CancelledError(absl::StrCat("part ", name, " never began"));
  }
  SLIPWAY_RETURN_IF_ERROR(end.status());
  if (end->exit.signal == 0 && end->exit.code == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(LastWords(output_), " (", name, ": ",
                                                    order.argv[0], " ", Describe(end->exit), ")"));
}

}  // namespace slipway::agent
