// Every action, listed by hand.
#pragma once

#include <memory>

#include "agent/actions/action.h"

namespace slipway::agent {

// One file each, named after it: preflight.cc, stage.cc, …
std::unique_ptr<Action> MakePreflight();
std::unique_ptr<Action> MakeReadiness();
std::unique_ptr<Action> MakeStage();
std::unique_ptr<Action> MakeSwitch();
std::unique_ptr<Action> MakeConfigure();
std::unique_ptr<Action> MakeStop();
std::unique_ptr<Action> MakeStart();
std::unique_ptr<Action> MakeCheck();
std::unique_ptr<Action> MakeRun();
std::unique_ptr<Action> MakeBackup();
std::unique_ptr<Action> MakeMigrate();
std::unique_ptr<Action> MakeBake();
std::unique_ptr<Action> MakeNoop();

// The action that serves `task`, or nullptr: an unknown action is never executed.
// The table is made once and lives as long as the process.
const Action* FindAction(const v1::Task& task);

}  // namespace slipway::agent
