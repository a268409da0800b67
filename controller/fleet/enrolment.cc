#include "controller/fleet/enrolment.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "common/tls/enrolment_token.h"
#include "common/tls/key.h"
#include "common/tls/verify.h"

namespace slipway::controller {
namespace {

constexpr absl::Duration kLifetime = absl::Minutes(10);
constexpr absl::Duration kLifetimeMax = absl::Hours(24);
constexpr std::size_t kLabelsMax = 64;
constexpr std::size_t kLabelBytesMax = 1024;  // a value; paths are among them
constexpr std::size_t kSecretBytesMax = 256;
constexpr char kMethod[] = "CreateEnrolmentToken";

bool IsLabelValue(const std::string& value) {
  return value.size() <= kLabelBytesMax &&
         std::all_of(value.begin(), value.end(),
                     [](unsigned char c) { return c > 0x20 && c != 0x7f && c != ',' && c != '='; });
}

}  // namespace

absl::Status CheckLabels(const Labels& labels) {
  if (labels.size() > kLabelsMax) {
    return absl::InvalidArgumentError(absl::StrCat("more than ", kLabelsMax, " labels"));
  }
  for (const auto& [key, value] : labels) {
    SLIPWAY_RETURN_IF_ERROR(tls::CheckName("label", key));
    if (!IsLabelValue(value)) {
      return absl::InvalidArgumentError(
          absl::StrCat("the value of label ", key, " is longer than ", kLabelBytesMax,
                       " bytes or has a space, a comma, an equals sign or a control character"));
    }
  }
  return absl::OkStatus();
}

Enrolment::Enrolment(const Ports& ports, std::string ca_pin)
    : ports_(ports), ca_pin_(std::move(ca_pin)) {}

void Enrolment::ReachedAt(Addresses addresses) {
  MutexLock lock(mu_);
  addresses_ = std::move(addresses);
}

Enrolment::Addresses Enrolment::addresses() const {
  MutexLock lock(mu_);
  return addresses_;
}

absl::StatusOr<Enrolment::Token> Enrolment::MakeToken(const TokenRequest& request) {
  if (request.request_id.empty()) return absl::InvalidArgumentError("request_id is missing");
  SLIPWAY_RETURN_IF_ERROR(tls::CheckName("host name", request.host.text));
  SLIPWAY_RETURN_IF_ERROR(CheckLabels(request.labels));
  const absl::Duration lifetime =
      request.lifetime == absl::ZeroDuration() ? kLifetime : request.lifetime;
  if (lifetime < absl::ZeroDuration() || lifetime > kLifetimeMax) {
    return absl::InvalidArgumentError("a token lives for a day at most");
  }
  if (ports_.hosts.Find(request.host)) {
    return absl::AlreadyExistsError(
        absl::StrCat(request.host.text, " is enrolled; retire it first, or choose another name"));
  }
  const absl::Time now = ports_.clock.Now();
  const absl::Status first = ports_.registry.AddRequest({kMethod, request.request_id, "", now});
  if (absl::IsAlreadyExists(first)) {
    return absl::FailedPreconditionError(
        "this request was answered; the token cannot be shown again: ask with a new request_id");
  }
  SLIPWAY_RETURN_IF_ERROR(first);
  SLIPWAY_RETURN_IF_ERROR(ports_.registry.DropTokens(now - kLifetimeMax));
  SLIPWAY_ASSIGN_OR_RETURN(const std::string secret, tls::MakeSecret());
  const EnrolToken token{.hash = tls::HashOfSecret(secret),
                         .host = request.host,
                         .labels = request.labels,
                         .created_by = request.who,
                         .expires = now + lifetime,
                         .used_by_key = ""};
  SLIPWAY_RETURN_IF_ERROR(ports_.registry.AddToken(token));
  log::Info("enrolment token made", {{"host", request.host.text}, {"by", request.who}});
  return Token{tls::Format({addresses().enrolment, ca_pin_, request.host.text, secret}),
               token.expires};
}

absl::StatusOr<Enrolment::Certified> Enrolment::Enrol(std::string_view secret, const HostId& host,
                                                      std::string_view request_der) {
  if (secret.empty() || secret.size() > kSecretBytesMax) {
    return absl::UnauthenticatedError("not a token");
  }
  SLIPWAY_RETURN_IF_ERROR(tls::CheckName("host name", host.text));
  SLIPWAY_ASSIGN_OR_RETURN(const std::string public_key, tls::PublicKeyOfRequest(request_der));
  const std::string pin = tls::HashOfSecret(public_key);
  const auto token =
      ports_.registry.ConsumeToken(tls::HashOfSecret(secret), host, pin, ports_.clock.Now());
  if (absl::IsNotFound(token.status()) || absl::IsFailedPrecondition(token.status())) {
    // One answer for all: whoever guesses learns nothing.
    log::Warn("enrolment refused",
              {{"host", host.text}, {"why", std::string(token.status().message())}});
    return absl::UnauthenticatedError(
        "the token is unknown, spent, expired or for another host; ask for a new one");
  }
  if (!token.ok()) return token.status();
  SLIPWAY_ASSIGN_OR_RETURN(std::string certificate, CertificateFor(*token, public_key, pin));
  return Certified{std::move(certificate), ports_.authority.anchors().root_pem, addresses().agents};
}

absl::StatusOr<std::string> Enrolment::CertificateFor(const EnrolToken& token,
                                                      const std::string& public_key,
                                                      const std::string& pin) {
  // The same key again: its answer was lost, and it gets the same certificate.
  if (const auto known = ports_.hosts.Find(token.host)) {
    const auto known_pin = tls::SpkiPin(known->certificate.pem);
    if (known_pin.ok() && *known_pin == pin) return known->certificate.pem;
  }
  SLIPWAY_ASSIGN_OR_RETURN(
      std::string pem, ports_.authority.IssueLeaf(tls::Kind::agent, token.host.text, {}, public_key,
                                                  ports_.clock.Now()));
  Certificate certificate;
  certificate.pem = pem;
  SLIPWAY_ASSIGN_OR_RETURN(certificate.serial, tls::SerialOf(pem));
  SLIPWAY_ASSIGN_OR_RETURN(certificate.fingerprint, tls::FingerprintOf(pem));
  SLIPWAY_RETURN_IF_ERROR(ports_.registry.PutHost(token.host, token.labels, certificate));
  SLIPWAY_RETURN_IF_ERROR(ports_.hosts.Refresh(token.host));
  log::Info("host enrolled", {{"host", token.host.text},
                              {"by", token.created_by},
                              {"certificate", certificate.fingerprint}});
  return pem;
}

}  // namespace slipway::controller
