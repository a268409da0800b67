// Who may call what: one row for each method, and nothing without a row.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "common/tls/identity.h"

namespace slipway::controller {

// Callers of a method, as bits.
enum Callers : unsigned {
  kNobody = 0,
  kAnyone = 1,  // also without certificate: on the enrolment listener only
  kAgents = 2,
  kOperators = 4,
};

struct AuthzRow {
  std::string_view method;  // "/slipway.v1.FleetService/ListHosts"
  unsigned callers = kNobody;
};

std::span<const AuthzRow> AuthzTable();

// nullptr: no such method, so nobody may call it.
const AuthzRow* FindAuthzRow(std::string_view method);

// The bit of a kind. A controller calls no controller.
constexpr unsigned CallersOf(tls::Kind kind) {
  switch (kind) {
    case tls::Kind::controller:
      return kNobody;
    case tls::Kind::agent:
      return kAgents;
    case tls::Kind::operator_:
      return kOperators;
  }
  return kNobody;
}

}  // namespace slipway::controller
