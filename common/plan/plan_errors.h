// Stable codes of what can be wrong with a plan. A code is never given another meaning;
// docs/plan.md lists them with their titles, and a test keeps the two equal.
#pragma once

#include <array>
#include <string_view>

namespace slipway::plan {

struct ErrorCode {
  std::string_view code;
  std::string_view title;
};

// Of the file as YAML.
inline constexpr ErrorCode kNotYaml{"P001", "the file is not valid YAML"};
inline constexpr ErrorCode kDuplicateKey{"P002", "a key is given twice"};
inline constexpr ErrorCode kUnknownKey{"P003", "unknown key"};
inline constexpr ErrorCode kAnchor{"P004", "anchors and aliases are not part of the language"};
inline constexpr ErrorCode kTag{"P005", "tags are not part of the language"};
inline constexpr ErrorCode kAmbiguousWord{
    "P006", "a word that YAML dialects read differently needs quotes"};
inline constexpr ErrorCode kSeveralDocuments{"P007", "the file holds more than one document"};
inline constexpr ErrorCode kTab{"P008", "a tab is used for indentation"};
inline constexpr ErrorCode kBadText{"P009", "the file is not clean UTF-8 text"};
inline constexpr ErrorCode kTooLarge{"P010", "the file is too large or too deep"};
// Of values against the schema.
inline constexpr ErrorCode kMissingKey{"P011", "a required key is missing"};
inline constexpr ErrorCode kWrongKind{
    "P012", "a mapping, a list or a single value stands where another is expected"};
inline constexpr ErrorCode kBadDuration{"P013", "not a duration with units"};
inline constexpr ErrorCode kBadShare{"P014", "not a number of hosts or a share from 1% to 100%"};
inline constexpr ErrorCode kBadSize{"P015", "not a size with a unit"};
inline constexpr ErrorCode kBadNumber{"P016", "not a whole number, or out of range"};
inline constexpr ErrorCode kBadBool{"P017", "neither true nor false"};
inline constexpr ErrorCode kUnknownValue{"P018", "not one of the values of this key"};
inline constexpr ErrorCode kUnserved{"P019", "part of the language, but nothing serves it yet"};
inline constexpr ErrorCode kEmptyFile{"P020", "the file is empty or not a mapping"};
// Of the plan's meaning.
inline constexpr ErrorCode kFormatVersion{"P030", "unknown format version"};
inline constexpr ErrorCode kUnknownAction{"P031", "unknown action"};
inline constexpr ErrorCode kNotOneAction{"P032", "a step is not exactly one action"};
inline constexpr ErrorCode kDuplicateName{"P033", "a name is used twice"};
inline constexpr ErrorCode kEmptyPhase{"P034", "a phase or the plan has nothing to do"};
inline constexpr ErrorCode kMixedPhase{"P035", "a phase is neither batched nor stepwise"};
inline constexpr ErrorCode kUnknownGroup{"P036", "unknown group"};
inline constexpr ErrorCode kBadSelector{"P037", "the selector cannot be read"};
inline constexpr ErrorCode kBadGuard{"P038", "a group's guard contradicts itself"};
inline constexpr ErrorCode kShrinkingRamp{"P039", "a ramp gets smaller"};
inline constexpr ErrorCode kMisplacedStrategy{"P040", "a strategy where nothing is batched"};
inline constexpr ErrorCode kEndlessWait{"P041", "a wait without a limit"};
inline constexpr ErrorCode kNoReason{"P042",
                                     "verification or rollback is switched off without a reason"};
inline constexpr ErrorCode kBadUndo{"P043", "undo does not fit the step"};
inline constexpr ErrorCode kBadRollback{"P044", "the rollback contradicts itself"};
inline constexpr ErrorCode kBadVariable{"P045", "a variable cannot be read or is not defined"};
inline constexpr ErrorCode kBadName{"P046", "not a name"};
inline constexpr ErrorCode kBadValue{"P047", "a value cannot be used"};
inline constexpr ErrorCode kMisplacedKey{"P048", "a key that has no effect on this step"};
inline constexpr ErrorCode kVersionTooOld{"P049", "the plan requires another version of slipway"};
inline constexpr ErrorCode kUnknownDatabase{"P050", "unknown database"};
inline constexpr ErrorCode kUnknownRole{"P051", "unknown role"};
inline constexpr ErrorCode kNobodyApproves{"P052", "an approval that nobody could give"};
// Of the plan against release and fleet.
inline constexpr ErrorCode kEmptyGroup{"P060", "no host takes part in a group"};
inline constexpr ErrorCode kGuardBroken{"P061", "a group has another size than its guard says"};
inline constexpr ErrorCode kUnknownService{"P062", "the release has no such service"};
inline constexpr ErrorCode kUnknownComponent{"P063", "the release has no such component"};
inline constexpr ErrorCode kUnknownHook{"P064", "the release has no such hook"};
inline constexpr ErrorCode kNoApp{"P065", "the directory of an application cannot be told"};
inline constexpr ErrorCode kNoWayBack{"P066", "the plan cannot be undone from each of its steps"};
inline constexpr ErrorCode kHostLocked{"P067", "a host is held by another rollout"};
inline constexpr ErrorCode kTooLargePlan{
    "P068", "the plan compiles to more batches or steps than a rollout can hold"};
inline constexpr ErrorCode kManyMigrate{"P069", "several hosts would migrate one database"};
inline constexpr ErrorCode kNotStarted{"P070", "nothing starts again what is stopped"};
// Warnings.
inline constexpr ErrorCode kUnusedGroup{"P101", "a group is not used"};
inline constexpr ErrorCode kGroupDown{"P102", "a batch takes down every host of a group at once"};
inline constexpr ErrorCode kGenerousBudget{"P103", "the failure budget tolerates much"};
inline constexpr ErrorCode kNotStaged{"P104", "an application is switched but not staged"};
inline constexpr ErrorCode kNotChecked{"P105", "nothing proves the old release after a rollback"};
inline constexpr ErrorCode kUnusedReason{"P106", "a reason is given but nothing is switched off"};
inline constexpr ErrorCode kHostAway{"P107", "a host is not connected"};

inline constexpr std::array kAllErrorCodes{
    // Of the file.
    kNotYaml, kDuplicateKey, kUnknownKey, kAnchor, kTag, kAmbiguousWord, kSeveralDocuments, kTab,
    kBadText, kTooLarge, kMissingKey, kWrongKind, kBadDuration, kBadShare, kBadSize, kBadNumber,
    kBadBool, kUnknownValue, kUnserved, kEmptyFile, kFormatVersion, kUnknownAction, kNotOneAction,
    kDuplicateName, kEmptyPhase, kMixedPhase, kUnknownGroup, kBadSelector, kBadGuard,
    kShrinkingRamp, kMisplacedStrategy, kEndlessWait, kNoReason, kBadUndo, kBadRollback,
    kBadVariable, kBadName, kBadValue, kMisplacedKey, kVersionTooOld, kUnknownDatabase,
    kUnknownRole, kNobodyApproves,
    // Of the plan against release and fleet.
    kEmptyGroup, kGuardBroken, kUnknownService, kUnknownComponent, kUnknownHook, kNoApp, kNoWayBack,
    kHostLocked, kTooLargePlan, kManyMigrate, kNotStarted,
    // Warnings.
    kUnusedGroup, kGroupDown, kGenerousBudget, kNotStaged, kNotChecked, kUnusedReason, kHostAway};

}  // namespace slipway::plan
