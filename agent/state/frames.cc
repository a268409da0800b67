#include "agent/state/frames.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/state/bytes.h"
#include "agent/state/crc32c.h"
#include "agent/state/record_codec.h"

namespace slipway::agent {
namespace {

constexpr std::string_view kFileMagic = "SLWAGLOG";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kFileHeaderBytes = 16;
constexpr std::string_view kFrameMagic = "SWLF";
constexpr std::size_t kFrameHeaderBytes = 20;
constexpr std::size_t kSectorBytes = 512;

struct FrameHeader {
  std::uint32_t length = 0;
  std::uint32_t count = 0;
  std::uint32_t body_checksum = 0;
};

std::optional<FrameHeader> ReadFrameHeader(std::string_view bytes) {
  if (bytes.size() < kFrameHeaderBytes || bytes.substr(0, 4) != kFrameMagic) return std::nullopt;
  ByteReader in(bytes.substr(4, kFrameHeaderBytes - 4));
  FrameHeader header;
  header.length = in.Number<std::uint32_t>();
  header.count = in.Number<std::uint32_t>();
  const auto checksum = in.Number<std::uint32_t>();
  header.body_checksum = in.Number<std::uint32_t>();
  if (checksum != Crc32c(bytes.substr(0, 12))) return std::nullopt;
  return header;
}

// The frame's body at the start of `bytes`, when it holds.
std::optional<std::string_view> BodyOf(std::string_view bytes, const FrameHeader& header) {
  if (header.length > bytes.size() - kFrameHeaderBytes) return std::nullopt;
  const std::string_view body = bytes.substr(kFrameHeaderBytes, header.length);
  if (Crc32c(body) != header.body_checksum) return std::nullopt;
  return body;
}

bool SomeFrameHoldsAfter(std::string_view file, std::size_t position) {
  for (std::size_t at = file.find(kFrameMagic, position + 1); at != std::string_view::npos;
       at = file.find(kFrameMagic, at + 1)) {
    const std::string_view rest = file.substr(at);
    const auto header = ReadFrameHeader(rest);
    if (header && BodyOf(rest, *header)) return true;
  }
  return false;
}

// Whether a sector's part of [begin, end) was never written.
bool HasHole(std::string_view file, std::size_t begin, std::size_t end) {
  while (begin < end) {
    const std::size_t sector_end = std::min(end, (begin / kSectorBytes + 1) * kSectorBytes);
    const std::string_view part = file.substr(begin, sector_end - begin);
    if (part.find_first_not_of('\0') == std::string_view::npos) return true;
    begin = sector_end;
  }
  return false;
}

bool IsTornTail(std::string_view file, std::size_t position) {
  if (SomeFrameHoldsAfter(file, position)) return false;
  const std::string_view rest = file.substr(position);
  if (rest.size() < kFrameHeaderBytes) return true;
  std::size_t end = file.size();
  if (const auto header = ReadFrameHeader(rest)) {
    if (header->length > rest.size() - kFrameHeaderBytes) return true;
    end = position + kFrameHeaderBytes + header->length;
  }
  return HasHole(file, position, end);
}

absl::Status Damaged(std::size_t position, const char* what) {
  return absl::DataLossError(
      absl::StrCat("the command log is damaged at byte ", position, ": ", what,
                   "; move the agent's state folder away, start the agent again and let a person "
                   "decide about the commands that were open on this host"));
}

absl::Status CheckFileHeader(std::string_view file) {
  if (file.size() < kFileHeaderBytes || file.substr(0, 8) != kFileMagic) {
    return Damaged(0, "it does not begin like a command log");
  }
  ByteReader in(file.substr(8, 8));
  const auto version = in.Number<std::uint32_t>();
  if (in.Number<std::uint32_t>() != Crc32c(file.substr(0, 12))) {
    return Damaged(8, "the header's checksum is wrong");
  }
  if (version > kVersion) {
    return absl::FailedPreconditionError(absl::StrCat("the command log has version ", version,
                                                      " and this agent reads up to ", kVersion,
                                                      "; start the newer agent again"));
  }
  return absl::OkStatus();
}

}  // namespace

std::string EncodeFileHeader() {
  ByteWriter out;
  out.Raw(kFileMagic);
  out.Number(kVersion);
  out.Number(Crc32c(out.bytes()));
  return out.Take();
}

std::string EncodeFrame(const std::vector<Record>& records) {
  const std::string body = EncodeRecords(records);
  ByteWriter out;
  out.Raw(kFrameMagic);
  out.Number(static_cast<std::uint32_t>(body.size()));
  out.Number(static_cast<std::uint32_t>(records.size()));
  out.Number(Crc32c(out.bytes()));
  out.Number(Crc32c(body));
  out.Raw(body);
  return out.Take();
}

absl::StatusOr<LogContent> ReadLog(std::string_view file) {
  if (const absl::Status header = CheckFileHeader(file); !header.ok()) return header;
  LogContent content;
  std::size_t position = kFileHeaderBytes;
  while (position < file.size()) {
    const std::string_view rest = file.substr(position);
    const auto header = ReadFrameHeader(rest);
    const auto body = header ? BodyOf(rest, *header) : std::nullopt;
    if (!body) {
      if (IsTornTail(file, position)) break;
      return Damaged(position, "a checksum is wrong");
    }
    auto records = DecodeRecords(*body, header->count);
    if (!records) return Damaged(position, "a record is not understood");
    std::move(records->begin(), records->end(), std::back_inserter(content.records));
    position += kFrameHeaderBytes + header->length;
  }
  content.valid_size = position;
  return content;
}

}  // namespace slipway::agent
