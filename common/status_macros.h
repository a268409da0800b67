// The two macros for absl::Status and absl::StatusOr. There is no third.
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns from the enclosing function when `expr` is not OK.
#define SLIPWAY_RETURN_IF_ERROR(expr)                \
  do {                                               \
    ::absl::Status slipway_status = (expr);          \
    if (!slipway_status.ok()) return slipway_status; \
  } while (false)

// SLIPWAY_ASSIGN_OR_RETURN(auto x, Make()): assigns the value or returns the error.
#define SLIPWAY_ASSIGN_OR_RETURN(lhs, expr) \
  SLIPWAY_ASSIGN_OR_RETURN_IMPL_(SLIPWAY_STATUS_NAME_(slipway_or_, __LINE__), lhs, expr)
#define SLIPWAY_STATUS_NAME_INNER_(prefix, line) prefix##line
#define SLIPWAY_STATUS_NAME_(prefix, line) SLIPWAY_STATUS_NAME_INNER_(prefix, line)
#define SLIPWAY_ASSIGN_OR_RETURN_IMPL_(tmp, lhs, expr) \
  auto tmp = (expr);                                   \
  if (!tmp.ok()) return std::move(tmp).status();       \
  lhs = *std::move(tmp)
