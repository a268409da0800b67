// Every bound of releases and their content, with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

namespace slipway {

inline constexpr std::size_t kGrpcMessageBytesMax = 4 * 1024 * 1024;  // gRPC's default

// Piece of content in one message: large enough that the cost of a message does not count.
inline constexpr std::size_t kTransferBytesMax = 512 * 1024;

// A manifest travels in one message.
inline constexpr std::size_t kManifestBytesMax = 3 * 1024 * 1024;
static_assert(kManifestBytesMax + 64 * 1024 < kGrpcMessageBytesMax, "a manifest fits one message");
static_assert(kTransferBytesMax + 64 * 1024 < kGrpcMessageBytesMax, "a piece fits one message");

// About what fits kManifestBytesMax with paths of ordinary length.
inline constexpr std::size_t kManifestFilesMax = 24'000;
inline constexpr std::size_t kReleaseDefinitionBytesMax = 256 * 1024;
inline constexpr std::uint64_t kFileBytesMax = std::uint64_t{16} << 30;
inline constexpr std::uint64_t kReleaseBytesMax = std::uint64_t{64} << 30;
static_assert(kReleaseBytesMax + kFileBytesMax > kReleaseBytesMax, "sums of sizes cannot overflow");

inline constexpr std::size_t kPathBytesMax = 4096;     // PATH_MAX
inline constexpr std::size_t kPathPartBytesMax = 255;  // NAME_MAX
inline constexpr std::size_t kPathPartsMax = 64;

// Digests in one FindMissing.
inline constexpr std::size_t kFindMissingMax = 10'000;

}  // namespace slipway
