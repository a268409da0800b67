// A few lines at the end of a terminal that are redrawn in place.
#pragma once

#include <string>
#include <string_view>

namespace slipway::cli {

class LiveRegion {
 public:
  LiveRegion();
  ~LiveRegion();
  LiveRegion(const LiveRegion&) = delete;
  LiveRegion& operator=(const LiveRegion&) = delete;

  // Replaces what was drawn. Lines are cut at the edge, so that the terminal never wraps them.
  // The same text again writes nothing.
  void Draw(std::string_view text);
  // Writes lasting lines above the region.
  void Above(std::string_view text);
  void Clear();
  // How many lines fit.
  std::size_t rows() const;

 private:
  std::string Erase() const;
  std::string drawn_;
  std::size_t lines_ = 0;
};

}  // namespace slipway::cli
