#include "controller/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/service_type.h>
#include <prometheus/registry.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/artifact/directory_object_store.h"
#include "common/folder_lock.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "common/tls/credentials.h"
#include "common/tls/enrolment_token.h"
#include "common/tls/pem_file.h"
#include "common/tls/verify.h"
#include "controller/fleet/last_report.h"
#include "controller/fleet/pool_events.h"
#include "controller/metrics/controller_gauges.h"
#include "controller/metrics/instruments.h"
#include "controller/metrics/metered.h"
#include "controller/metrics/metrics_listener.h"
#include "controller/metrics/process_gauges.h"
#include "controller/open_store.h"
#include "controller/releases/release_store.h"
#include "controller/rpc/artifact_service.h"
#include "controller/rpc/planned_creation.h"
#include "controller/rpc/releases_in_use.h"
#include "controller/rpc/services.h"
#include "controller/setup.h"

namespace slipway::controller {
namespace {

constexpr int kAgentMessageBytesMax = 1 << 20;
constexpr int kOperatorMessageBytesMax = 4 << 20;
constexpr int kMetadataBytesMax = 16 << 10;
// A session and its transfers; an operator's few calls.
constexpr int kStreamsPerConnection = 64;
// Long calls, and room for short ones beside them.
constexpr int kThreadsMax = kStreamsMax + 24;
constexpr int kGoodbyeSeconds = 2;

// Who enrols is a stranger, who makes one small call: what all of them together may take.
constexpr std::size_t kStrangersMemoryMax = std::size_t{64} << 20;
constexpr int kStrangersThreadsMax = 16;
constexpr int kStreamsPerStranger = 4;
constexpr int kStrangerMessageBytesMax = 64 << 10;
constexpr int kStrangerIdleMs = 10'000;
constexpr int kStrangerConnectionMs = 30'000;
constexpr int kStrangerGraceMs = 5'000;

// What every listener has.
void Harden(grpc::ServerBuilder& builder, int message_bytes_max,
            int streams = kStreamsPerConnection) {
  builder.SetMaxReceiveMessageSize(message_bytes_max);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMetadataBytesMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, streams);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 5'000);
  // Two controllers on one port would share the agents between them.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 15'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_TSI_MAX_FRAME_SIZE, 4096);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.SetDefaultCompressionAlgorithm(GRPC_COMPRESS_NONE);
  grpc::ResourceQuota quota;
  quota.SetMaxThreads(kThreadsMax);
  builder.SetResourceQuota(quota);
}

// As well, where anybody may call. This gRPC cannot count connections: their memory is bounded, and
// none lasts.
void HardenAgainstStrangers(grpc::ServerBuilder& builder) {
  Harden(builder, kStrangerMessageBytesMax, kStreamsPerStranger);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kStrangerIdleMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, kStrangerConnectionMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, kStrangerGraceMs);
  grpc::ResourceQuota quota("strangers");
  quota.Resize(kStrangersMemoryMax).SetMaxThreads(kStrangersThreadsMax);
  builder.SetResourceQuota(quota);
}

// A server with its services, in the order in which they may go.
class Listener {
 public:
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  Listener() = default;
  ~Listener() { Shutdown(); }

  grpc::ServerBuilder& builder() { return builder_; }
  void Add(std::unique_ptr<grpc::Service> service) {
    builder_.RegisterService(service.get());
    services_.push_back(std::move(service));
  }
  // `reached_as` is the name that others use; the port is that which was bound.
  absl::StatusOr<std::string> Listen(const std::string& address, const std::string& reached_as,
                                     std::shared_ptr<grpc::ServerCredentials> credentials) {
    int port = 0;
    builder_.AddListeningPort(address, std::move(credentials), &port);
    server_ = builder_.BuildAndStart();
    if (!server_ || port == 0) {
      return absl::UnavailableError(absl::StrCat("cannot listen on ", address, "; is it in use?"));
    }
    return absl::StrCat(reached_as, ":", port);
  }
  void Shutdown() {
    if (!server_) return;
    server_->Shutdown(gpr_time_add(gpr_now(GPR_CLOCK_REALTIME),
                                   gpr_time_from_seconds(kGoodbyeSeconds, GPR_TIMESPAN)));
  }

 private:
  std::vector<std::unique_ptr<grpc::Service>> services_;
  grpc::ServerBuilder builder_;
  std::unique_ptr<grpc::Server> server_;
};

absl::Status WriteEndpoints(const std::string& dir, const Endpoints& endpoints) {
  return tls::WriteFile(
      dir + "/endpoints.json",
      absl::StrCat("{\"operators\": \"", endpoints.operators, "\", \"agents\": \"",
                   endpoints.agents, "\", \"enrolment\": \"", endpoints.enrolment,
                   "\", \"metrics\": \"", endpoints.metrics, "\"}\n"),
      tls::kPublic);
}

RunnerOptions Counted(Instruments& instruments) {
  RunnerOptions options;
  options.appended = [&](const engine::State& state, const std::vector<engine::Event>& events) {
    instruments.Appended(state, events);
  };
  return options;
}

}  // namespace

// Destroyed in reverse: listeners first, the store last.
class Server::Parts {
 public:
  struct Roots {
    FolderLock lock;
    tls::Authority authority;
    tls::PeerVerifier verifier;
    tls::KeyMaterial certificate;
    std::unique_ptr<Store> store;
    std::unique_ptr<ObjectStore> objects;
    std::string holder;
    std::string ca_pin;
  };

  Parts(Config config, const Clock& clock, Supervisor& supervisor, Roots roots);
  ~Parts();

  absl::Status Run();
  const Endpoints& endpoints() const { return endpoints_; }

 private:
  absl::Status ListenForAgents();
  absl::Status ListenForEnrolment();
  absl::Status ListenForOperators();
  void ListenForMetrics();
  std::map<std::string, absl::Time> Certificates() const;
  // One for each listener: a service belongs to one server.
  std::unique_ptr<grpc::Service> Artifacts() {
    return MakeArtifactService(
        {releases_, store_.registry(),
         [this](const grpc::AuthContext& peer) -> absl::StatusOr<std::string> {
           SLIPWAY_ASSIGN_OR_RETURN(const tls::Identity caller, authorizer_.IdentityOf(peer));
           return tls::UriOf(caller);
         },
         [this] { return FindReleasesInUse(pool_, view_, store_.registry()); }});
  }
  std::shared_ptr<grpc::ServerCredentials> Guarded(
      std::shared_ptr<grpc::ServerCredentials> credentials) {
    authorizer_.Guard(*credentials);
    return credentials;
  }

  const Config config_;
  const Clock& clock_;
  const Roots roots_;
  Endpoints endpoints_;
  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  Instruments instruments_{*registry_};
  MeteredStore store_;
  HostDirectory hosts_;
  FleetView view_;
  const Authorizer authorizer_;
  Enrolment enrolment_;
  PoolEvents events_;
  MeteredEvents metered_events_;
  AgentSessions sessions_;
  MeteredOutbound outbound_;
  RunnerPool pool_;
  ReleaseStore releases_;
  const RolloutReader reader_;
  RolloutStreams streams_;
  PlannedCreation creation_;
  Listener agents_, enrolments_, operators_;
  std::unique_ptr<MetricsListener> metrics_;  // nullptr: nobody listens
};

Server::Parts::Parts(Config config, const Clock& clock, Supervisor& supervisor, Roots roots)
    : config_(std::move(config)),
      clock_(clock),
      roots_(std::move(roots)),
      store_(*roots_.store, clock_, instruments_),
      hosts_(store_.registry()),
      authorizer_(roots_.verifier, hosts_, clock_),
      enrolment_({roots_.authority, store_.registry(), hosts_, clock_}, roots_.ca_pin),
      events_(store_.registry(), view_, clock_),
      metered_events_(events_, instruments_),
      sessions_(
          {authorizer_, view_, metered_events_, clock_, [&supervisor] { supervisor.Alive(); }},
          SessionTiming()),
      outbound_(sessions_, instruments_),
      pool_(store_, clock_, outbound_, roots_.holder, Counted(instruments_)),
      releases_(*roots_.objects, store_.registry(), clock_),
      reader_(pool_, view_),
      streams_({pool_, reader_, sessions_, clock_}),
      creation_({pool_, store_.registry(), releases_, hosts_, view_, clock_}) {}

absl::Status Server::Parts::Run() {
  SLIPWAY_RETURN_IF_ERROR(hosts_.Load());
  for (const auto& host : hosts_.All()) {
    if (!host->report.empty()) view_.Recall(host->id, DecodeLastReport(*host));
  }
  SLIPWAY_RETURN_IF_ERROR(pool_.Recover());
  events_.Start(pool_);
  SLIPWAY_RETURN_IF_ERROR(ListenForAgents());
  SLIPWAY_RETURN_IF_ERROR(ListenForEnrolment());
  enrolment_.ReachedAt({endpoints_.enrolment, endpoints_.agents});
  SLIPWAY_RETURN_IF_ERROR(ListenForOperators());
  ListenForMetrics();
  return WriteEndpoints(config_.dir, endpoints_);
}

Server::Parts::~Parts() {
  metrics_.reset();
  streams_.Stop();
  sessions_.BeginShutdown();
  operators_.Shutdown();
  enrolments_.Shutdown();
  agents_.Shutdown();
  sessions_.Join();
  events_.Stop();
}

absl::Status Server::Parts::ListenForAgents() {
  Harden(agents_.builder(), kAgentMessageBytesMax);
  sessions_.AddTo(agents_.builder());
  agents_.Add(Artifacts());
  SLIPWAY_ASSIGN_OR_RETURN(
      endpoints_.agents, agents_.Listen(config_.listen_agents, config_.hosts.front(),
                                        Guarded(tls::MutualServerCredentials(roots_.certificate))));
  sessions_.Start();
  return absl::OkStatus();
}

absl::Status Server::Parts::ListenForEnrolment() {
  HardenAgainstStrangers(enrolments_.builder());
  enrolments_.Add(MakeEnrolmentService(enrolment_));
  SLIPWAY_ASSIGN_OR_RETURN(
      endpoints_.enrolment,
      enrolments_.Listen(config_.listen_enrolment, config_.hosts.front(),
                         Guarded(tls::EnrolmentServerCredentials(roots_.certificate))));
  return absl::OkStatus();
}

absl::Status Server::Parts::ListenForOperators() {
  Harden(operators_.builder(), kOperatorMessageBytesMax);
  operators_.Add(MakeFleetService({authorizer_, hosts_, view_, store_.registry(), enrolment_,
                                   sessions_, clock_, [this] { return pool_.Degraded(); }}));
  operators_.Add(MakeRolloutService(
      {authorizer_, pool_, store_.registry(), reader_, streams_, creation_, clock_}));
  operators_.Add(Artifacts());
  SLIPWAY_ASSIGN_OR_RETURN(
      endpoints_.operators,
      operators_.Listen(config_.listen_operators, config_.hosts.front(),
                        Guarded(tls::MutualServerCredentials(roots_.certificate))));
  return absl::OkStatus();
}

std::map<std::string, absl::Time> Server::Parts::Certificates() const {
  const tls::TrustAnchors& anchors = roots_.authority.anchors();
  std::map<std::string, std::string> pems = {{"controller", roots_.certificate.certificate_pem},
                                             {"authority", anchors.root_pem}};
  for (const auto& [kind, pem] : anchors.intermediate_pem) {
    pems.emplace("authority_of_" + std::string(tls::ToString(kind)) + "s", pem);
  }
  std::map<std::string, absl::Time> expiries;
  for (const auto& [name, pem] : pems) {
    if (const auto expires = tls::ExpiryOf(pem); expires.ok()) expiries.emplace(name, *expires);
  }
  return expiries;
}

// Whoever cannot be watched can still deploy.
void Server::Parts::ListenForMetrics() {
  if (config_.listen_metrics == kNoMetrics) return;
  const std::string file = config_.store.empty() ? config_.dir + "/store.db" : "";
  auto listener = MetricsListener::Start(
      config_.listen_metrics,
      {registry_, std::make_shared<ProcessGauges>(clock_.Now()),
       std::make_shared<ControllerGauges>(ControllerGauges::Ports{
           pool_, view_, hosts_, sessions_, events_, clock_, config_.dir, file, Certificates()})});
  if (!listener.ok()) {
    log::Warn("nobody can read the metrics", {{"why", std::string(listener.status().message())}});
    return;
  }
  metrics_ = *std::move(listener);
  endpoints_.metrics = metrics_->address();
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Server::~Server() = default;
const Endpoints& Server::endpoints() const {
  return parts_->endpoints();
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Config& config, const Clock& clock,
                                                      Supervisor& supervisor) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  SLIPWAY_ASSIGN_OR_RETURN(FolderLock lock, FolderLock::Take(config.dir));
  SLIPWAY_ASSIGN_OR_RETURN(tls::Authority authority, tls::Authority::Open(AuthorityDir(config)));
  SLIPWAY_ASSIGN_OR_RETURN(tls::PeerVerifier verifier,
                           tls::PeerVerifier::Create(authority.anchors()));
  SLIPWAY_ASSIGN_OR_RETURN(tls::KeyMaterial certificate,
                           OwnCertificate(config, authority, clock.Now()));
  SLIPWAY_ASSIGN_OR_RETURN(std::string ca_pin, tls::SpkiPin(authority.anchors().root_pem));
  SLIPWAY_ASSIGN_OR_RETURN(std::string holder, tls::MakeSecret());
  SLIPWAY_ASSIGN_OR_RETURN(std::unique_ptr<Store> store, OpenStore(config));
  SLIPWAY_ASSIGN_OR_RETURN(std::unique_ptr<ObjectStore> objects,
                           DirectoryObjectStore::Open(config.dir + "/releases"));
  auto parts = std::make_unique<Parts>(
      config, clock, supervisor,
      Parts::Roots{std::move(lock), std::move(authority), std::move(verifier),
                   std::move(certificate), std::move(store), std::move(objects), std::move(holder),
                   std::move(ca_pin)});
  SLIPWAY_RETURN_IF_ERROR(parts->Run());
  log::Info("listening", {{"operators", parts->endpoints().operators},
                          {"agents", parts->endpoints().agents},
                          {"enrolment", parts->endpoints().enrolment}});
  supervisor.Ready(absl::StrCat("operators ", parts->endpoints().operators, ", agents ",
                                parts->endpoints().agents));
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

}  // namespace slipway::controller
