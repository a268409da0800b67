#include "controller/rpc/agent_sessions.h"

#include <grpcpp/alarm.h>

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/grpc_status.h"
#include "common/log.h"
#include "common/mutex.h"
#include "common/version.h"
#include "common/wire/proto_time.h"
#include "common/wire/session_codec.h"
#include "controller/rpc/agent_session.h"
#include "controller/rpc/hello.h"
#include "controller/rpc/output_routes.h"
#include "slipway/v1/agent_session.grpc.pb.h"

namespace slipway::controller {
namespace {

// An agent that replaces its own session more often than this within the time is two agents.
constexpr int kReplacementsMax = 3;
constexpr absl::Duration kReplacementsWithin = absl::Seconds(15);
constexpr absl::Duration kExpiresSoon = absl::Hours(24 * 30);
// After Close: how long the last word may take to get out.
constexpr absl::Duration kLastWord = absl::Seconds(2);

gpr_timespec After(absl::Duration duration) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_micros(absl::ToInt64Microseconds(duration), GPR_TIMESPAN));
}

// Refusals that are the host's momentary state.
bool MayGoWellLater(v1::Refused::Reason reason) {
  return reason == v1::Refused::STORAGE || reason == v1::Refused::OVERLOADED;
}

}  // namespace

class AgentSessions::Impl {
 public:
  Impl(const Ports& ports, const SessionTiming& timing) : ports_(ports), timing_(timing) {}

  void AddTo(grpc::ServerBuilder& builder) {
    builder.RegisterService(&service_);
    queue_ = builder.AddCompletionQueue();
  }
  void Start() {
    AskForCall();
    thread_ = std::thread([this] { Run(); });
  }
  void BeginShutdown();
  void Join();

  // Runs `work` on the sessions' thread. After Join: drops it.
  void Post(std::function<void()> work) ABSL_LOCKS_EXCLUDED(mu_);
  void Deliver(const HostId& host, v1::ControllerMessage message);
  void AskForOutput(const HostId& host, v1::OutputRequest request,
                    std::shared_ptr<OutputStream> stream);
  void ForgetOutput(const std::shared_ptr<OutputStream>& stream) {
    CancelOutput(outputs_.Forget(stream));
  }
  void CancelOutput(const std::optional<OutputRoutes::Cancel>& cancel);
  void Expel(const HostId& host, const absl::Status& why) {
    const auto it = attached_.find(host);
    if (it != attached_.end()) Refuse(*it->second, why);
  }
  std::size_t waiting() ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    return posted_.size();
  }
  std::string NextRequest() { return absl::StrCat("o", next_request_.fetch_add(1)); }

 private:
  struct Replacements {
    absl::Duration since;
    int count = 0;
  };

  absl::Duration Now() const { return ports_.clock.Monotonic(); }

  void Run();
  void RunPosted() ABSL_LOCKS_EXCLUDED(mu_);
  void CloseQueue() ABSL_LOCKS_EXCLUDED(mu_);
  bool Closed() ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    return closed_;
  }
  void OnTag(const AgentSession::Tag& tag, bool ok);
  void AskForCall();
  void OnCall(AgentSession& session, bool ok);
  void OnRead(AgentSession& session, bool ok);
  void OnHello(AgentSession& session);
  absl::Status MakeRoom(AgentSession& session);
  bool ReplacesTooOften(const HostId& host);
  void Attach(AgentSession& session);
  void OnMessage(AgentSession& session);
  void OnBeat(AgentSession& session, const v1::Beat& beat);
  void OnAnswer(AgentSession& session, const v1::AnswerMessage& message);
  void OnRefused(AgentSession& session, const v1::Refused& message);
  void OnProgress(AgentSession& session, const v1::Progress& message);
  void OnHealth(AgentSession& session, v1::HealthReport report);
  void SendTo(AgentSession& session, v1::ControllerMessage message);
  void Sweep();
  void SweepOne(AgentSession& session);
  // The session leaves the map and the host counts as lost, unless a newer session took over.
  void Detach(AgentSession& session, std::string_view why);
  void Refuse(AgentSession& session, const absl::Status& status);
  void Drop(AgentSession& session, std::string_view why);
  void DeleteIfGone(AgentSession& session);

  // Constant after construction.
  const Ports ports_;
  const SessionTiming timing_;

  // Synchronize themselves.
  v1::AgentSessionService::AsyncService service_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::thread thread_;
  std::atomic<std::uint64_t> next_request_{1};

  // Touched by the sessions' thread alone.
  std::map<AgentSession*, std::unique_ptr<AgentSession>> all_;
  std::map<HostId, AgentSession*> attached_;
  std::map<HostId, Replacements> replacements_;
  OutputRoutes outputs_;
  bool stopping_ = false;

  Mutex mu_;
  std::vector<std::function<void()>> posted_ ABSL_GUARDED_BY(mu_);
  bool woken_ ABSL_GUARDED_BY(mu_) = false;   // the alarm is set and has not come yet
  bool closed_ ABSL_GUARDED_BY(mu_) = false;  // the queue takes no new operation
  grpc::Alarm alarm_ ABSL_GUARDED_BY(mu_);
};

// ---- The thread ----

void AgentSessions::Impl::Run() {
  absl::Duration next_sweep = Now() + timing_.sweep;
  for (;;) {
    void* tag = nullptr;
    bool ok = false;
    const auto next = queue_->AsyncNext(&tag, &ok, After(timing_.sweep));
    if (next == grpc::CompletionQueue::SHUTDOWN) return;
    if (next == grpc::CompletionQueue::GOT_EVENT) {
      if (tag == this) {
        RunPosted();
      } else {
        OnTag(*static_cast<AgentSession::Tag*>(tag), ok);
      }
    }
    if (Now() >= next_sweep) {
      Sweep();
      ports_.swept();
      next_sweep = Now() + timing_.sweep;
    }
  }
}

void AgentSessions::Impl::Post(std::function<void()> work) {
  MutexLock lock(mu_);
  if (closed_) return;
  posted_.push_back(std::move(work));
  if (woken_) return;
  woken_ = true;
  alarm_.Set(queue_.get(), gpr_now(GPR_CLOCK_MONOTONIC), this);
}

void AgentSessions::Impl::RunPosted() {
  std::vector<std::function<void()>> work;
  {
    MutexLock lock(mu_);
    woken_ = false;
    work.swap(posted_);
  }
  for (const auto& one : work) one();
}

void AgentSessions::Impl::BeginShutdown() {
  Post([this] {
    stopping_ = true;
    for (const auto& [key, session] : all_) {
      if (session->phase == AgentSession::Phase::asked) continue;  // the server's shutdown ends it
      Refuse(*session, absl::UnavailableError("the controller is going down"));
    }
  });
}

void AgentSessions::Impl::Join() {
  if (!thread_.joinable()) return;
  Post([this] { CloseQueue(); });
  thread_.join();
}

// On the sessions' thread, since gRPC ends the process when an operation begins on a closed queue:
// from here on what is under way only ends.
void AgentSessions::Impl::CloseQueue() {
  stopping_ = true;
  for (const auto& [key, session] : all_) {
    if (session->phase != AgentSession::Phase::asked)
      Drop(*session, "the controller is going down");
  }
  MutexLock lock(mu_);
  closed_ = true;
  posted_.clear();
  queue_->Shutdown();
}

void AgentSessions::Impl::OnTag(const AgentSession::Tag& tag, bool ok) {
  AgentSession& session = *tag.session;
  switch (tag.op) {
    case AgentSession::Op::call:
      OnCall(session, ok);
      break;
    case AgentSession::Op::read:
      OnRead(session, ok);
      break;
    case AgentSession::Op::write:
      session.WriteDone(ok, Now());
      if (!ok) Drop(session, "the connection broke");
      break;
    case AgentSession::Op::finish:
      session.FinishDone();
      break;
  }
  DeleteIfGone(session);
}

void AgentSessions::Impl::DeleteIfGone(AgentSession& session) {
  if (session.Gone()) all_.erase(&session);
}

// ---- From the call to the attached session ----

void AgentSessions::Impl::AskForCall() {
  auto session = std::make_unique<AgentSession>();
  service_.RequestConnect(&session->context, &session->stream, queue_.get(), queue_.get(),
                          &session->call_tag);
  all_[session.get()] = std::move(session);
}

void AgentSessions::Impl::OnCall(AgentSession& session, bool ok) {
  if (!ok || Closed()) {
    session.phase = AgentSession::Phase::closing;
    return;
  }
  if (!stopping_) AskForCall();
  session.phase = AgentSession::Phase::greeting;
  session.since = session.last_heard = session.last_sent = Now();
  if (stopping_) return Refuse(session, absl::UnavailableError("the controller is going down"));
  const auto peer = session.context.auth_context();
  const auto caller = ports_.authorizer.PeerOf(*peer);
  if (!caller.ok()) return Refuse(session, caller.status());
  session.host = HostId{caller->identity.name};
  session.expires = caller->expires;
  session.Read();
}

void AgentSessions::Impl::OnRead(AgentSession& session, bool ok) {
  session.ReadDone();
  if (session.phase == AgentSession::Phase::closing) return;
  if (!ok) return Drop(session, "the connection broke");
  session.last_heard = Now();
  if (session.phase == AgentSession::Phase::greeting) {
    OnHello(session);
  } else {
    OnMessage(session);
  }
  if (session.phase != AgentSession::Phase::closing) session.Read();
}

void AgentSessions::Impl::OnHello(AgentSession& session) {
  if (!session.incoming.has_hello()) {
    return Refuse(session, absl::InvalidArgumentError("the first message must be a hello"));
  }
  const v1::Hello& hello = session.incoming.hello();
  const absl::Status checked = CheckHello(hello);
  if (!checked.ok()) return Refuse(session, checked);
  session.nonce = hello.nonce();
  session.agent_id = hello.agent_id();
  session.boot_id = hello.boot_id();
  const absl::Status room = MakeRoom(session);
  if (!room.ok()) return Refuse(session, room);
  Attach(session);
}

bool AgentSessions::Impl::ReplacesTooOften(const HostId& host) {
  Replacements& seen = replacements_[host];
  if (Now() - seen.since > kReplacementsWithin) seen = {Now(), 0};
  return ++seen.count > kReplacementsMax;
}

// One host, one session. The same agent that comes back before its old session was found broken
// takes over; anything else is two machines with one identity, and neither is believed.
absl::Status AgentSessions::Impl::MakeRoom(AgentSession& session) {
  const auto it = attached_.find(session.host);
  if (it == attached_.end()) return absl::OkStatus();
  AgentSession& other = *it->second;
  const bool same = other.agent_id == session.agent_id && other.boot_id == session.boot_id;
  if (same && !ReplacesTooOften(session.host)) {
    other.replaced = true;
    Drop(other, "replaced by a newer session");
    DeleteIfGone(other);
    return absl::OkStatus();
  }
  const absl::Status conflict = absl::FailedPreconditionError(
      absl::StrCat("two machines show the certificate of ", session.host.text,
                   "; enrol one of them under a name of its own"));
  log::Error("identity used twice", {{"host", session.host.text},
                                     {"peer", session.context.peer()},
                                     {"other", other.context.peer()}});
  Refuse(other, conflict);
  ports_.view.Conflicting(session.host, std::string(conflict.message()));
  return conflict;
}

void AgentSessions::Impl::Attach(AgentSession& session) {
  v1::Hello& hello = *session.incoming.mutable_hello();
  session.phase = AgentSession::Phase::attached;
  session.since = Now();
  attached_[session.host] = &session;

  const absl::Time now = ports_.clock.Now();
  LiveHost live = LiveHostOf(hello, now);
  live.certificate_expires = session.expires;
  ports_.view.Connected(session.host, std::move(live));
  log::Info("agent attached", {{"host", session.host.text}, {"peer", session.context.peer()}});
  if (session.expires - now < kExpiresSoon) {
    log::Warn("an agent's certificate expires soon; enrol the host again",
              {{"host", session.host.text}, {"expires", absl::FormatTime(session.expires)}});
  }

  v1::ControllerMessage welcome;
  welcome.mutable_welcome()->set_controller_version(std::string(Version()));
  SetProto(now, welcome.mutable_welcome()->mutable_clock());
  SendTo(session, std::move(welcome));
  for (const v1::Witness& witness : hello.witnesses()) {
    ports_.events.Witnessed(
        session.host, {witness.rollout()},
        {witness.epoch(), witness.holder(), witness.sequence(), witness.head()});
  }
  ports_.events.Attached(session.host);
  if (hello.has_health()) ports_.events.Sighted(session.host, ObservedOf(hello.health()));
}

// ---- Messages of an attached session ----

void AgentSessions::Impl::OnMessage(AgentSession& session) {
  ports_.view.Heard(session.host, ports_.clock.Now());
  v1::AgentMessage& message = session.incoming;
  switch (message.kind_case()) {
    case v1::AgentMessage::kBeat:
      return OnBeat(session, message.beat());
    case v1::AgentMessage::kAccepted:
      return;  // nothing depends on it: the answer decides
    case v1::AgentMessage::kRefused:
      return OnRefused(session, message.refused());
    case v1::AgentMessage::kAnswer:
      return OnAnswer(session, message.answer());
    case v1::AgentMessage::kProgress:
      return OnProgress(session, message.progress());
    case v1::AgentMessage::kHealth:
      return OnHealth(session, std::move(*message.mutable_health()));
    case v1::AgentMessage::kOutput:
      return CancelOutput(outputs_.Pass(session.host, std::move(*message.mutable_output())));
    case v1::AgentMessage::kHello:
      return Refuse(session, absl::InvalidArgumentError("a second hello in one session"));
    case v1::AgentMessage::KIND_NOT_SET:
      return;  // a message of a newer agent
  }
}

void AgentSessions::Impl::OnBeat(AgentSession& session, const v1::Beat& beat) {
  if (beat.echo() == 0 || beat.echo() != session.beat || !session.beat_sent) return;
  ports_.view.Measured(session.host, Now() - *std::exchange(session.beat_sent, std::nullopt));
}

void AgentSessions::Impl::OnAnswer(AgentSession& session, const v1::AnswerMessage& message) {
  const auto answer = Decode(message);
  if (!answer.ok()) return Refuse(session, answer.status());
  // A host speaks for itself only.
  if (answer->id.host != session.host) {
    return Refuse(session, absl::PermissionDeniedError("answer to a command of another host"));
  }
  ports_.events.Answered(*answer);
}

void AgentSessions::Impl::OnRefused(AgentSession& session, const v1::Refused& message) {
  const auto id = ParseCommandId(message.id());
  if (!id || id->host != session.host) {
    return Refuse(session, absl::PermissionDeniedError("refusal of a command of another host"));
  }
  log::Warn("agent refused a command", {{"command", message.id()}, {"why", message.text()}});
  // Of an earlier session: it was sent again when this one attached.
  if (message.reason() == v1::Refused::OLD_NONCE) return;
  ports_.events.Refused(*id, MayGoWellLater(message.reason()), message.text());
}

void AgentSessions::Impl::OnProgress(AgentSession& session, const v1::Progress& message) {
  const auto id = ParseCommandId(message.id());
  if (!id || id->host != session.host) return;
  ports_.view.Progressed(session.host, {*id, message.text(), message.done(), message.total()});
}

void AgentSessions::Impl::OnHealth(AgentSession& session, v1::HealthReport report) {
  ports_.events.Sighted(session.host, ObservedOf(report));
  const absl::Duration offset =
      report.has_clock() ? FromProto(report.clock()) - ports_.clock.Now() : absl::ZeroDuration();
  ports_.view.Reported(session.host, std::make_shared<v1::HealthReport>(std::move(report)), offset);
}

// ---- To agents ----

void AgentSessions::Impl::Deliver(const HostId& host, v1::ControllerMessage message) {
  const auto it = attached_.find(host);
  if (it == attached_.end()) return;
  if (message.has_command()) message.mutable_command()->set_nonce(it->second->nonce);
  SendTo(*it->second, std::move(message));
}

void AgentSessions::Impl::SendTo(AgentSession& session, v1::ControllerMessage message) {
  if (!session.Send(std::move(message), Now())) Drop(session, "it does not read what it is sent");
}

void AgentSessions::Impl::AskForOutput(const HostId& host, v1::OutputRequest request,
                                       std::shared_ptr<OutputStream> stream) {
  if (attached_.count(host) == 0) {
    return stream->End(absl::UnavailableError(absl::StrCat(host.text, " is not connected")));
  }
  outputs_.Add(request.request(), host, std::move(stream));
  v1::ControllerMessage message;
  *message.mutable_output() = std::move(request);
  Deliver(host, std::move(message));
}

void AgentSessions::Impl::CancelOutput(const std::optional<OutputRoutes::Cancel>& cancel) {
  if (!cancel) return;
  v1::ControllerMessage message;
  message.mutable_output()->set_request(cancel->request);
  message.mutable_output()->set_cancel(true);
  Deliver(cancel->host, std::move(message));
}

// ---- Time, and the end ----

void AgentSessions::Impl::Sweep() {
  std::vector<AgentSession*> now;  // SweepOne may delete
  now.reserve(all_.size());
  for (const auto& [key, session] : all_) now.push_back(key);
  for (AgentSession* const session : now) {
    SweepOne(*session);
    DeleteIfGone(*session);
  }
}

void AgentSessions::Impl::SweepOne(AgentSession& session) {
  const absl::Duration now = Now();
  switch (session.phase) {
    case AgentSession::Phase::asked:
      return;
    case AgentSession::Phase::closing:
      if (now - session.since > kLastWord) session.Cancel(session.since);
      return;
    case AgentSession::Phase::greeting:
      if (now - session.since > timing_.greeting) Drop(session, "no hello");
      return;
    case AgentSession::Phase::attached:
      break;
  }
  if (now - session.last_heard > timing_.silence) return Drop(session, "silent");
  if (session.writing() && now - session.write_began > timing_.stuck) {
    return Drop(session, "it does not read what it is sent");
  }
  if (ports_.clock.Now() > session.expires) {
    return Refuse(session, absl::UnauthenticatedError("the certificate has expired"));
  }
  if (now - session.last_sent < timing_.beat || session.writing()) return;
  v1::ControllerMessage message;
  message.mutable_beat()->set_number(++session.beat);
  session.beat_sent = now;
  SendTo(session, std::move(message));
}

void AgentSessions::Impl::Detach(AgentSession& session, std::string_view why) {
  const auto it = attached_.find(session.host);
  if (it == attached_.end() || it->second != &session) return;
  attached_.erase(it);
  log::Info("agent detached", {{"host", session.host.text}, {"why", std::string(why)}});
  outputs_.HostLeft(session.host);
  if (session.replaced) return;
  ports_.view.Disconnected(session.host, ports_.clock.Now());
  ports_.events.Lost(session.host);
}

void AgentSessions::Impl::Refuse(AgentSession& session, const absl::Status& status) {
  if (session.phase == AgentSession::Phase::greeting && !session.host.text.empty()) {
    log::Warn("agent refused",
              {{"host", session.host.text}, {"why", std::string(status.message())}});
  }
  Detach(session, std::string(status.message()));
  session.Close(ToGrpc(status), Now());
}

void AgentSessions::Impl::Drop(AgentSession& session, std::string_view why) {
  Detach(session, why);
  session.Cancel(Now());
}

// ---- The public face ----

AgentSessions::AgentSessions(const Ports& ports, const SessionTiming& timing)
    : impl_(std::make_unique<Impl>(ports, timing)) {}
AgentSessions::~AgentSessions() = default;

void AgentSessions::AddTo(grpc::ServerBuilder& builder) {
  impl_->AddTo(builder);
}
void AgentSessions::Start() {
  impl_->Start();
}
void AgentSessions::BeginShutdown() {
  impl_->BeginShutdown();
}
void AgentSessions::Join() {
  impl_->Join();
}

void AgentSessions::Send(const HostId& host, Command command) {
  auto message = std::make_shared<v1::ControllerMessage>();
  Encode(command, *message->mutable_command());
  impl_->Post([this, host, message] { impl_->Deliver(host, std::move(*message)); });
}

void AgentSessions::Acknowledge(const HostId& host, const CommandId& id) {
  impl_->Post([this, host, id] {
    v1::ControllerMessage message;
    message.mutable_ack()->set_id(ToString(id));
    impl_->Deliver(host, std::move(message));
  });
}

void AgentSessions::Closed(const HostId& host, const RolloutId& rollout) {
  impl_->Post([this, host, rollout] {
    v1::ControllerMessage message;
    message.mutable_closed()->set_rollout(rollout.text);
    impl_->Deliver(host, std::move(message));
  });
}

std::size_t AgentSessions::waiting() const {
  return impl_->waiting();
}

void AgentSessions::Expel(const HostId& host, const std::string& why) {
  impl_->Post([this, host, why] { impl_->Expel(host, absl::PermissionDeniedError(why)); });
}

std::shared_ptr<OutputStream> AgentSessions::OpenOutput(const CommandId& id, bool follow) {
  auto stream = std::make_shared<OutputStream>();
  v1::OutputRequest request;
  request.set_request(impl_->NextRequest());
  request.set_id(ToString(id));
  request.set_follow(follow);
  impl_->Post(
      [this, host = id.host, request, stream] { impl_->AskForOutput(host, request, stream); });
  return stream;
}

void AgentSessions::CloseOutput(const std::shared_ptr<OutputStream>& stream) {
  impl_->Post([this, stream] { impl_->ForgetOutput(stream); });
}

}  // namespace slipway::controller
