// A cgroup of its own for each run, where the kernel lets us have one (v2 with cgroup.kill).
//
// It catches what a walk over parents could miss in a race; where there is none, the shim's walk
// over its descendants does the work alone. So nothing here fails: it just has no effect.
#pragma once

#include <string>

namespace slipway::agent {

// Path of the cgroup for the run in `dir`, below this process's own; "" where there is no cgroup
// v2.
std::string CgroupFor(const std::string& dir);

// With at most `processes_max` processes, where the kernel's controller for that is at hand.
// False: there is none and the path is not to be used.
bool MakeCgroup(const std::string& cgroup, int processes_max);
// Moves the calling process.
void EnterCgroup(const std::string& cgroup);
// Kills all in it at once.
void KillCgroup(const std::string& cgroup);
void RemoveCgroup(const std::string& cgroup);

}  // namespace slipway::agent
