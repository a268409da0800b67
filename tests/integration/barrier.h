// A port that accepts connections only once the test says so: a step that checks it lasts so long.
#pragma once

#include <string>

namespace slipway::test {

class Barrier {
 public:
  Barrier();
  ~Barrier();
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  void Open() const;
  // One phase, in which that many hosts wait for the port.
  std::string Plan(int hosts) const;

 private:
  const int socket_;
  int port_ = 0;
};

}  // namespace slipway::test
