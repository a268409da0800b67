#include "controller/journal/chain.h"

#include <openssl/evp.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace slipway::controller {
namespace {

// One SHA-256 computation at a time on each thread. Looking up the algorithm costs more than
// hashing a record, so it is fetched once.
class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new()) {
    static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    algorithm_ = algorithm;
  }
  ~Sha256() { EVP_MD_CTX_free(context_); }
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Begin() { EVP_DigestInit_ex2(context_, algorithm_, nullptr); }
  void Add(const void* data, std::size_t size) { EVP_DigestUpdate(context_, data, size); }
  ChainHead End() {
    ChainHead digest;
    EVP_DigestFinal_ex(context_, digest.data(), nullptr);
    return digest;
  }

 private:
  EVP_MD_CTX* const context_;
  const EVP_MD* algorithm_;
};

Sha256& Hasher() {
  thread_local Sha256 hasher;
  return hasher;
}

void PutBigEndian(std::uint64_t value, unsigned char* out) {
  for (int i = 7; i >= 0; --i, value >>= 8) out[i] = static_cast<unsigned char>(value);
}

}  // namespace

ChainHead FirstHead(const RolloutId& rollout) {
  static constexpr std::string_view kDomain = "slipway journal 1\n";
  Sha256& hasher = Hasher();
  hasher.Begin();
  hasher.Add(kDomain.data(), kDomain.size());
  hasher.Add(rollout.text.data(), rollout.text.size());
  return hasher.End();
}

ChainHead NextHead(const ChainHead& previous, std::uint64_t sequence, std::uint64_t epoch,
                   std::string_view bytes) {
  unsigned char place[24];
  PutBigEndian(sequence, place);
  PutBigEndian(epoch, place + 8);
  PutBigEndian(bytes.size(), place + 16);
  Sha256& hasher = Hasher();
  hasher.Begin();
  hasher.Add(previous.data(), previous.size());
  hasher.Add(place, sizeof place);
  hasher.Add(bytes.data(), bytes.size());
  return hasher.End();
}

std::string ToHex(const ChainHead& head) {
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(head.data()), head.size()));
}

std::string Sha256Hex(std::string_view bytes) {
  Sha256& hasher = Hasher();
  hasher.Begin();
  hasher.Add(bytes.data(), bytes.size());
  return ToHex(hasher.End());
}

ChainHead HeadOf(const RolloutId& rollout, std::string_view lease_head) {
  const std::string octets =
      absl::HexStringToBytes(absl::string_view(lease_head.data(), lease_head.size()));
  ChainHead head;
  if (octets.size() != head.size()) return FirstHead(rollout);
  std::copy(octets.begin(), octets.end(), head.begin());
  return head;
}

std::vector<Record> Chained(const RolloutId& rollout, const Lease& lease,
                            const std::vector<std::string>& records) {
  std::vector<Record> chained;
  chained.reserve(records.size());
  ChainHead head = HeadOf(rollout, lease.head);
  for (std::size_t i = 0; i < records.size(); ++i) {
    head = NextHead(head, lease.next + i, lease.epoch, records[i]);
    chained.push_back({lease.next + i, lease.epoch, records[i], ToHex(head)});
  }
  return chained;
}

absl::Status ChainVerifier::Check(std::uint64_t sequence, std::uint64_t epoch,
                                  std::string_view bytes, std::string_view stored_head) {
  if (sequence != sequence_ + 1) {
    return Broken(sequence_ + 1, absl::StrCat("is missing (the next one is ", sequence, ")"));
  }
  if (epoch < epoch_) return Broken(sequence, "has a lower epoch than the one before it");
  head_ = NextHead(head_, sequence, epoch, bytes);
  if (Octets(head_) != stored_head) return Broken(sequence, "does not match its hash");
  sequence_ = sequence;
  epoch_ = epoch;
  return absl::OkStatus();
}

absl::Status ChainVerifier::CheckEnd(std::uint64_t next, std::string_view stored_head) const {
  if (sequence_ + 1 < next) return Broken(sequence_ + 1, "and what follows it is missing");
  if (sequence_ + 1 > next) return Broken(next, "lies behind the recorded end");
  if (Octets(head_) != stored_head) return Broken(sequence_, "is not the recorded end");
  return absl::OkStatus();
}

absl::Status ChainVerifier::Broken(std::uint64_t sequence, std::string_view what) const {
  return absl::DataLossError(absl::StrCat("journal of rollout ", rollout_.text,
                                          " is damaged: record ", sequence, " ", std::string(what),
                                          "; restore the database from a backup"));
}

}  // namespace slipway::controller
