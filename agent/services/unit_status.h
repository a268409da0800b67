// What a unit's state means for the service that it is. Pure but for /proc.
#pragma once

#include <string>

#include "agent/services/service_manager.h"
#include "agent/services/systemd.h"
#include "agent/services/unit_record.h"

namespace slipway::agent {

// `record` is that of its last start by us.
ServiceStatus StatusOf(const UnitRecord& record, const UnitLook& look);

// Where nobody can be asked: by the program that ran last, if that can be told.
ServiceStatus StatusUnseen(const UnitRecord& record, const absl::Status& why);

// APP/releases/… that the main process runs from, by its executable, else its folder, else the
// release of our own start, if it is that.
std::string ReleaseDirOf(const UnitRecord& record, const UnitLook& look);

// The process runs its program, and not what systemd does before that.
bool Executes(pid_t pid);

// systemd failed between fork and exec: the exit statuses from 200 on are its own.
bool FailedToExecute(const UnitLook& look);

// "exited with status 3", "was ended by SIGKILL (systemd: timeout)": how its last run ended.
std::string HowItEnded(const UnitLook& look);

}  // namespace slipway::agent
