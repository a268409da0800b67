// The functions of libsystemd that we call, looked up when a unit is first needed: the library and
// what it pulls in are 0.9 MiB of memory, which an agent without units does not pay.
#pragma once

#include <systemd/sd-bus.h>
#include <systemd/sd-journal.h>

#include "absl/status/statusor.h"

namespace slipway::agent {

#define SLIPWAY_LIB_SYSTEMD(F)      \
  F(sd_bus_open_system)             \
  F(sd_bus_set_method_call_timeout) \
  F(sd_bus_flush_close_unref)       \
  F(sd_bus_match_signal)            \
  F(sd_bus_call_method)             \
  F(sd_bus_process)                 \
  F(sd_bus_wait)                    \
  F(sd_bus_error_free)              \
  F(sd_bus_message_unref)           \
  F(sd_bus_message_read)            \
  F(sd_bus_message_read_array)      \
  F(sd_bus_message_enter_container) \
  F(sd_bus_message_exit_container)  \
  F(sd_bus_message_peek_type)       \
  F(sd_bus_message_skip)            \
  F(sd_journal_open)                \
  F(sd_journal_close)               \
  F(sd_journal_set_data_threshold)  \
  F(sd_journal_add_match)           \
  F(sd_journal_seek_tail)           \
  F(sd_journal_seek_cursor)         \
  F(sd_journal_seek_realtime_usec)  \
  F(sd_journal_test_cursor)         \
  F(sd_journal_get_cursor)          \
  F(sd_journal_get_realtime_usec)   \
  F(sd_journal_get_data)            \
  F(sd_journal_next)                \
  F(sd_journal_previous)

struct LibSystemd {
#define SLIPWAY_DECLARE(name) decltype(&::name) name = nullptr;
  SLIPWAY_LIB_SYSTEMD(SLIPWAY_DECLARE)
#undef SLIPWAY_DECLARE
};

// FAILED_PRECONDITION: this host has no libsystemd0. Thread-safe.
absl::StatusOr<const LibSystemd*> LoadLibSystemd();

}  // namespace slipway::agent
