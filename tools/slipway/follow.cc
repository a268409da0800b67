#include "tools/slipway/follow.h"

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "slipway/v1/rollout.grpc.pb.h"
#include "tools/slipway/controller.h"
#include "tools/slipway/output.h"
#include "tools/slipway/pause.h"
#include "tools/slipway/rollout_text.h"
#include "tools/slipway/term/escape.h"
#include "tools/slipway/term/live.h"

namespace slipway::cli {
namespace {

// One way of showing what happens.
class View {
 public:
  virtual ~View() = default;
  virtual void Update(const v1::Rollout& rollout, const v1::RolloutUpdate& update) = 0;
  // Nothing came for a while.
  virtual void Idle(const v1::Rollout& rollout) = 0;
  virtual void Note(const std::string& line) = 0;
  // The last word on a rollout that goes on.
  virtual void Leave(const std::string& line) { Note(line); }
  virtual void End(const v1::Rollout& rollout) = 0;
};

class JsonView final : public View {
 public:
  void Update(const v1::Rollout&, const v1::RolloutUpdate& update) override {
    Print(ToJson(update, false));
  }
  void Idle(const v1::Rollout&) override {}
  void Note(const std::string& line) override { Write(STDERR_FILENO, line + "\n"); }
  void End(const v1::Rollout& rollout) override {
    v1::RolloutUpdate last;
    *last.mutable_rollout() = rollout;
    Print(ToJson(last, false));
  }
};

class PlainView final : public View {
 public:
  explicit PlainView(const FollowOptions& options)
      : quiet_(options.quiet), verbose_(options.verbose), heartbeat_(options.heartbeat) {}

  void Update(const v1::Rollout& rollout, const v1::RolloutUpdate& update) override {
    for (const v1::Change& change : update.changes()) {
      if (change.sequence() == 0 || (quiet_ && !change.important())) continue;
      if (change.detail() && !verbose_) continue;
      Print(ChangeLine(rollout, change));
      last_line_ = SystemClock().Monotonic();
    }
  }
  void Idle(const v1::Rollout& rollout) override {
    if (quiet_ || rollout.id().empty() || SystemClock().Monotonic() - last_line_ < heartbeat_)
      return;
    last_line_ = SystemClock().Monotonic();
    std::size_t busy = 0;
    for (const auto& host : rollout.hosts()) busy += host.state() == v1::HostStatus::RUNNING;
    Print(absl::StrCat(absl::FormatTime("%H:%M:%SZ ", SystemClock().Now(), absl::UTCTimeZone()),
                       rollout.id(), " still at it: ", Count(busy, "host", "hosts"), " busy",
                       rollout.hold_why().empty()
                           ? ""
                           : absl::StrCat(", held: ", Escape(rollout.hold_text(), true)),
                       "\n"));
  }
  void Note(const std::string& line) override { Write(STDERR_FILENO, line + "\n"); }
  void End(const v1::Rollout& rollout) override { Print(EndText(StandardOutput(), rollout)); }

 private:
  const bool quiet_, verbose_;
  const absl::Duration heartbeat_;
  absl::Duration last_line_ = SystemClock().Monotonic();
};

class LiveView final : public View {
 public:
  void Update(const v1::Rollout& rollout, const v1::RolloutUpdate&) override { Draw(rollout); }
  void Idle(const v1::Rollout& rollout) override { Draw(rollout); }
  void Note(const std::string& line) override { region_.Above(line + "\n"); }
  void Leave(const std::string& line) override {
    region_.Clear();
    Print(line + "\n");
  }
  void End(const v1::Rollout& rollout) override {
    region_.Clear();
    Print(EndText(StandardOutput(), rollout));
  }

 private:
  void Draw(const v1::Rollout& rollout) {
    if (rollout.id().empty()) return;
    region_.Draw(LiveText(StandardOutput(), rollout, SystemClock().Now(), region_.rows()));
  }
  LiveRegion region_;
};

std::unique_ptr<View> ViewFor(const FollowOptions& options) {
  if (options.json) return std::make_unique<JsonView>();
  if (StandardOutput().terminal && !options.quiet && !options.verbose)
    return std::make_unique<LiveView>();
  return std::make_unique<PlainView>(options);
}

// Keeps `rollout` as new as the updates say: a whole one replaces it, changes patch it.
void Merge(v1::Rollout& rollout, const v1::RolloutUpdate& update) {
  if (update.has_rollout()) rollout = update.rollout();
  for (const v1::Change& change : update.changes()) {
    if (change.sequence() > rollout.sequence()) rollout.set_sequence(change.sequence());
    if (change.state() != v1::Rollout::STATE_UNSPECIFIED) rollout.set_state(change.state());
    if (!change.has_host()) continue;
    for (auto& host : *rollout.mutable_hosts()) {
      if (host.name() == change.host().name()) host = change.host();
    }
  }
}

class Follower {
 public:
  Follower(const Controller& controller, std::string id, const FollowOptions& options)
      : controller_(controller), id_(std::move(id)), options_(options), view_(ViewFor(options)) {}

  ExitCode Run() {
    WatchForSignals();
    const absl::Duration start = SystemClock().Monotonic();
    while (true) {
      const absl::Status status = Stream(start);
      if (const auto code = Decided(start)) return Leave(*code);
      if (!status.ok() && status.code() != absl::StatusCode::kUnavailable &&
          status.code() != absl::StatusCode::kOutOfRange) {
        return Fail(status);
      }
      if (!status.ok() && !KeepTrying(status)) return Fail(status);
      // Not a mere pause: a channel that nobody polls does not connect again.
      controller_.WaitForConnection(absl::Milliseconds(250));
    }
  }

 private:
  // Reads one stream until it ends, a signal comes, or something is decided.
  absl::Status Stream(absl::Duration start) {
    const auto stub = v1::RolloutService::NewStub(controller_.channel());
    grpc::ClientContext context;
    v1::WatchRolloutRequest request;
    request.set_id(id_);
    request.set_after_sequence(rollout_.sequence());
    grpc::CompletionQueue queue;
    auto reader = stub->AsyncWatchRollout(&context, request, &queue, nullptr);
    bool started = false, cancelled = false;
    v1::RolloutUpdate update;
    while (true) {
      void* tag = nullptr;
      bool ok = false;
      const auto soon = absl::ToChronoTime(SystemClock().Now() + absl::Milliseconds(200));
      const auto next = queue.AsyncNext(&tag, &ok, soon);
      if (next == grpc::CompletionQueue::TIMEOUT) {
        if (!cancelled && Decided(start)) {
          context.TryCancel();
          cancelled = true;
        }
        if (!cancelled) view_->Idle(rollout_);
        continue;
      }
      if (!ok) break;
      if (started) Take(update);
      started = true;
      update.Clear();
      reader->Read(&update, nullptr);
    }
    grpc::Status status;
    reader->Finish(&status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    queue.Shutdown();
    while (queue.Next(&tag, &ok)) {
    }
    return cancelled ? absl::OkStatus() : FromGrpc(status, controller_.address());
  }

  void Take(const v1::RolloutUpdate& update) {
    if (away_since_) {
      view_->Note(absl::StrCat("controller is back after ",
                               Took(SystemClock().Monotonic() - *away_since_),
                               "; the rollout went on"));
      away_since_.reset();
    }
    Merge(rollout_, update);
    view_->Update(rollout_, update);
  }

  bool KeepTrying(const absl::Status& status) {
    const absl::Duration now = SystemClock().Monotonic();
    if (status.code() == absl::StatusCode::kOutOfRange)
      return true;  // read too slowly: go on from there
    if (!away_since_) {
      // Nothing was ever seen: the address is wrong or nobody is there.
      if (rollout_.id().empty() && ++first_tries_ > 12) return false;
      if (rollout_.id().empty()) return true;
      away_since_ = now;
      view_->Note("controller is away; agents finish what they do; trying again");
    }
    return now - *away_since_ < options_.unreachable;
  }

  // Whether there is a reason to leave.
  std::optional<ExitCode> Decided(absl::Duration start) const {
    if (const int signal = SignalCaught()) return ExitCodeOfSignal(signal);
    if (!rollout_.id().empty() && IsOver(rollout_)) return ExitCodeOf(rollout_);
    if (options_.leave_when_waiting && NeedsPerson(rollout_)) return ExitCode::waiting;
    if (SystemClock().Monotonic() - start > options_.timeout) return ExitCode::gave_up;
    return std::nullopt;
  }

  ExitCode Leave(ExitCode code) {
    if (code == ExitCode::interrupted || code == ExitCode::terminated) {
      view_->Leave(absl::StrCat("left; the rollout goes on. Come back:  slipway watch ", id_,
                                "\nStop it:                               slipway abort ", id_,
                                " --reason ..."));
    } else if (code == ExitCode::gave_up) {
      view_->Leave(absl::StrCat("gave up waiting; the rollout goes on: slipway watch ", id_));
    } else {
      view_->End(rollout_);
    }
    return code;
  }

  const Controller& controller_;
  const std::string id_;
  const FollowOptions& options_;
  const std::unique_ptr<View> view_;
  v1::Rollout rollout_;
  std::optional<absl::Duration> away_since_;
  int first_tries_ = 0;
};

}  // namespace

absl::StatusOr<FollowOptions> FollowOptions::From(const Invocation& invocation) {
  FollowOptions options;
  options.json = Json(invocation);
  options.quiet = invocation.Flag("quiet");
  options.verbose = invocation.Flag("verbose");
  options.leave_when_waiting = invocation.Flag("no-wait-approval");
  if (const std::string timeout = invocation.Value("timeout"); !timeout.empty()) {
    const auto parsed = ParseDuration(timeout);
    if (!parsed.ok()) return parsed.status();
    options.timeout = *parsed;
  }
  return options;
}

ExitCode Follow(const Controller& controller, const std::string& rollout,
                const FollowOptions& options) {
  return Follower(controller, rollout, options).Run();
}

}  // namespace slipway::cli
