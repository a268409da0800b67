#include "agent/actions/action_runner.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "slipway/v1/action.pb.h"

namespace slipway::agent {
namespace {

constexpr std::uint64_t kExcerptBytes = 4096;
// Of a message, which goes into two journals and to people; a step may quote what others wrote.
constexpr std::size_t kMessageBytes = 16 << 10;

absl::StatusOr<v1::Task> Decode(const Command& command, std::map<std::string, std::string>& vars) {
  v1::Task task;
  v1::HostVars host;
  if (!task.ParseFromString(command.payload) || !host.ParseFromString(command.vars)) {
    return absl::InvalidArgumentError("the command's content cannot be read");
  }
  vars.insert(task.vars().begin(), task.vars().end());
  // What is true of one host only wins over what is said to all.
  for (const auto& [name, value] : host.vars()) vars[name] = value;
  return task;
}

// Length of the UTF-8 sequence at the start of `text`; 0: it is none.
std::size_t SequenceLength(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t length = byte(0) < 0x80             ? 1
                             : (byte(0) & 0xe0) == 0xc0 ? 2
                             : (byte(0) & 0xf0) == 0xe0 ? 3
                             : (byte(0) & 0xf8) == 0xf0 ? 4
                                                        : 0;
  if (length == 0 || length > text.size()) return 0;
  std::uint32_t code = length == 1 ? byte(0) : byte(0) & (0x7f >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3f);
  }
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  return code < kLeast[length] || code > 0x10ffff || surrogate ? 0 : length;
}

}  // namespace

std::string Printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = SequenceLength(text);
    const auto first = static_cast<unsigned char>(text[0]);
    // C1 controls (C2 80 … C2 9F) move cursors as well as C0 do.
    const bool control =
        (length == 1 && (first < 0x20 || first == 0x7f) && first != '\n' && first != '\t') ||
        (length == 2 && first == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0);
    if (length == 0 || control) {
      out += '?';
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

ActionRunner::ActionRunner(ActionHost host, ActionResults results, int threads)
    : host_(std::move(host)), results_(std::move(results)) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

ActionRunner::~ActionRunner() {
  Stop();
}

void ActionRunner::Stop() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    waiting_.clear();
  }
  wake_.NotifyAll();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void ActionRunner::Start(const Command& command) {
  Enqueue(command, false);
}

// A reboot needs no special treatment here: the records of each child know their boot.
void ActionRunner::Probe(const Command& command, bool) {
  Enqueue(command, true);
}

void ActionRunner::Cancel(const CommandId& id) {
  MutexLock lock(mu_);
  for (const auto& job : waiting_) job->cancelled |= job->command.id == id;
  for (const auto& job : running_) job->cancelled |= job->command.id == id;
}

void ActionRunner::Enqueue(Command command, bool probe) {
  {
    MutexLock lock(mu_);
    waiting_.push_back(std::make_shared<Job>(Job{std::move(command), probe}));
  }
  wake_.NotifyOne();
}

bool ActionRunner::Stopping() const {
  MutexLock lock(mu_);
  return stopping_;
}

bool ActionRunner::Cancelled(const Job& job) const {
  MutexLock lock(mu_);
  return job.cancelled;
}

void ActionRunner::Work() {
  while (true) {
    std::shared_ptr<Job> job;
    {
      MutexLock lock(mu_);
      while (waiting_.empty() && !stopping_) wake_.Wait(mu_);
      if (stopping_) return;
      job = std::move(waiting_.front());
      waiting_.pop_front();
      running_.push_back(job);
    }
    Carry(*job);
    MutexLock lock(mu_);
    running_.erase(std::find(running_.begin(), running_.end(), job));
  }
}

void ActionRunner::Carry(Job& job) {
  const absl::Duration began = host_.clock.Monotonic();
  Answer answer;
  answer.id = job.command.id;
  AttemptEnd end;
  const auto output = host_.output.SpoolOf(job.command.id);
  if (output.ok()) {
    end = RunAction(job, **output);
    answer.excerpt = Printable((*output)->Tail(kExcerptBytes));
  } else {
    end = Failed(std::string(output.status().message()));
  }
  // Whatever it says now, it may be because we told it to hurry, or because its host was told to.
  if (Stopping()) return;
  if (end.verdict != Verdict::succeeded && host_.goes_down()) return;
  answer.verdict = end.verdict;
  answer.message = Printable(std::string_view(end.message).substr(0, kMessageBytes));
  answer.observed = host_.observe();
  answer.took = host_.clock.Monotonic() - began;
  (job.probe ? results_.probed : results_.ended)(std::move(answer));
}

AttemptEnd ActionRunner::RunAction(const Job& job, OutputSpool& output) {
  const Command& command = job.command;
  std::map<std::string, std::string> vars;
  const auto task = Decode(command, vars);
  if (!task.ok()) return FromStatus(task.status());
  const Action* action = host_.find(*task);
  if (action == nullptr) {
    return Failed("this agent does not know the step's action; upgrade the agent");
  }
  ActionContext ctx{
      .clock = host_.clock,
      .services = host_.services,
      .releases = host_.releases,
      .hooks = host_.hooks,
      .content = host_.content,
      .output = output,
      .progress = [&](std::string_view text, std::uint64_t done,
                      std::uint64_t total) { results_.progress(command.id, text, done, total); },
      .stopping = [this] { return Stopping(); },
      .id = command.id,
      .task = *task,
      .vars = vars,
      .direction = command.direction,
      .previous = command.previous,
      .deadline = host_.clock.Monotonic() + command.timeout,
      .cancelled = [&] { return Cancelled(job); },
      .clock_offset = host_.clock_offset,
      .databases = host_.databases,
  };
  if (job.probe) return action->Probe(ctx);
  return command.direction == Direction::undo ? action->Undo(ctx) : action->Apply(ctx);
}

}  // namespace slipway::agent
