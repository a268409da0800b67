#include "agent/session/controller_session.h"

#include <grpcpp/alarm.h>

#include <functional>
#include <limits>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/session/connection.h"
#include "common/backoff.h"
#include "common/grpc_status.h"
#include "common/log.h"
#include "common/mutex.h"
#include "common/random.h"
#include "common/tls/credentials.h"
#include "common/tls/enrolment_token.h"
#include "common/wire/proto_time.h"
#include "common/wire/session_codec.h"

namespace slipway::agent {
namespace {

gpr_timespec After(absl::Duration duration) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_micros(absl::ToInt64Microseconds(duration), GPR_TIMESPAN));
}

v1::Refused::Reason ReasonOf(Refusal::Why why) {
  switch (why) {
    case Refusal::Why::wrong_host:
      return v1::Refused::WRONG_HOST;
    case Refusal::Why::other_session:
      return v1::Refused::OLD_NONCE;
    case Refusal::Why::unknown_direction:
      return v1::Refused::UNKNOWN_ACTION;
    case Refusal::Why::closed_rollout:
      return v1::Refused::CLOSED;
    case Refusal::Why::stale_epoch:
      return v1::Refused::OLD_EPOCH;
    case Refusal::Why::other_holder:
      return v1::Refused::OTHER_HOLDER;
    case Refusal::Why::epoch_jump:
      return v1::Refused::EPOCH_JUMP;
    case Refusal::Why::old_attempt:
      return v1::Refused::OLD_ATTEMPT;
    case Refusal::Why::overloaded:
      return v1::Refused::OVERLOADED;
    case Refusal::Why::no_space:
      return v1::Refused::STORAGE;
  }
  return v1::Refused::REASON_UNSPECIFIED;
}

bool RefusesUsForGood(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAUTHENTICATED ||
         status.error_code() == grpc::StatusCode::PERMISSION_DENIED;
}

}  // namespace

class ControllerSession::Impl {
 public:
  Impl(std::string address, const tls::KeyMaterial& material, const AgentTiming& timing,
       const Clock& clock, SessionHandler& handler)
      : address_(std::move(address)),
        credentials_(tls::MutualChannelCredentials(material)),
        timing_(timing),
        clock_(clock),
        handler_(handler),
        retry_at_(clock.Monotonic()) {}

  void Start() {
    thread_ = std::thread([this] { Run(); });
  }
  void Stop();
  void Send(v1::AgentMessage message);
  std::size_t waiting_bytes() const { return waiting_bytes_; }
  std::optional<absl::Duration> clock_offset() const {
    const std::int64_t micros = clock_offset_us_;
    if (micros == kNoOffset) return std::nullopt;
    return absl::Microseconds(micros);
  }

 private:
  absl::Duration Now() const { return clock_.Monotonic(); }

  void Run();
  void Post(std::function<void()> work) ABSL_LOCKS_EXCLUDED(mu_);
  void RunPosted() ABSL_LOCKS_EXCLUDED(mu_);
  void Dial();
  void OnTag(Connection::Op op, bool ok);
  void Greet();
  void OnRead();
  void OnWelcome();
  void OnMessage();
  void OnCommand(const v1::CommandMessage& message);
  void Ended();
  void KeepTime();
  absl::Duration NextDue() const;

  // Constant after construction.
  const std::string address_;
  const std::shared_ptr<grpc::ChannelCredentials> credentials_;
  const AgentTiming timing_;
  const Clock& clock_;
  SessionHandler& handler_;

  // Synchronize themselves.
  tls::SessionCache tls_sessions_;
  grpc::CompletionQueue queue_;
  std::thread thread_;
  std::atomic<std::size_t> waiting_bytes_{0};
  static constexpr std::int64_t kNoOffset = std::numeric_limits<std::int64_t>::min();
  std::atomic<std::int64_t> clock_offset_us_{kNoOffset};

  // Touched by the session's thread alone.
  std::unique_ptr<Connection> connection_;  // nullptr: waiting for retry_at_
  absl::Duration retry_at_;
  int attempt_ = 0;
  bool rejected_ = false;
  bool stopping_ = false;
  std::mt19937_64 chance_{RandomSeed()};

  Mutex mu_;
  std::vector<std::function<void()>> posted_ ABSL_GUARDED_BY(mu_);
  bool woken_ ABSL_GUARDED_BY(mu_) = false;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  grpc::Alarm alarm_ ABSL_GUARDED_BY(mu_);
};

// ---- The thread ----

void ControllerSession::Impl::Run() {
  while (!stopping_ || connection_) {
    KeepTime();
    void* tag = nullptr;
    bool ok = false;
    if (queue_.AsyncNext(&tag, &ok, After(NextDue() - Now())) != grpc::CompletionQueue::GOT_EVENT) {
      continue;
    }
    if (tag == this) {
      RunPosted();
    } else {
      OnTag(static_cast<Connection::Tag*>(tag)->op, ok);
    }
  }
}

void ControllerSession::Impl::Stop() {
  if (!thread_.joinable()) return;
  Post([this] {
    stopping_ = true;
    if (connection_) connection_->Cancel("the agent is going down", Now());
  });
  thread_.join();
  {
    MutexLock lock(mu_);
    closed_ = true;
  }
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

void ControllerSession::Impl::Post(std::function<void()> work) {
  MutexLock lock(mu_);
  if (closed_) return;
  posted_.push_back(std::move(work));
  if (woken_) return;
  woken_ = true;
  alarm_.Set(&queue_, gpr_now(GPR_CLOCK_MONOTONIC), this);
}

void ControllerSession::Impl::RunPosted() {
  std::vector<std::function<void()>> work;
  {
    MutexLock lock(mu_);
    woken_ = false;
    work.swap(posted_);
  }
  for (const auto& one : work) one();
}

// Does what time asks for; NextDue says when it will next.
void ControllerSession::Impl::KeepTime() {
  const absl::Duration now = Now();
  if (!connection_) {
    if (!rejected_ && !stopping_ && now >= retry_at_) Dial();
    return;
  }
  Connection& it = *connection_;
  if (it.phase == Connection::Phase::dialling && now - it.since >= timing_.dial) {
    it.Cancel(absl::StrCat("no welcome from ", address_), now);
  }
  if (it.phase != Connection::Phase::attached) return;
  if (now - it.last_heard >= timing_.silence) return it.Cancel("the controller is silent", now);
  if (now - it.last_sent < timing_.beat) return;
  v1::AgentMessage beat;
  beat.mutable_beat();
  it.last_sent = now;  // also when it only joins a queue that moves on
  if (!it.Send(std::move(beat), now)) it.Cancel("the controller does not read", now);
}

absl::Duration ControllerSession::Impl::NextDue() const {
  if (!connection_) return rejected_ ? Now() + absl::Hours(1) : retry_at_;
  const Connection& it = *connection_;
  switch (it.phase) {
    case Connection::Phase::dialling:
      return it.since + timing_.dial;
    case Connection::Phase::attached:
      return std::min(it.last_heard + timing_.silence, it.last_sent + timing_.beat);
    case Connection::Phase::ending:
      break;
  }
  return Now() + absl::Seconds(1);
}

// ---- One connection ----

void ControllerSession::Impl::Dial() {
  // A channel of its own for each attempt: nothing of the last one, least of all its back-off.
  auto channel = grpc::CreateCustomChannel(address_, credentials_,
                                           tls::SessionChannelArguments(tls_sessions_));
  connection_ = std::make_unique<Connection>(std::move(channel), &queue_, waiting_bytes_, Now());
}

void ControllerSession::Impl::OnTag(Connection::Op op, bool ok) {
  Connection& it = *connection_;
  switch (op) {
    case Connection::Op::start:
      it.StartDone(ok);
      if (ok) Greet();
      return;
    case Connection::Op::read:
      if (it.ReadDone(ok)) OnRead();
      return;
    case Connection::Op::write:
      return it.WriteDone(ok, Now());
    case Connection::Op::finish:
      it.FinishDone();
      return Ended();
  }
}

void ControllerSession::Impl::Greet() {
  auto nonce = tls::MakeSecret();
  if (!nonce.ok()) return connection_->Cancel(std::string(nonce.status().message()), Now());
  connection_->nonce = *nonce;
  v1::AgentMessage message;
  v1::Hello& hello = *message.mutable_hello();
  handler_.FillHello(hello);
  hello.set_protocol(1);
  hello.set_nonce(*nonce);
  SetProto(clock_.Now(), hello.mutable_clock());
  connection_->Send(std::move(message), Now());
}

void ControllerSession::Impl::OnRead() {
  connection_->last_heard = Now();
  switch (connection_->phase) {
    case Connection::Phase::dialling:
      OnWelcome();
      break;
    case Connection::Phase::attached:
      OnMessage();
      break;
    case Connection::Phase::ending:
      break;
  }
  connection_->Read();
}

void ControllerSession::Impl::OnWelcome() {
  if (!connection_->incoming.has_welcome()) {
    return connection_->Cancel("the controller's first message is no welcome", Now());
  }
  connection_->phase = Connection::Phase::attached;
  connection_->since = Now();
  connection_->welcomed = Now();
  const v1::Welcome& welcome = connection_->incoming.welcome();
  if (welcome.has_clock()) {
    clock_offset_us_ = absl::ToInt64Microseconds(clock_.Now() - FromProto(welcome.clock()));
  }
  log::Info("connected", {{"controller", address_},
                          {"version", connection_->incoming.welcome().controller_version()}});
  handler_.Connected();
}

void ControllerSession::Impl::OnMessage() {
  const v1::ControllerMessage& message = connection_->incoming;
  switch (message.kind_case()) {
    case v1::ControllerMessage::kBeat: {
      v1::AgentMessage echo;
      echo.mutable_beat()->set_echo(message.beat().number());
      connection_->Send(std::move(echo), Now());
      return;
    }
    case v1::ControllerMessage::kCommand:
      return OnCommand(message.command());
    case v1::ControllerMessage::kAck:
      if (const auto id = ParseCommandId(message.ack().id())) handler_.Acknowledged(*id);
      return;
    case v1::ControllerMessage::kClosed:
      return handler_.Closed({message.closed().rollout()});
    case v1::ControllerMessage::kOutput:
      return handler_.OutputWanted(message.output());
    case v1::ControllerMessage::kWelcome:
    case v1::ControllerMessage::KIND_NOT_SET:
      return;  // a message of a newer controller
  }
}

void ControllerSession::Impl::OnCommand(const v1::CommandMessage& message) {
  const auto command = Decode(message);
  if (command.ok()) return handler_.Received(*command, connection_->nonce);
  log::Warn("command refused",
            {{"command", message.id()}, {"why", std::string(command.status().message())}});
  v1::AgentMessage refused;
  refused.mutable_refused()->set_id(message.id());
  refused.mutable_refused()->set_reason(v1::Refused::UNKNOWN_ACTION);
  refused.mutable_refused()->set_text(std::string(command.status().message()));
  connection_->Send(std::move(refused), Now());
}

void ControllerSession::Impl::Ended() {
  const std::unique_ptr<Connection> it = std::move(connection_);
  if (stopping_) return;
  if (it->welcomed) handler_.Disconnected();
  const std::string why = it->why.empty() ? it->status.error_message() : it->why;
  if (it->why.empty() && RefusesUsForGood(it->status)) {
    rejected_ = true;
    return handler_.Rejected(FromGrpc(it->status));
  }
  if (it->welcomed && Now() - *it->welcomed >= timing_.steady) attempt_ = 0;
  absl::Duration wait = FullJitter({}, attempt_++, std::uniform_real_distribution<>(0, 1)(chance_));
  if (it->status.error_code() == grpc::StatusCode::FAILED_PRECONDITION) wait = timing_.conflict;
  retry_at_ = Now() + wait;
  log::Warn("not connected",
            {{"controller", address_},
             {"why", why},
             {"again_in", absl::FormatDuration(absl::Trunc(wait, absl::Milliseconds(1)))}});
}

void ControllerSession::Impl::Send(v1::AgentMessage message) {
  auto shared = std::make_shared<v1::AgentMessage>(std::move(message));
  Post([this, shared] {
    if (!connection_ || connection_->phase != Connection::Phase::attached) return;
    if (!connection_->Send(std::move(*shared), Now())) {
      connection_->Cancel("the controller does not read", Now());
    }
  });
}

// ---- The public face ----

ControllerSession::ControllerSession(std::string address, const tls::KeyMaterial& material,
                                     const AgentTiming& timing, const Clock& clock,
                                     SessionHandler& handler)
    : impl_(std::make_unique<Impl>(std::move(address), material, timing, clock, handler)) {}
ControllerSession::~ControllerSession() {
  impl_->Stop();
}

void ControllerSession::Start() {
  impl_->Start();
}
void ControllerSession::Stop() {
  impl_->Stop();
}
std::optional<absl::Duration> ControllerSession::clock_offset() const {
  return impl_->clock_offset();
}
std::size_t ControllerSession::waiting_bytes() const {
  return impl_->waiting_bytes();
}

void ControllerSession::Accepted(const Acceptance& acceptance) {
  v1::AgentMessage message;
  message.mutable_accepted()->set_id(ToString(acceptance.id));
  impl_->Send(std::move(message));
}

void ControllerSession::Refused(const Refusal& refusal) {
  v1::AgentMessage message;
  message.mutable_refused()->set_id(ToString(refusal.id));
  message.mutable_refused()->set_reason(ReasonOf(refusal.why));
  message.mutable_refused()->set_text(refusal.text);
  impl_->Send(std::move(message));
}

void ControllerSession::Answered(const Answer& answer) {
  v1::AgentMessage message;
  Encode(answer, *message.mutable_answer());
  impl_->Send(std::move(message));
}

void ControllerSession::Report(const v1::HealthReport& report) {
  v1::AgentMessage message;
  *message.mutable_health() = report;
  impl_->Send(std::move(message));
}

void ControllerSession::Progress(const CommandId& id, const std::string& text, std::uint64_t done,
                                 std::uint64_t total) {
  v1::AgentMessage message;
  message.mutable_progress()->set_id(ToString(id));
  message.mutable_progress()->set_text(text);
  message.mutable_progress()->set_done(done);
  message.mutable_progress()->set_total(total);
  impl_->Send(std::move(message));
}

void ControllerSession::Output(const v1::OutputChunk& chunk) {
  v1::AgentMessage message;
  *message.mutable_output() = chunk;
  impl_->Send(std::move(message));
}

}  // namespace slipway::agent
