#include "controller/setup.h"

#include <pwd.h>
#include <sys/stat.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status_macros.h"
#include "common/tls/key.h"
#include "common/tls/pem_file.h"
#include "common/tls/verify.h"

namespace slipway::controller {
namespace {

constexpr absl::Duration kRenewBefore = absl::Hours(24 * 30);

absl::Status MakeFolder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot create ", path));
}

// A key and a certificate over it, as two files.
absl::Status IssueTo(const std::string& base, const tls::Authority& authority, tls::Kind kind,
                     const std::string& name, const std::vector<std::string>& hosts,
                     absl::Time now) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string key, tls::MakeKey());
  SLIPWAY_ASSIGN_OR_RETURN(const std::string public_key, tls::PublicKeyOf(key));
  SLIPWAY_ASSIGN_OR_RETURN(const std::string certificate,
                           authority.IssueLeaf(kind, name, hosts, public_key, now));
  SLIPWAY_RETURN_IF_ERROR(tls::WriteFile(base + ".key", key, tls::kPrivate));
  return tls::WriteFile(base + ".pem", certificate, tls::kPublic);
}

absl::StatusOr<std::string> IssueOperator(const Config& config, const tls::Authority& authority,
                                          const std::string& name, absl::Time now) {
  SLIPWAY_RETURN_IF_ERROR(tls::CheckName("operator name", name));
  SLIPWAY_ASSIGN_OR_RETURN(const int port, PortOf(config.listen_operators));
  const std::string all = absl::StrCat(config.dir, "/operators");
  const std::string own = absl::StrCat(all, "/", name);
  SLIPWAY_RETURN_IF_ERROR(MakeFolder(all));
  if (::mkdir(own.c_str(), 0700) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot create ", own));
  }
  SLIPWAY_RETURN_IF_ERROR(
      IssueTo(own + "/operator", authority, tls::Kind::operator_, name, {}, now));
  SLIPWAY_RETURN_IF_ERROR(
      tls::WriteFile(own + "/ca.pem", authority.anchors().root_pem, tls::kPublic));
  SLIPWAY_RETURN_IF_ERROR(tls::WriteClientConfig(
      own + "/config.yaml", {.address = absl::StrCat(config.hosts.front(), ":", port),
                             .ca = "ca.pem",
                             .certificate = "operator.pem",
                             .key = "operator.key"}));
  return own;
}

bool IsGoodStill(const std::string& certificate_pem, absl::Time now) {
  const auto expiry = tls::ExpiryOf(certificate_pem);
  return expiry.ok() && *expiry > now + kRenewBefore;
}

}  // namespace

std::string AuthorityDir(const Config& config) {
  return absl::StrCat(config.dir, "/ca");
}

absl::Status CheckOwner(const std::string& dir, uid_t user) {
  struct stat found = {};
  if (::stat(dir.c_str(), &found) != 0 || found.st_uid == user) return absl::OkStatus();
  const passwd* entry = ::getpwuid(found.st_uid);
  const std::string owner = entry == nullptr ? absl::StrCat(found.st_uid) : entry->pw_name;
  return absl::FailedPreconditionError(absl::StrCat(
      dir, " belongs to ", owner, ", who could not read what another user makes there; ",
      "run it as `runuser -u ", owner, " -- slipway-controller ...`"));
}

absl::Status Initialise(const Config& config, const std::string& operator_name, absl::Time now) {
  SLIPWAY_RETURN_IF_ERROR(tls::CheckName("operator name", operator_name));
  SLIPWAY_RETURN_IF_ERROR(MakeFolder(config.dir));
  SLIPWAY_ASSIGN_OR_RETURN(const tls::Authority authority,
                           tls::Authority::Create(AuthorityDir(config), config.hosts.front(), now));
  SLIPWAY_RETURN_IF_ERROR(OwnCertificate(config, authority, now).status());
  SLIPWAY_RETURN_IF_ERROR(IssueOperator(config, authority, operator_name, now).status());
  return WriteConfig(config);
}

absl::StatusOr<std::string> AddOperator(const Config& config, const std::string& name,
                                        absl::Time now) {
  SLIPWAY_ASSIGN_OR_RETURN(const tls::Authority authority,
                           tls::Authority::Open(AuthorityDir(config)));
  return IssueOperator(config, authority, name, now);
}

absl::StatusOr<tls::KeyMaterial> OwnCertificate(const Config& config,
                                                const tls::Authority& authority, absl::Time now) {
  const std::string folder = absl::StrCat(config.dir, "/tls");
  const std::string base = folder + "/server";
  const std::string hosts = absl::StrJoin(config.hosts, " ") + "\n";
  const auto certificate = tls::ReadFile(base + ".pem");
  const auto issued_for = tls::ReadFile(base + ".hosts");
  if (!certificate.ok() || !IsGoodStill(*certificate, now) || issued_for.value_or("") != hosts) {
    SLIPWAY_RETURN_IF_ERROR(MakeFolder(folder));
    SLIPWAY_RETURN_IF_ERROR(
        IssueTo(base, authority, tls::Kind::controller, "main", config.hosts, now));
    SLIPWAY_RETURN_IF_ERROR(tls::WriteFile(base + ".hosts", hosts, tls::kPublic));
  }
  tls::KeyMaterial material;
  material.ca_pem = authority.anchors().root_pem;
  SLIPWAY_ASSIGN_OR_RETURN(material.certificate_pem, tls::ReadFile(base + ".pem"));
  SLIPWAY_ASSIGN_OR_RETURN(material.key_pem, tls::ReadPrivateFile(base + ".key"));
  return material;
}

}  // namespace slipway::controller
