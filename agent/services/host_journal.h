// The journal of this host, by libsystemd.
#pragma once

#include <string>

#include "agent/services/unit_journal.h"

namespace slipway::agent {

class HostJournal final : public UnitJournal {
 public:
  LogPosition End() const override;
  LogPiece Read(const UnitLines& lines, const LogPosition& from,
                std::uint64_t bytes_max) const override;
  std::string LastLines(const UnitLines& lines, const LogPosition& from, int count) const override;
  std::string Reason(const std::string& unit, const LogPosition& from) const override;
  void Settle() const override;
};

}  // namespace slipway::agent
