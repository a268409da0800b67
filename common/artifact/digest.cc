#include "common/artifact/digest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/log.h"

namespace slipway {
namespace {

constexpr std::string_view kAlgorithm = "sha256:";

// Fetched once: EVP_sha256() makes OpenSSL 3 look the algorithm up again for every hash.
const EVP_MD* Sha256() {
  static const EVP_MD* const md = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return md;
}

// OpenSSL fails here only when it is broken or memory has run out; no digest can then be trusted.
void Require(bool ok) {
  if (ok) return;
  log::Error("SHA-256 is not available from OpenSSL");
  std::abort();
}

bool IsLowerHex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

}  // namespace

absl::StatusOr<Digest> Digest::Parse(std::string_view text) {
  const bool has_form = text.size() == kAlgorithm.size() + 2 * kBytes &&
                        text.substr(0, kAlgorithm.size()) == kAlgorithm;
  const std::string_view digits = has_form ? text.substr(kAlgorithm.size()) : std::string_view();
  if (!has_form || !std::all_of(digits.begin(), digits.end(), IsLowerHex)) {
    const std::string shown(text.substr(0, 100));
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", absl::CHexEscape(shown), "\" is not a digest (\"sha256:\" and 64 digits of 0-9a-f)"));
  }
  const std::string raw = absl::HexStringToBytes(std::string(digits));
  std::array<std::uint8_t, kBytes> bytes;
  std::copy(raw.begin(), raw.end(), bytes.begin());
  return Digest(bytes);
}

Digest Digest::Of(std::string_view bytes) {
  Hasher hasher;
  hasher.Update(bytes);
  return hasher.Finish();
}

std::string Digest::Hex() const {
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(bytes_.data()), bytes_.size()));
}

std::string Digest::ToString() const {
  return std::string(kAlgorithm) + Hex();
}

std::string Digest::Short() const {
  return Hex().substr(0, 8);
}

struct Hasher::Context {
  EVP_MD_CTX* md = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(md); }
};

Hasher::Hasher() : context_(std::make_unique<Context>()) {
  Require(Sha256() != nullptr && context_->md != nullptr &&
          EVP_DigestInit_ex2(context_->md, Sha256(), nullptr) == 1);
}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::Update(std::string_view bytes) {
  Require(EVP_DigestUpdate(context_->md, bytes.data(), bytes.size()) == 1);
}

Digest Hasher::Finish() {
  std::array<std::uint8_t, Digest::kBytes> out;
  Require(EVP_DigestFinal_ex(context_->md, out.data(), nullptr) == 1 &&
          EVP_DigestInit_ex2(context_->md, nullptr, nullptr) == 1);
  return Digest(out);
}

}  // namespace slipway
