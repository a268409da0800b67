#include "agent/session/controller_session.h"

#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>

#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "common/mutex.h"
#include "common/tls/credentials.h"
#include "slipway/v1/agent_session.pb.h"

namespace slipway::agent {
namespace {

gpr_timespec After(absl::Duration duration) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_micros(absl::ToInt64Microseconds(duration), GPR_TIMESPAN));
}

}  // namespace

class ControllerSession::Impl {
 public:
  Impl(std::string address, const tls::KeyMaterial& material, const AgentTiming& timing,
       const Clock& clock, SessionHandler& handler)
      : clock_(clock),
        uplink_(std::move(address), tls::MutualChannelCredentials(material), timing, clock,
                clock.Monotonic(), handler, queue_) {}

  void Start() {
    thread_ = std::thread([this] { Run(); });
  }
  void Stop();
  void Send(v1::AgentMessage message);
  const Uplink& uplink() const { return uplink_; }

 private:
  void Run();
  void Post(std::function<void()> work) ABSL_LOCKS_EXCLUDED(mu_);
  void RunPosted() ABSL_LOCKS_EXCLUDED(mu_);

  const Clock& clock_;
  grpc::CompletionQueue queue_;
  std::thread thread_;
  Uplink uplink_;  // of the thread

  Mutex mu_;
  std::vector<std::function<void()>> posted_ ABSL_GUARDED_BY(mu_);
  bool woken_ ABSL_GUARDED_BY(mu_) = false;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  grpc::Alarm alarm_ ABSL_GUARDED_BY(mu_);
};

void ControllerSession::Impl::Run() {
  while (!uplink_.gone()) {
    uplink_.KeepTime();
    void* tag = nullptr;
    bool ok = false;
    const auto due = After(uplink_.NextDue() - clock_.Monotonic());
    if (queue_.AsyncNext(&tag, &ok, due) != grpc::CompletionQueue::GOT_EVENT) continue;
    if (tag == this) {
      RunPosted();
    } else {
      Uplink::OnTag(tag, ok);
    }
  }
}

void ControllerSession::Impl::Stop() {
  if (!thread_.joinable()) return;
  Post([this] { uplink_.Stop(); });
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

void ControllerSession::Impl::Send(v1::AgentMessage message) {
  auto shared = std::make_shared<v1::AgentMessage>(std::move(message));
  Post([this, shared] { uplink_.Send(std::move(*shared)); });
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
  return impl_->uplink().clock_offset();
}
std::size_t ControllerSession::waiting_bytes() const {
  return impl_->uplink().waiting_bytes();
}

void ControllerSession::Accepted(const Acceptance& acceptance) {
  impl_->Send(MessageOf(acceptance));
}
void ControllerSession::Refused(const Refusal& refusal) {
  impl_->Send(MessageOf(refusal));
}
void ControllerSession::Answered(const Answer& answer) {
  impl_->Send(MessageOf(answer));
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
