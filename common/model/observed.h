// What was seen on a host, as opposed to what was wanted there.
#pragma once

#include <map>
#include <string>

namespace slipway {

// One application on one host. Digests are release digests ("sha256:…") as observed.
struct Version {
  std::string on_disk;   // digest that `current` names; "" = nothing deployed
  std::string running;   // digest that the process was started from; "" = nothing runs,
                         // "unproven" = cannot tell
  std::string label;     // the release's version, for people ("2.0.0"); "" where unknown
  bool healthy = false;  // last health verdict of the agent
  bool operator==(const Version&) const = default;
};

// By application directory ("/srv/media").
using Observed = std::map<std::string, Version>;

}  // namespace slipway
