#include "common/tls/identity.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace slipway::tls {
namespace {

constexpr std::string_view kScheme = "slipway://";
constexpr std::size_t kNameBytesMax = 253;  // as a DNS name

bool IsLetterOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool IsNameByte(char c) {
  return IsLetterOrDigit(c) || c == '.' || c == '-' || c == '_';
}

}  // namespace

std::string_view ToString(Kind kind) {
  switch (kind) {
    case Kind::controller:
      return "controller";
    case Kind::agent:
      return "agent";
    case Kind::operator_:
      return "operator";
  }
  return "";
}

std::optional<Kind> ParseKind(std::string_view text) {
  for (const Kind kind : kKinds) {
    if (ToString(kind) == text) return kind;
  }
  return std::nullopt;
}

std::string UriOf(const Identity& identity) {
  return absl::StrCat(std::string(kScheme), identity.trust_domain, "/",
                      std::string(ToString(identity.kind)), "/", identity.name);
}

absl::StatusOr<Identity> ParseUri(std::string_view uri) {
  const auto refused = [] {
    return absl::InvalidArgumentError(
        "the certificate's URI is not slipway://<trust domain>/<kind>/<name>");
  };
  if (uri.substr(0, kScheme.size()) != kScheme) return refused();
  uri.remove_prefix(kScheme.size());
  const auto first = uri.find('/');
  if (first == std::string_view::npos) return refused();
  const auto second = uri.find('/', first + 1);
  if (second == std::string_view::npos) return refused();

  const auto kind = ParseKind(uri.substr(first + 1, second - first - 1));
  if (!kind) return refused();
  Identity identity{std::string(uri.substr(0, first)), *kind, std::string(uri.substr(second + 1))};
  if (!CheckName("trust domain", identity.trust_domain).ok()) return refused();
  if (!CheckName("name", identity.name).ok()) return refused();
  return identity;
}

absl::Status CheckName(std::string_view what, std::string_view name) {
  const bool good = !name.empty() && name.size() <= kNameBytesMax &&
                    std::all_of(name.begin(), name.end(), IsNameByte) &&
                    IsLetterOrDigit(name.front()) && IsLetterOrDigit(name.back());
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "not a ", std::string(what), ": \"", std::string(name.substr(0, 64)),
      "\"; use 1 to 253 of a-z, 0-9, '.', '-' and '_', with a letter or digit at both ends"));
}

}  // namespace slipway::tls
