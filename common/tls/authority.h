// The installation's own certification authority: a root and one intermediate for each kind.
//
//   root ── controller ── server certificate      (serverAuth, clientAuth)
//       ├── agent      ── one for each host        (clientAuth)
//       └── operator   ── one for each person      (clientAuth)
//
// The intermediates' extended key usage binds what is below them: nothing issued by the agents'
// or the operators' intermediate can pose as a server, and TLS itself refuses it.
//
// Files, below the given folder: root.pem, controller.pem, agent.pem, operator.pem, and a key
// (0600) for each. root.key signs nothing after Create and may be kept elsewhere.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/tls/identity.h"
#include "common/tls/issue.h"

namespace slipway::tls {

inline constexpr absl::Duration kRootLife = absl::Hours(24 * 365 * 10);
inline constexpr absl::Duration kIntermediateLife = absl::Hours(24 * 365 * 5);
inline constexpr absl::Duration kLeafLife = absl::Hours(24 * 365);

// What everyone who verifies peers needs, and nothing secret.
struct TrustAnchors {
  std::string trust_domain;
  std::string root_pem;
  std::map<Kind, std::string> intermediate_pem;
};

// Immutable after construction, thread-safe.
class Authority {
 public:
  // Makes root and intermediates in `dir`. ALREADY_EXISTS when there is a root: a fleet would lose
  // its trust.
  static absl::StatusOr<Authority> Create(const std::string& dir, const std::string& trust_domain,
                                          absl::Time now);
  // Reads what Create wrote; does without root.key. The trust domain is that of the root.
  static absl::StatusOr<Authority> Open(const std::string& dir);

  // Leaf and intermediate, PEM, over `public_key_der`. `hosts` are the addresses of a controller;
  // other kinds have none. INVALID_ARGUMENT: the name or a host.
  absl::StatusOr<std::string> IssueLeaf(Kind kind, const std::string& name,
                                        const std::vector<std::string>& hosts,
                                        std::string_view public_key_der, absl::Time now) const;

  const TrustAnchors& anchors() const { return anchors_; }

 private:
  Authority() = default;

  TrustAnchors anchors_;
  std::map<Kind, Issuer> intermediates_;
};

}  // namespace slipway::tls
