// What a person wishes always, so that it need not be said each time: context, output, color.
//
// The first place that has it counts: a flag, the environment (SLIPWAY_CONTEXT, SLIPWAY_OUTPUT,
// SLIPWAY_COLOR), the project (./.slipway/config.yaml), the person
// ($XDG_CONFIG_HOME/slipway/config.yaml). A context is a client configuration with a name, kept
// beside the latter as contexts/NAME.conf.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/slipway/command.h"

namespace slipway::cli {

// Names of preferences, which are also those of their flags.
const std::vector<std::string>& PreferenceNames();

// Gives `invocation` what its flags do not say. Errors: INVALID_ARGUMENT with the place: a file
// that cannot be read as settings, or a value that the preference does not take.
absl::Status AddPreferences(Invocation& invocation);

// $XDG_CONFIG_HOME/slipway, or ~/.config/slipway
std::string UserFolder();
std::string UserFile();

// Sets or, with "", removes it in UserFile(). Errors: as AddPreferences; those of writing.
absl::Status SetPreference(const std::string& name, const std::string& value);

// The configuration of a context. Errors: NOT_FOUND with a suggestion; INVALID_ARGUMENT (no name).
absl::StatusOr<std::string> ContextFile(const std::string& name);
// In ascending order.
std::vector<std::string> ContextNames();
// Keeps the client configuration `file` as the context `name`. Errors: those of reading it;
// INVALID_ARGUMENT (no name); ALREADY_EXISTS.
absl::Status AddContext(const std::string& name, const std::string& file);
// Errors: as ContextFile.
absl::Status RemoveContext(const std::string& name);

}  // namespace slipway::cli
