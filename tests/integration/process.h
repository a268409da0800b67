// A program under test, ended when the object is gone.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace slipway::test {

class Process {
 public:
  // Starts `argv`; both its outputs are appended to `log`.
  Process(const std::vector<std::string>& argv, const std::string& log);
  // With KILL, if it still runs.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void Signal(int number) const;
  // Its exit status; 128 + n when signal n ended it. -1: it did not end within 20 s.
  int Wait();
  // Whether it has ended by now; Wait then answers at once.
  bool Ended() const;
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

// Runs it to its end.
int RunProgram(const std::vector<std::string>& argv, const std::string& log);

// A file's content, "" when there is none.
std::string ContentOf(const std::string& path);

}  // namespace slipway::test
