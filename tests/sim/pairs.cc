#include "tests/sim/pairs.h"

#include <iterator>
#include <limits>

#include "absl/strings/str_cat.h"

namespace slipway::sim {
namespace {

// In the order of Fault.
constexpr const char* kFaultNames[] = {
    "agent killed",
    "agent crashed in write",
    "agent sync failed",
    "agent disk full",
    "agent slow",
    "machine rebooted",
    "service died",
    "message lost",
    "message doubled",
    "message late",
    "partitioned",
    "controller killed",
    "controller crashed in append",
    "append in doubt",
    "controller disk full",
    "controller slow",
    "taken over",
    "controller power cut",
    "controller sync failed",
    "command failed",
    "command hung",
    "command not yet",
    "person interfered",
};
static_assert(std::size(kFaultNames) == kFaults);

constexpr const char* kMomentNames[] = {"no rollout", "stage", "database", "exchange",
                                        "verify",     "gate",  "held",     "way back"};
static_assert(std::size(kMomentNames) == kMoments);

bool NeedsDisk(Fault fault) {
  return fault == Fault::controller_power_cut || fault == Fault::controller_sync_failed;
}

bool NeedsSharedJournal(Fault fault) {
  return fault == Fault::taken_over || fault == Fault::append_in_doubt;
}

// Calls `visit(first, second)` for each ordered pair of enumerators.
template <class First, class Second, class Visit>
void ForEachPair(const Visit& visit) {
  for (std::size_t a = 0; a < static_cast<std::size_t>(First::count_); ++a) {
    for (std::size_t b = 0; b < static_cast<std::size_t>(Second::count_); ++b) {
      visit(static_cast<First>(a), static_cast<Second>(b));
    }
  }
}

}  // namespace

const char* NameOf(Fault fault) {
  return kFaultNames[static_cast<std::size_t>(fault)];
}

const char* NameOf(Moment moment) {
  return kMomentNames[static_cast<std::size_t>(moment)];
}

std::string CannotMeet(Fault first, Fault second) {
  const bool mixed = (NeedsDisk(first) && NeedsSharedJournal(second)) ||
                     (NeedsDisk(second) && NeedsSharedJournal(first));
  return mixed ? "only one process has SQLite's file, and only a shared journal leaves doubt" : "";
}

std::string CannotStrike(Fault fault, Moment moment) {
  const bool commands = fault == Fault::command_failed || fault == Fault::command_hung ||
                        fault == Fault::command_not_yet;
  if (commands && (moment == Moment::none || moment == Moment::gate)) {
    return "a batch with open commands is neither over nor before its gate";
  }
  if (fault == Fault::person_interfered && moment == Moment::none) {
    return "there is nothing to interfere with";
  }
  return "";
}

std::array<absl::Time, kFaults> Pairs::NeverYet() {
  std::array<absl::Time, kFaults> never;
  never.fill(absl::InfinitePast());
  return never;
}

void Pairs::Strike(Fault fault, Moment moment, absl::Time now) {
  for (std::size_t first = 0; first < kFaults; ++first) {
    if (now - last_[first] <= kTogether) ++met_[first][At(fault)];
  }
  last_[At(fault)] = now;
  ++struck_[At(fault)][At(moment)];
}

void Pairs::Add(const Pairs& other) {
  for (std::size_t a = 0; a < kFaults; ++a) {
    for (std::size_t b = 0; b < kFaults; ++b) met_[a][b] += other.met_[a][b];
    for (std::size_t m = 0; m < kMoments; ++m) struck_[a][m] += other.struck_[a][m];
  }
}

std::vector<std::string> Pairs::Missing() const {
  std::vector<std::string> missing;
  ForEachPair<Fault, Fault>([&](Fault first, Fault second) {
    if (met(first, second) > 0 || !CannotMeet(first, second).empty()) return;
    missing.push_back(absl::StrCat(NameOf(second), " never struck soon after ", NameOf(first)));
  });
  ForEachPair<Fault, Moment>([&](Fault fault, Moment moment) {
    if (struck(fault, moment) > 0 || !CannotStrike(fault, moment).empty()) return;
    missing.push_back(absl::StrCat(NameOf(fault), " never struck during: ", NameOf(moment)));
  });
  return missing;
}

std::string Pairs::Rarest() const {
  std::uint64_t fewest = std::numeric_limits<std::uint64_t>::max();
  std::string which;
  ForEachPair<Fault, Fault>([&](Fault first, Fault second) {
    if (met(first, second) >= fewest || !CannotMeet(first, second).empty()) return;
    fewest = met(first, second);
    which = absl::StrCat(NameOf(first), ", ", NameOf(second));
  });
  ForEachPair<Fault, Moment>([&](Fault fault, Moment moment) {
    if (struck(fault, moment) >= fewest || !CannotStrike(fault, moment).empty()) return;
    fewest = struck(fault, moment);
    which = absl::StrCat(NameOf(fault), ", ", NameOf(moment));
  });
  return absl::StrCat(fewest, " times: ", which);
}

std::string Pairs::Table() const {
  std::string table = "faults by moment:";
  for (const char* name : kMomentNames) absl::StrAppend(&table, "  ", name);
  for (std::size_t a = 0; a < kFaults; ++a) {
    absl::StrAppend(&table, "\n");
    for (std::size_t m = 0; m < kMoments; ++m) {
      absl::StrAppend(&table, absl::Dec(struck_[a][m], absl::kSpacePad8));
    }
    absl::StrAppend(&table, "  ", kFaultNames[a]);
  }
  absl::StrAppend(&table, "\npairs of faults within five minutes, by the number of the first:");
  for (std::size_t b = 0; b < kFaults; ++b) {
    absl::StrAppend(&table, "\n");
    for (std::size_t a = 0; a < kFaults; ++a) {
      absl::StrAppend(&table, absl::Dec(met_[a][b], absl::kSpacePad7));
    }
    absl::StrAppend(&table, "  ", absl::Dec(b, absl::kSpacePad2), " ", kFaultNames[b]);
  }
  return table + "\n";
}

}  // namespace slipway::sim
