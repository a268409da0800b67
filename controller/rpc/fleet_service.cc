#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "common/grpc_status.h"
#include "common/log.h"
#include "common/nearest_name.h"
#include "common/selector.h"
#include "common/status_macros.h"
#include "common/wire/proto_time.h"
#include "controller/rpc/fleet_convert.h"
#include "controller/rpc/plan_hosts.h"
#include "controller/rpc/services.h"
#include "slipway/v1/fleet.grpc.pb.h"

namespace slipway::controller {
namespace {

constexpr std::uint32_t kPageSize = 1000;
constexpr std::uint32_t kPageSizeMax = 10'000;
constexpr std::size_t kReasonBytesMax = 1024;

absl::Status CheckReason(const std::string& reason, const char* missing) {
  if (reason.empty()) return absl::InvalidArgumentError(missing);
  if (reason.size() <= kReasonBytesMax) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("reason is longer than ", kReasonBytesMax, " bytes"));
}

class FleetService final : public v1::FleetService::Service {
 public:
  explicit FleetService(const FleetServicePorts& ports) : ports_(ports) {}

  grpc::Status ListHosts(grpc::ServerContext*, const v1::ListHostsRequest* request,
                         v1::ListHostsResponse* response) override {
    return ToGrpc(List(*request, *response));
  }
  grpc::Status GetHost(grpc::ServerContext*, const v1::GetHostRequest* request,
                       v1::Host* response) override {
    return ToGrpc(Get({request->name()}, *response));
  }
  grpc::Status CordonHost(grpc::ServerContext* context, const v1::CordonHostRequest* request,
                          v1::Host* response) override {
    return ToGrpc(Cordon(*context, *request, *response));
  }
  grpc::Status UncordonHost(grpc::ServerContext* context, const v1::UncordonHostRequest* request,
                            v1::Host* response) override {
    return ToGrpc(Uncordon(*context, *request, *response));
  }
  grpc::Status LabelHost(grpc::ServerContext* context, const v1::LabelHostRequest* request,
                         v1::Host* response) override {
    return ToGrpc(Label(*context, *request, *response));
  }
  grpc::Status RetireHost(grpc::ServerContext* context, const v1::RetireHostRequest* request,
                          v1::Host* response) override {
    return ToGrpc(Retire(*context, *request, *response));
  }
  grpc::Status CreateEnrolmentToken(grpc::ServerContext* context,
                                    const v1::CreateEnrolmentTokenRequest* request,
                                    v1::CreateEnrolmentTokenResponse* response) override {
    return ToGrpc(MakeToken(*context, *request, *response));
  }

 private:
  // Everything that stands beside the hosts, read once for a call.
  struct Surroundings {
    std::map<HostId, LiveHost> live;
    std::map<HostId, HostLock> locks;
    std::vector<Wanted> wanted;  // by host
  };
  absl::StatusOr<Surroundings> Look() const;
  static HostFacts FactsOf(const HostRecord& record, const Surroundings& around);

  absl::Status List(const v1::ListHostsRequest& request, v1::ListHostsResponse& response) const;
  absl::Status Get(const HostId& host, v1::Host& response) const;
  absl::Status Cordon(const grpc::ServerContext& context, const v1::CordonHostRequest& request,
                      v1::Host& response);
  absl::Status Uncordon(const grpc::ServerContext& context, const v1::UncordonHostRequest& request,
                        v1::Host& response);
  absl::Status Label(const grpc::ServerContext& context, const v1::LabelHostRequest& request,
                     v1::Host& response);
  absl::Status Retire(const grpc::ServerContext& context, const v1::RetireHostRequest& request,
                      v1::Host& response);
  absl::Status MakeToken(const grpc::ServerContext& context,
                         const v1::CreateEnrolmentTokenRequest& request,
                         v1::CreateEnrolmentTokenResponse& response);
  absl::Status NoSuchHost(const HostId& host) const;
  absl::StatusOr<std::string> CallerOf(const grpc::ServerContext& context) const;

  const FleetServicePorts ports_;
};

absl::StatusOr<FleetService::Surroundings> FleetService::Look() const {
  Surroundings around;
  around.live = ports_.view.All();
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<HostLock> locks, ports_.registry.ListLocks());
  for (const HostLock& lock : locks) around.locks[lock.host] = lock;
  SLIPWAY_ASSIGN_OR_RETURN(around.wanted, ports_.registry.ListWanted());
  const auto by_host = [](const Wanted& a, const Wanted& b) {
    return std::tie(a.host, a.app) < std::tie(b.host, b.app);
  };
  // A database may have another order of letters.
  if (!std::is_sorted(around.wanted.begin(), around.wanted.end(), by_host)) {
    std::sort(around.wanted.begin(), around.wanted.end(), by_host);
  }
  return around;
}

HostFacts FleetService::FactsOf(const HostRecord& record, const Surroundings& around) {
  HostFacts facts{.record = record};
  if (const auto it = around.live.find(record.id); it != around.live.end())
    facts.live = &it->second;
  if (const auto it = around.locks.find(record.id); it != around.locks.end())
    facts.lock = &it->second;
  const auto first =
      std::lower_bound(around.wanted.begin(), around.wanted.end(), record.id,
                       [](const Wanted& wish, const HostId& host) { return wish.host < host; });
  const auto last = std::find_if(first, around.wanted.end(),
                                 [&](const Wanted& wish) { return wish.host != record.id; });
  facts.wanted = absl::MakeConstSpan(around.wanted)
                     .subspan(static_cast<std::size_t>(first - around.wanted.begin()),
                              static_cast<std::size_t>(last - first));
  return facts;
}

absl::Status FleetService::List(const v1::ListHostsRequest& request,
                                v1::ListHostsResponse& response) const {
  SLIPWAY_ASSIGN_OR_RETURN(const Selector selector, ParseSelector(request.selector()));
  SLIPWAY_ASSIGN_OR_RETURN(const Surroundings around, Look());
  const std::uint32_t wished = request.page_size() == 0 ? kPageSize : request.page_size();
  const int page_size = static_cast<int>(std::min(wished, kPageSizeMax));
  // One look at a fleet of ten thousand is to take milliseconds: only a host that is sent is made
  // into a message.
  for (const auto& record : ports_.hosts.All()) {
    const HostFacts facts = FactsOf(*record, around);
    if (!selector.parts().empty() &&
        !selector.Matches(record->id.text, LabelsOf(*record, facts.live))) {
      continue;
    }
    response.set_total(response.total() + 1);
    if (IsHealthy(facts)) {
      response.set_healthy(response.healthy() + 1);
    } else if (IsConnected(facts)) {
      response.set_unhealthy(response.unhealthy() + 1);
    } else {
      response.set_silent(response.silent() + 1);
    }
    if (record->cordon) response.set_cordoned(response.cordoned() + 1);
    // Hosts come in the order of their names; the token is the last name of the page before.
    if (record->id.text <= request.page_token()) continue;
    if (request.exceptions_only() && !IsException(facts)) continue;
    if (response.hosts_size() < page_size) {
      Convert(facts, *response.add_hosts());
    } else if (response.next_page_token().empty()) {
      response.set_next_page_token(response.hosts(page_size - 1).name());
    }
  }
  response.set_degraded(ports_.degraded());
  return absl::OkStatus();
}

absl::Status FleetService::NoSuchHost(const HostId& host) const {
  std::vector<std::string> names;
  for (const auto& record : ports_.hosts.All()) names.push_back(record->id.text);
  const std::string near = NearestName(host.text, names);
  return absl::NotFoundError(
      absl::StrCat("no host is called \"", host.text, "\"",
                   near.empty() ? "" : absl::StrCat("; did you mean ", near, "?")));
}

absl::Status FleetService::Get(const HostId& host, v1::Host& response) const {
  const auto record = ports_.hosts.Find(host);
  if (!record) return NoSuchHost(host);
  SLIPWAY_ASSIGN_OR_RETURN(const Surroundings around, Look());
  Convert(FactsOf(*record, around), response);
  return absl::OkStatus();
}

absl::StatusOr<std::string> FleetService::CallerOf(const grpc::ServerContext& context) const {
  SLIPWAY_ASSIGN_OR_RETURN(const tls::Identity identity,
                           ports_.authorizer.IdentityOf(*context.auth_context()));
  return tls::UriOf(identity);
}

absl::Status FleetService::Cordon(const grpc::ServerContext& context,
                                  const v1::CordonHostRequest& request, v1::Host& response) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string who, CallerOf(context));
  const HostId host{request.name()};
  SLIPWAY_RETURN_IF_ERROR(CheckReason(request.reason(), "say why the host is kept out (reason)"));
  if (!ports_.hosts.Find(host)) return NoSuchHost(host);
  SLIPWAY_RETURN_IF_ERROR(ports_.registry.SetCordon(
      host, controller::Cordon{.who = who, .why = request.reason(), .at = ports_.clock.Now()}));
  SLIPWAY_RETURN_IF_ERROR(ports_.hosts.Refresh(host));
  log::Info("host cordoned", {{"host", host.text}, {"by", who}, {"reason", request.reason()}});
  return Get(host, response);
}

absl::Status FleetService::Uncordon(const grpc::ServerContext& context,
                                    const v1::UncordonHostRequest& request, v1::Host& response) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string who, CallerOf(context));
  const HostId host{request.name()};
  if (!ports_.hosts.Find(host)) return NoSuchHost(host);
  SLIPWAY_RETURN_IF_ERROR(ports_.registry.SetCordon(host, std::nullopt));
  SLIPWAY_RETURN_IF_ERROR(ports_.hosts.Refresh(host));
  log::Info("host uncordoned", {{"host", host.text}, {"by", who}, {"reason", request.reason()}});
  return Get(host, response);
}

absl::Status FleetService::Label(const grpc::ServerContext& context,
                                 const v1::LabelHostRequest& request, v1::Host& response) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string who, CallerOf(context));
  const HostId host{request.name()};
  const Labels set(request.set().begin(), request.set().end());
  const std::vector<std::string> removed(request.remove().begin(), request.remove().end());
  if (set.empty() && removed.empty()) {
    return absl::InvalidArgumentError("no label is set or removed");
  }
  const auto record = ports_.hosts.Find(host);
  if (!record) return NoSuchHost(host);
  Labels after = set;
  after.insert(record->labels.begin(), record->labels.end());
  for (const std::string& name : removed) after.erase(name);
  SLIPWAY_RETURN_IF_ERROR(CheckLabels(set));
  SLIPWAY_RETURN_IF_ERROR(CheckLabels(after));  // how many there are
  SLIPWAY_RETURN_IF_ERROR(ports_.registry.ChangeLabels(host, set, removed));
  SLIPWAY_RETURN_IF_ERROR(ports_.hosts.Refresh(host));
  log::Info("labels of a host changed", {{"host", host.text}, {"by", who}});
  return Get(host, response);
}

absl::Status FleetService::Retire(const grpc::ServerContext& context,
                                  const v1::RetireHostRequest& request, v1::Host& response) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string who, CallerOf(context));
  const HostId host{request.name()};
  SLIPWAY_RETURN_IF_ERROR(CheckReason(request.reason(), "say why the host is retired (reason)"));
  // Also of a host that is retired already: then there is nothing left to do.
  const auto known = ports_.registry.GetHost(host);
  if (absl::IsNotFound(known.status())) return NoSuchHost(host);
  SLIPWAY_RETURN_IF_ERROR(known.status());
  SLIPWAY_ASSIGN_OR_RETURN(const Surroundings around, Look());
  if (const auto lock = around.locks.find(host); lock != around.locks.end()) {
    return absl::FailedPreconditionError(
        absl::StrCat(host.text, " belongs to ", lock->second.rollout.text, " (",
                     lock->second.reason, "); wait for its end, or skip the host there"));
  }
  SLIPWAY_RETURN_IF_ERROR(
      ports_.registry.SetHostState(host, HostRecord::State::retired, request.reason()));
  SLIPWAY_RETURN_IF_ERROR(ports_.hosts.Refresh(host));
  ports_.sessions.Expel(host, absl::StrCat(host.text, " is retired: ", request.reason()));
  log::Info("host retired", {{"host", host.text}, {"by", who}, {"reason", request.reason()}});
  Convert(FactsOf(*known, around), response);
  return absl::OkStatus();
}

absl::Status FleetService::MakeToken(const grpc::ServerContext& context,
                                     const v1::CreateEnrolmentTokenRequest& request,
                                     v1::CreateEnrolmentTokenResponse& response) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string who, CallerOf(context));
  SLIPWAY_ASSIGN_OR_RETURN(
      const Enrolment::Token token,
      ports_.enrolment.MakeToken({.request_id = request.request_id(),
                                  .host = {request.host()},
                                  .labels = {request.labels().begin(), request.labels().end()},
                                  .lifetime = absl::Seconds(request.lifetime_s()),
                                  .who = who}));
  response.set_token(token.text);
  SetProto(token.expires, response.mutable_expires());
  return absl::OkStatus();
}

}  // namespace

std::unique_ptr<grpc::Service> MakeFleetService(const FleetServicePorts& ports) {
  return std::make_unique<FleetService>(ports);
}

}  // namespace slipway::controller
