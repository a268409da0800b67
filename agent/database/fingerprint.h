// What a database is, as a value that can be compared: its schema, one line an object, and the
// number of rows and a digest of the content of each table. Format: docs/formats/fingerprint.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/artifact/digest.h"

namespace slipway::agent {

struct TableContent {
  std::uint64_t rows = 0;
  std::string digest;  // of the rows, whatever their order
  bool operator==(const TableContent&) const = default;
};

struct Fingerprint {
  std::string kind;                                 // "postgres" or "sqlite"
  std::map<std::string, std::string> objects = {};  // "index media_by_owner" -> its definition
  std::map<std::string, TableContent> tables = {};  // by name
  bool operator==(const Fingerprint&) const = default;

  // The canonical text; ParseFingerprint is its inverse.
  std::string ToText() const;
  Digest Hash() const { return Digest::Of(ToText()); }
  std::uint64_t rows() const;
};

// INVALID_ARGUMENT names the line that has no meaning.
absl::StatusOr<Fingerprint> ParseFingerprint(std::string_view text);

// What a client program said: the same lines as in the canonical text, in any order, without the
// first. Each object and each table once.
absl::StatusOr<Fingerprint> ParseFingerprintLines(std::string_view kind, std::string_view lines);

// What differs in `now`, one phrase each, objects first: "index media_by_owner is missing", "table
// media_items has 9 rows instead of 10". Empty: they are equal.
std::vector<std::string> Differences(const Fingerprint& before, const Fingerprint& now);

// The first of them and how many more, for one line.
std::string Describe(const std::vector<std::string>& differences);

}  // namespace slipway::agent
