#include "agent/session/uplink.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/session/connection.h"
#include "common/backoff.h"
#include "common/grpc_status.h"
#include "common/log.h"
#include "common/random.h"
#include "common/tls/credentials.h"
#include "common/tls/enrolment_token.h"
#include "common/wire/proto_time.h"
#include "common/wire/session_codec.h"

namespace slipway::agent {
namespace {

constexpr std::int64_t kNoOffset = std::numeric_limits<std::int64_t>::min();

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

Uplink::Uplink(std::string address, std::shared_ptr<grpc::ChannelCredentials> credentials,
               const AgentTiming& timing, const Clock& clock, absl::Duration first,
               SessionHandler& handler, grpc::CompletionQueue& queue)
    : address_(std::move(address)),
      credentials_(std::move(credentials)),
      timing_(timing),
      clock_(clock),
      handler_(handler),
      queue_(queue),
      tls_sessions_(std::make_unique<tls::SessionCache>()),
      clock_offset_us_(kNoOffset),
      retry_at_(first),
      chance_(RandomSeed()) {}
Uplink::~Uplink() = default;

std::optional<absl::Duration> Uplink::clock_offset() const {
  const std::int64_t micros = clock_offset_us_;
  if (micros == kNoOffset) return std::nullopt;
  return absl::Microseconds(micros);
}

bool Uplink::dialling() const {
  return connection_ != nullptr && connection_->phase == Connection::Phase::dialling;
}

void Uplink::Stop() {
  stopping_ = true;
  if (connection_) connection_->Cancel("the agent is going down", Now());
}

void Uplink::Send(v1::AgentMessage message) {
  if (!connection_ || connection_->phase != Connection::Phase::attached) return;
  if (!connection_->Send(std::move(message), Now())) {
    connection_->Cancel("the controller does not read", Now());
  }
}

// ---- Time ----

void Uplink::KeepTime() {
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

absl::Duration Uplink::NextDue() const {
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

void Uplink::Dial() {
  // A channel of its own for each attempt: nothing of the last one, least of all its back-off.
  auto channel = grpc::CreateCustomChannel(address_, credentials_,
                                           tls::SessionChannelArguments(*tls_sessions_));
  connection_ =
      std::make_unique<Connection>(*this, std::move(channel), &queue_, waiting_bytes_, Now());
}

Uplink& Uplink::OnTag(void* tag, bool ok) {
  const auto [uplink, op] = *static_cast<Connection::Tag*>(tag);
  Connection& it = *uplink->connection_;
  switch (op) {
    case Connection::Op::start:
      it.StartDone(ok);
      if (ok) uplink->Greet();
      break;
    case Connection::Op::read:
      if (it.ReadDone(ok)) uplink->OnRead();
      break;
    case Connection::Op::write:
      it.WriteDone(ok, uplink->Now());
      break;
    case Connection::Op::finish:
      it.FinishDone();
      uplink->Ended();
      break;
  }
  return *uplink;
}

void Uplink::Greet() {
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

void Uplink::OnRead() {
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

void Uplink::OnWelcome() {
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

void Uplink::OnMessage() {
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

void Uplink::OnCommand(const v1::CommandMessage& message) {
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

void Uplink::Ended() {
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

// ---- What is said ----

v1::AgentMessage MessageOf(const Acceptance& acceptance) {
  v1::AgentMessage message;
  message.mutable_accepted()->set_id(ToString(acceptance.id));
  return message;
}

v1::AgentMessage MessageOf(const Refusal& refusal) {
  v1::AgentMessage message;
  message.mutable_refused()->set_id(ToString(refusal.id));
  message.mutable_refused()->set_reason(ReasonOf(refusal.why));
  message.mutable_refused()->set_text(refusal.text);
  return message;
}

v1::AgentMessage MessageOf(const Answer& answer) {
  v1::AgentMessage message;
  Encode(answer, *message.mutable_answer());
  return message;
}

}  // namespace slipway::agent
