#include "common/tls/authority.h"

#include <sys/stat.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "common/tls/key.h"
#include "common/tls/pem_file.h"
#include "common/tls/verify.h"

namespace slipway::tls {
namespace {

// Clocks of hosts differ; a certificate shall be good at once everywhere.
constexpr absl::Duration kClockAllowance = absl::Hours(1);

std::string PathOf(const std::string& dir, std::string_view name, const char* ending) {
  return absl::StrCat(dir, "/", std::string(name), ending);
}

CertificateSpec RootSpec(const std::string& trust_domain, absl::Time now) {
  CertificateSpec spec;
  spec.common_name = absl::StrCat("Slipway root of ", trust_domain);
  // The root names the trust domain, so that it need not be configured a second time.
  spec.uris = {absl::StrCat("slipway://", trust_domain)};
  spec.ca = true;
  spec.path_length = 1;
  spec.any_use = true;
  spec.not_before = now - kClockAllowance;
  spec.not_after = now + kRootLife;
  return spec;
}

CertificateSpec IntermediateSpec(Kind kind, const std::string& trust_domain, absl::Time now) {
  CertificateSpec spec;
  spec.common_name = absl::StrCat("Slipway ", std::string(ToString(kind)), "s of ", trust_domain);
  spec.ca = true;
  spec.path_length = 0;
  spec.use = kind == Kind::controller ? Use::client_and_server : Use::client;
  spec.not_before = now - kClockAllowance;
  spec.not_after = now + kIntermediateLife;
  return spec;
}

absl::StatusOr<Issuer> MakeRoot(const std::string& dir, const std::string& trust_domain,
                                absl::Time now) {
  Issuer root;
  SLIPWAY_ASSIGN_OR_RETURN(root.key_pem, MakeKey());
  SLIPWAY_ASSIGN_OR_RETURN(root.certificate_pem,
                           IssueSelfSigned(RootSpec(trust_domain, now), root.key_pem));
  SLIPWAY_RETURN_IF_ERROR(WriteFile(PathOf(dir, "root", ".key"), root.key_pem, kPrivate));
  return root;
}

absl::Status CheckHost(const std::string& host) {
  // IPv6 literals carry colons; everything else obeys the rule of names.
  if (host.find(':') != std::string::npos &&
      host.find_first_not_of("0123456789abcdef:.") == std::string::npos) {
    return absl::OkStatus();
  }
  return CheckName("host name", host);
}

}  // namespace

absl::StatusOr<Authority> Authority::Create(const std::string& dir, const std::string& trust_domain,
                                            absl::Time now) {
  SLIPWAY_RETURN_IF_ERROR(CheckName("trust domain", trust_domain));
  if (::mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot create ", dir));
  }
  const std::string root_path = PathOf(dir, "root", ".pem");
  if (ReadFile(root_path).ok()) {
    return absl::AlreadyExistsError(
        absl::StrCat(root_path, " exists; a second authority would cut off every enrolled host"));
  }
  SLIPWAY_ASSIGN_OR_RETURN(const Issuer root, MakeRoot(dir, trust_domain, now));
  for (const Kind kind : kKinds) {
    SLIPWAY_ASSIGN_OR_RETURN(const std::string key_pem, MakeKey());
    SLIPWAY_ASSIGN_OR_RETURN(const std::string public_key, PublicKeyOf(key_pem));
    SLIPWAY_ASSIGN_OR_RETURN(const std::string certificate,
                             Issue(IntermediateSpec(kind, trust_domain, now), public_key, root));
    SLIPWAY_RETURN_IF_ERROR(WriteFile(PathOf(dir, ToString(kind), ".key"), key_pem, kPrivate));
    SLIPWAY_RETURN_IF_ERROR(WriteFile(PathOf(dir, ToString(kind), ".pem"), certificate, kPublic));
  }
  // Last: where there is a root certificate, everything else is there, too.
  SLIPWAY_RETURN_IF_ERROR(WriteFile(root_path, root.certificate_pem, kPublic));
  return Open(dir);
}

absl::StatusOr<Authority> Authority::Open(const std::string& dir) {
  Authority authority;
  auto& anchors = authority.anchors_;
  SLIPWAY_ASSIGN_OR_RETURN(anchors.root_pem, ReadFile(PathOf(dir, "root", ".pem")));
  SLIPWAY_ASSIGN_OR_RETURN(anchors.trust_domain, TrustDomainOf(anchors.root_pem));
  for (const Kind kind : kKinds) {
    Issuer issuer;
    SLIPWAY_ASSIGN_OR_RETURN(issuer.certificate_pem, ReadFile(PathOf(dir, ToString(kind), ".pem")));
    SLIPWAY_ASSIGN_OR_RETURN(issuer.key_pem, ReadPrivateFile(PathOf(dir, ToString(kind), ".key")));
    anchors.intermediate_pem[kind] = issuer.certificate_pem;
    authority.intermediates_[kind] = std::move(issuer);
  }
  return authority;
}

absl::StatusOr<std::string> Authority::IssueLeaf(Kind kind, const std::string& name,
                                                 const std::vector<std::string>& hosts,
                                                 std::string_view public_key_der,
                                                 absl::Time now) const {
  SLIPWAY_RETURN_IF_ERROR(CheckName("name", name));
  for (const auto& host : hosts) SLIPWAY_RETURN_IF_ERROR(CheckHost(host));
  if (kind != Kind::controller && !hosts.empty()) {
    return absl::InvalidArgumentError("only a controller's certificate carries host names");
  }
  const Issuer& issuer = intermediates_.at(kind);
  CertificateSpec spec;
  spec.common_name = name;
  spec.uris = {UriOf({anchors_.trust_domain, kind, name})};
  spec.hosts = hosts;
  spec.use = kind == Kind::controller ? Use::client_and_server : Use::client;
  spec.not_before = now - kClockAllowance;
  spec.not_after = now + kLeafLife;
  SLIPWAY_ASSIGN_OR_RETURN(const std::string leaf, Issue(spec, public_key_der, issuer));
  return absl::StrCat(leaf, issuer.certificate_pem);
}

}  // namespace slipway::tls
