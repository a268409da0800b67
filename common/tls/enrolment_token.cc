#include "common/tls/enrolment_token.h"

#include <openssl/rand.h>
#include <openssl/sha.h>

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/tls/openssl.h"

namespace slipway::tls {
namespace {

constexpr std::string_view kPrefix = "swt1.";
constexpr std::size_t kTextBytesMax = 1024;

}  // namespace

std::string Format(const EnrolmentToken& token) {
  const std::string plain =
      absl::StrCat(token.address, "\n", token.ca_pin, "\n", token.host, "\n", token.secret, "\n");
  return absl::StrCat(std::string(kPrefix), absl::WebSafeBase64Escape(plain));
}

absl::StatusOr<EnrolmentToken> ParseEnrolmentToken(std::string_view text) {
  const auto refused = [] {
    return absl::InvalidArgumentError(
        "this is not an enrolment token (swt1.…); copy the whole line or ask for a new one");
  };
  const auto trimmed = absl::StripAsciiWhitespace({text.data(), text.size()});
  text = {trimmed.data(), trimmed.size()};
  if (text.size() > kTextBytesMax || text.substr(0, kPrefix.size()) != kPrefix) return refused();
  const std::string encoded(text.substr(kPrefix.size()));
  std::string plain;
  if (!absl::WebSafeBase64Unescape(encoded, &plain)) return refused();
  const std::vector<std::string> parts = absl::StrSplit(plain, '\n');
  if (parts.size() != 5 || !parts[4].empty()) return refused();
  if (parts[0].empty() || parts[1].size() != 71 || parts[1].substr(0, 7) != "sha256:" ||
      parts[2].empty() || parts[3].empty()) {
    return refused();
  }
  return EnrolmentToken{parts[0], parts[1], parts[2], parts[3]};
}

absl::StatusOr<std::string> MakeSecret() {
  unsigned char bytes[32];
  if (RAND_bytes(bytes, sizeof bytes) != 1) return OpensslError("no randomness");
  return absl::WebSafeBase64Escape({reinterpret_cast<char*>(bytes), sizeof bytes});
}

std::string HashOfSecret(std::string_view secret) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(secret.data()), secret.size(), digest);
  return absl::StrCat("sha256:",
                      absl::BytesToHexString({reinterpret_cast<char*>(digest), sizeof digest}));
}

}  // namespace slipway::tls
