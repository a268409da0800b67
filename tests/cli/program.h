// Runs the real `slipway` program, with pipes or on a pseudo-terminal.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"

namespace slipway::cli {

class Program {
 public:
  // An absolute path as the first argument names another program than `slipway`.
  // `environment` in addition to a clean one. `terminal`: a pseudo-terminal of 80 x 24 instead of
  // pipes, for standard input too; else that is empty.
  Program(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
          bool terminal = false);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Reads until `text` stands in the output (both streams); false when it ended or took 20 s.
  bool WaitFor(const std::string& text);
  // As if at the keyboard; only with a terminal.
  void Type(const std::string& text);
  void Signal(int number);
  // Reads to the end and returns the exit code; 128 + n for signal n.
  int Wait();
  const std::string& output() const { return output_; }

 private:
  bool ReadSome(absl::Duration patience);
  int pid_ = -1;
  int fd_ = -1;
  std::string output_;
};

}  // namespace slipway::cli
