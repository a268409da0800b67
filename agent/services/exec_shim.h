// The tiny program between the agent and each of its children: `slipway-agent exec DIR`.
//
// It lives in a session of its own, so that neither the end of the agent nor a `kill -9` of it
// reaches the child, the child's output or its exit status. It is a subreaper: whatever the child
// leaves behind, also by a double fork with setsid, becomes its own child and is ended before the
// run counts as over.
//
//   lock DIR ─► refuse a folder that was used ─► read spec ─► fork ─► `running` durable ─► exec
//   ─► carry output, watch the deadline ─► program ended ─► end leftovers ─► `exit` durable
//
// Signals: TERM to the shim means "end all of it now, with KILL". INT, HUP and QUIT are ignored.
// What the program is to get before that, the agent sends to the program itself.
//
// File descriptor 3, where open, is closed once `running` and the program's first instruction, or
// `exit`, are facts.
#pragma once

#include <string>

namespace slipway::agent {

// Runs what DIR/spec says and returns the shim's exit status: 0 when DIR/exit tells how the run
// ended, 1 when nothing was run here (another shim has the folder; the folder was used).
int ExecShimMain(const std::string& dir);

}  // namespace slipway::agent
