// Private to common/fs: where the last part of a name stands.
#pragma once

#include <string>

#include "common/fs/directory.h"

namespace slipway {

struct Directory::Place {
  UniqueFd opened;  // not valid when the parent is the root itself
  int parent = -1;  // belongs to `opened` or to the Directory
  std::string leaf;
};

}  // namespace slipway
