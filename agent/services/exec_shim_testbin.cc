// The child shim as a program of its own, so that tests need no agent.
#include "agent/services/exec_shim.h"

int main(int argc, char** argv) {
  return argc == 2 ? slipway::agent::ExecShimMain(argv[1]) : 2;
}
