// CRC-32C (Castagnoli).
#pragma once

#include <cstdint>
#include <string_view>

namespace slipway::agent {

std::uint32_t Crc32c(std::string_view bytes);

}  // namespace slipway::agent
