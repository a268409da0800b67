#include "common/tls/key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "common/tls/openssl.h"

namespace slipway::tls {
namespace {

std::string RequestSignedBy(EVP_PKEY* named, EVP_PKEY* signer) {
  const RequestPtr request(X509_REQ_new());
  X509_REQ_set_pubkey(request.get(), named);
  X509_REQ_sign(request.get(), signer, EVP_sha256());
  unsigned char* der = nullptr;
  const int size = i2d_X509_REQ(request.get(), &der);
  std::string bytes(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return bytes;
}

void ExpectRefused(const std::string& request, const std::string& why) {
  const auto key = PublicKeyOfRequest(request);
  EXPECT_EQ(key.status().code(), absl::StatusCode::kInvalidArgument) << why;
  EXPECT_THAT(std::string(key.status().message()), testing::HasSubstr(why));
}

TEST(Key, RequestCarriesThePublicHalfOfItsKey) {
  const auto key = MakeKey();
  ASSERT_TRUE(key.ok()) << key.status();
  const auto request = MakeRequest(*key);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(PublicKeyOfRequest(*request).value_or("?"), PublicKeyOf(*key).value_or("!"));
}

TEST(Key, WeakKeysAreRefused) {
  const KeyPtr rsa(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}));
  ExpectRefused(RequestSignedBy(rsa.get(), rsa.get()), "P-256");
  const KeyPtr small(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-192"));
  ExpectRefused(RequestSignedBy(small.get(), small.get()), "P-256");
}

TEST(Key, RequestForSomebodyElsesKeyIsRefused) {
  const KeyPtr mine(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  const KeyPtr theirs(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  ExpectRefused(RequestSignedBy(theirs.get(), mine.get()), "not signed by its own key");
}

TEST(Key, OversizedCutAndPaddedRequestsAreRefused) {
  const auto key = MakeKey();
  ASSERT_TRUE(key.ok());
  const std::string request = MakeRequest(*key).value_or("");
  ExpectRefused(std::string(kRequestBytesMax + 1, '\0'), "larger than");
  ExpectRefused(request + "x", "not readable");
  for (std::size_t size = 0; size < request.size(); ++size) {
    EXPECT_FALSE(PublicKeyOfRequest(request.substr(0, size)).ok()) << size;
  }
}

}  // namespace
}  // namespace slipway::tls
