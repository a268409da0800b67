// Who somebody is: what a certificate says and nothing else.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace slipway::tls {

// Each kind has an intermediate CA of its own, so that a certificate of one kind can never be
// taken for another.
enum class Kind { controller, agent, operator_ };
inline constexpr Kind kKinds[] = {Kind::controller, Kind::agent, Kind::operator_};

std::string_view ToString(Kind kind);  // "controller", "agent", "operator"
std::optional<Kind> ParseKind(std::string_view text);

struct Identity {
  std::string trust_domain;  // one for each installation
  Kind kind = Kind::agent;
  std::string name;  // of the host or the person
  bool operator==(const Identity&) const = default;
};

// "slipway://fleet.example.net/agent/web-1": the one URI in each certificate.
std::string UriOf(const Identity& identity);
absl::StatusOr<Identity> ParseUri(std::string_view uri);

// 1 to 253 of a-z, 0-9, '.', '-', '_', beginning and ending with a letter or digit: what hosts,
// people and trust domains may be called. The same text everywhere: paths, URIs, tables.
absl::Status CheckName(std::string_view what, std::string_view name);

}  // namespace slipway::tls
