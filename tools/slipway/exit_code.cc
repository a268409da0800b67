#include "tools/slipway/exit_code.h"

#include <iterator>

namespace slipway::cli {

ExitCode ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return ExitCode::done;
    case absl::StatusCode::kInvalidArgument:
      return ExitCode::invalid;
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return ExitCode::denied;
    case absl::StatusCode::kNotFound:
      return ExitCode::not_found;
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
      return ExitCode::not_now;
    case absl::StatusCode::kUnavailable:
      return ExitCode::unreachable;
    case absl::StatusCode::kDeadlineExceeded:
      return ExitCode::gave_up;
    default:
      return ExitCode::unexpected;
  }
}

const ExitCodeRow* ExitCodeTable(int& rows) {
  static constexpr ExitCodeRow kTable[] = {
      {ExitCode::done, "done; also \"nothing to change\""},
      {ExitCode::unexpected, "unexpected error"},
      {ExitCode::usage, "wrong usage: unknown command, flag or value"},
      {ExitCode::invalid, "plan or configuration invalid"},
      {ExitCode::denied, "no certificate, or not allowed"},
      {ExitCode::not_found, "not found"},
      {ExitCode::not_now, "not now: a host is locked, or the rollout is not in that state"},
      {ExitCode::unreachable, "controller unreachable"},
      {ExitCode::gave_up, "gave up waiting (--timeout); the rollout goes on"},
      {ExitCode::needs_person, "failed; the fleet is mixed or unhealthy, a person must act"},
      {ExitCode::rolled_back, "failed and rolled back; the fleet is healthy on the old version"},
      {ExitCode::aborted, "aborted by a person"},
      {ExitCode::waiting, "waiting for a person (only with --no-wait-approval)"},
      {ExitCode::differs, "differences found (only with --exit-code or --check)"},
      {ExitCode::unsound, "failures found (doctor, release verify)"},
      {ExitCode::doubtful, "doctor: warnings (only with --strict)"},
      {ExitCode::interrupted, "interrupted by Ctrl-C; the rollout goes on"},
      {ExitCode::terminated, "terminated; the rollout goes on"},
  };
  rows = static_cast<int>(std::size(kTable));
  return kTable;
}

}  // namespace slipway::cli
