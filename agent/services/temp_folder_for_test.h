// A folder that lives as long as the test.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

namespace slipway::agent {

class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "slipway-test-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) path_ = name;
    std::filesystem::permissions(path_, std::filesystem::perms(0755));
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace slipway::agent
