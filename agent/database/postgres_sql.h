// Private to agent/database: what is said to PostgreSQL, as scripts of psql.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "agent/database/database.h"

namespace slipway::agent {

std::string SqlText(std::string_view value);  // 'value'
std::string SqlName(std::string_view name);   // "name"
std::string ShellWord(std::string_view word);
std::string PsqlWord(std::string_view word);  // argument of a command like \i

// A transaction that sees one snapshot, with all settings that change how values read.
std::string BeginSnapshot();
// Lines of a fingerprint (docs/formats/fingerprint.md) of what the transaction sees.
std::string FingerprintScript(const std::vector<std::string>& ignore);

// Of the database `name`: creates `copy`, empty, with its encoding, locale and owner.
std::string CreateCopyScript(const std::string& name, const std::string& copy);
// Drops all databases whose name begins with `prefix` but `ours`.
std::string DropLeftoversScript(const std::string& prefix, const std::string& ours);
// `side` becomes `name`, which becomes `aside` and refuses connections from then on.
std::string SwapScript(const std::string& name, const std::string& side, const std::string& aside);

std::string AppliedScript();
std::string StepScript(const Migration& migration, Way way, const DatabaseLimits& limits);
std::string QueryScript(const std::string& file, const DatabaseLimits& limits);

}  // namespace slipway::agent
