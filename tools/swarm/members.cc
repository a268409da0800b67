#include "tools/swarm/members.h"

#include <sys/stat.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/mutex.h"
#include "common/status_macros.h"
#include "common/tls/authority.h"
#include "common/tls/enrolment_token.h"
#include "common/tls/key.h"
#include "common/tls/pem_file.h"
#include "common/tls/verify.h"
#include "controller/open_store.h"
#include "controller/setup.h"

namespace slipway::swarm {
namespace {

// Each waits for its own transaction; the journal's writer puts those of all into one sync.
constexpr int kThreads = 32;

absl::Time WrittenAt(const std::string& path) {
  struct stat found = {};
  if (::stat(path.c_str(), &found) != 0) return absl::InfinitePast();
  return absl::TimeFromTimespec(found.st_mtim);
}

absl::StatusOr<Member> EnrolOne(const std::string& host, const Order& order,
                                const tls::Authority& authority, controller::Registry& registry,
                                absl::Time now) {
  Member member;
  member.host = host;
  SLIPWAY_ASSIGN_OR_RETURN(member.agent_id, tls::MakeSecret());
  SLIPWAY_ASSIGN_OR_RETURN(member.trust.key_pem, tls::MakeKey());
  SLIPWAY_ASSIGN_OR_RETURN(const std::string public_key, tls::PublicKeyOf(member.trust.key_pem));
  SLIPWAY_ASSIGN_OR_RETURN(member.trust.certificate_pem,
                           authority.IssueLeaf(tls::Kind::agent, host, {}, public_key, now));
  member.trust.ca_pem = authority.anchors().root_pem;
  controller::Certificate certificate;
  certificate.pem = member.trust.certificate_pem;
  SLIPWAY_ASSIGN_OR_RETURN(certificate.serial, tls::SerialOf(certificate.pem));
  SLIPWAY_ASSIGN_OR_RETURN(certificate.fingerprint, tls::FingerprintOf(certificate.pem));
  SLIPWAY_RETURN_IF_ERROR(registry.PutHost(HostId{host}, order.labels, certificate));
  return member;
}

}  // namespace

absl::StatusOr<std::vector<Member>> Enrol(const Order& order, const Clock& clock) {
  controller::Config config;
  config.dir = order.controller_dir;
  SLIPWAY_ASSIGN_OR_RETURN(const tls::Authority authority,
                           tls::Authority::Open(controller::AuthorityDir(config)));
  SLIPWAY_ASSIGN_OR_RETURN(const auto store, controller::OpenStore(config));
  std::vector<Member> members(static_cast<std::size_t>(order.hosts));
  std::atomic<std::size_t> next{0};
  Mutex mu;
  absl::Status failure;  // the last one
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (std::size_t i = next++; i < members.size(); i = next++) {
        auto member = EnrolOne(absl::StrCat(order.prefix, "-", i + 1), order, authority,
                               store->registry(), clock.Now());
        if (member.ok()) {
          members[i] = *std::move(member);
          continue;
        }
        MutexLock lock(mu);
        failure = member.status();
        return;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  SLIPWAY_RETURN_IF_ERROR(failure);
  return members;
}

Endpoints::Endpoints(const std::string& dir)
    : path_(dir + "/endpoints.json"), old_(WrittenAt(path_)) {}

absl::StatusOr<std::string> Endpoints::AwaitAgents(absl::Duration patience,
                                                   const Clock& clock) const {
  const absl::Duration deadline = clock.Monotonic() + patience;
  while (clock.Monotonic() < deadline) {
    const auto text = WrittenAt(path_) == old_ ? "" : tls::ReadFile(path_);
    const auto json = nlohmann::json::parse(text.value_or(""), nullptr, false);
    if (json.is_object() && json.contains("agents")) return json["agents"].get<std::string>();
    clock.Sleep(absl::Milliseconds(20));
  }
  return absl::DeadlineExceededError(absl::StrCat("no controller came up; ", path_, " is old"));
}

}  // namespace slipway::swarm
