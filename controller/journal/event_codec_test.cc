#include "controller/journal/event_codec.h"

#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "slipway/journal/v1/journal.pb.h"

namespace slipway::controller {
namespace {

using testing::HasSubstr;

// Names every field of what is written. When one of these lines does not compile, a field was added
// that the codec, the format and RandomEvent below do not know yet.
[[maybe_unused]] void EveryFieldIsWritten(
    const engine::Planned& planned, const engine::BatchEntered& entered,
    const engine::TaskIssued& issued, const engine::TaskEnded& ended,
    const engine::TaskResolved& resolved, const engine::HostTripped& tripped,
    const engine::HostTurnedBack& host_back, const engine::GatePassed& passed,
    const engine::Held& held, const engine::Released& released, const engine::Stopping& stopping,
    const engine::TurnedBack& back, const engine::HostSeen& seen, const engine::Finished& finished,
    const engine::GateAnswered& answered, const engine::Noted& noted) {
  {
    [[maybe_unused]] const auto& [at, batch, approves, who, role, note, until] = answered;
  }
  {
    [[maybe_unused]] const auto& [at, who, text] = noted;
  }
  {
    [[maybe_unused]] const auto& [at, hosts, forward, rollback, before, description, started_by] =
        planned;
  }
  {
    [[maybe_unused]] const auto& [at, course, batch] = entered;
  }
  {
    [[maybe_unused]] const auto& [at, task, attempt] = issued;
  }
  {
    [[maybe_unused]] const auto& [at, task, attempt, outcome, again, counted, message, excerpt] =
        ended;
  }
  {
    [[maybe_unused]] const auto& [at, task, outcome, by, text, skipped, goes_on] = resolved;
  }
  {
    [[maybe_unused]] const auto& [at, host, reason] = tripped;
  }
  {
    [[maybe_unused]] const auto& [at, batch, host] = host_back;
  }
  {
    [[maybe_unused]] const auto& [at, course, batch, by, note] = passed;
  }
  {
    [[maybe_unused]] const auto& [at, hold] = held;
  }
  {
    [[maybe_unused]] const auto& [why, who, text, until, at_once] = held.hold;
  }
  {
    [[maybe_unused]] const auto& [at, who, text] = released;
  }
  {
    [[maybe_unused]] const auto& [at, then, automatic, at_once, who, reason] = stopping;
  }
  {
    [[maybe_unused]] const auto& [at, automatic, who, reason, backward] = back;
  }
  {
    [[maybe_unused]] const auto& [at, host, observed] = seen;
  }
  {
    [[maybe_unused]] const auto& [at, result, text] = finished;
  }
}

[[maybe_unused]] void EveryFieldIsWritten(const engine::TaskId& task, const engine::Target& target,
                                          const engine::Schedule& schedule,
                                          const engine::Phase& phase, const engine::Step& step,
                                          const engine::Batch& batch, const engine::Chain& chain,
                                          const engine::RollbackPolicy& policy,
                                          const engine::Share& share, const Version& version) {
  {
    [[maybe_unused]] const auto& [course, number, position, host] = task;
  }
  {
    [[maybe_unused]] const auto& [id, vars, wanted] = target;
  }
  {
    [[maybe_unused]] const auto& [phases, steps, batches] = schedule;
  }
  {
    [[maybe_unused]] const auto& [name, max_failed, takes] = phase;
  }
  {
    [[maybe_unused]] const auto& [name, action, direction, payload, traits, app] = step;
  }
  {
    [[maybe_unused]] const auto& [undo, sweep, disruptive, probes, verifies, on_rollback, retries,
                                  timeout, deadline, unreachable] = step.traits;
  }
  {
    [[maybe_unused]] const auto& [of_phase, steps, hosts, before] = batch;
  }
  {
    [[maybe_unused]] const auto& [kind, role, text, within, on_timeout, people, approvals] =
        batch.before;
  }
  {
    [[maybe_unused]] const auto& [host, first] = chain;
  }
  {
    [[maybe_unused]] const auto& [database, ramp, within, triggers, users, quiesce, resume] =
        policy;
  }
  {
    [[maybe_unused]] const auto& [step_failed, check_failed, manual] = policy.triggers;
  }
  {
    [[maybe_unused]] const auto& [count, percent] = share;
  }
  {
    [[maybe_unused]] const auto& [on_disk, running, label, healthy] = version;
  }
}

// Events with each field set to something, chosen by a seed.
class RandomEvent {
 public:
  explicit RandomEvent(std::uint32_t seed) : random_(seed) {}

  engine::Event OfKind(std::size_t kind) { return Pick<0>(kind); }

 private:
  template <std::size_t I>
  engine::Event Pick(std::size_t kind) {
    if constexpr (I + 1 < std::variant_size_v<engine::Event>) {
      if (kind != I) return Pick<I + 1>(kind);
    }
    std::variant_alternative_t<I, engine::Event> event;
    event.at = ATime();
    Fill(event);
    return event;
  }

  std::uint32_t Below(std::uint32_t limit) {
    return std::uniform_int_distribution<std::uint32_t>(0, limit - 1)(random_);
  }
  bool Coin() { return Below(2) == 1; }
  int AnInt() { return static_cast<int>(Below(2'000'000)) - 1'000'000; }
  std::uint16_t Small() { return static_cast<std::uint16_t>(Below(65'536)); }
  engine::HostIx AHost() { return Below(20'000); }

  // Any bytes: what a failing program prints need not be text.
  std::string Text() {
    std::string text(Below(40), '\0');
    for (char& c : text) c = static_cast<char>(Below(256));
    return text;
  }
  absl::Time ATime() {
    switch (Below(8)) {
      case 0:
        return absl::InfiniteFuture();
      case 1:
        return absl::InfinitePast();
      default:
        return absl::FromUnixMicros((static_cast<std::int64_t>(Below(1u << 31)) << 20) +
                                    Below(1u << 20));
    }
  }
  absl::Duration ADuration() {
    switch (Below(8)) {
      case 0:
        return absl::InfiniteDuration();
      case 1:
        return absl::ZeroDuration();
      default:
        return absl::Microseconds(static_cast<std::int64_t>(Below(1u << 31)) << 8);
    }
  }
  template <typename E>
  E AnEnum(E last) {
    return static_cast<E>(Below(static_cast<std::uint32_t>(last) + 1));
  }

  engine::TaskId ATask() { return {AnEnum(Course::backward), Small(), Small(), AHost()}; }

  Observed AnObserved() {
    Observed observed;
    for (std::uint32_t i = Below(4); i > 0; --i)
      observed[Text()] = {Text(), Text(), Text(), Coin()};
    return observed;
  }

  engine::Step AStep() {
    engine::Traits traits;
    traits.undo = AnEnum(engine::Undo::impossible);
    traits.sweep = AnEnum(engine::Sweep::resume);
    traits.disruptive = Coin();
    traits.verifies = Coin();
    traits.probe_decides = Coin();
    traits.on_rollback = Coin();
    traits.retries = AnInt();
    traits.timeout = ADuration();
    traits.deadline = ADuration();
    traits.unreachable = AnEnum(engine::Unreachable::skip);
    return {Text(), Text(), AnEnum(Direction::previous), Text(), traits, Text()};
  }

  engine::Schedule ASchedule() {
    engine::Schedule schedule;
    for (int i = 0; i < 2; ++i) schedule.phases.push_back({Text(), AnInt(), ADuration()});
    for (int i = 0; i < 3; ++i) schedule.steps.push_back(AStep());
    for (int i = 0; i < 3; ++i) {
      engine::Batch& batch = schedule.batches.emplace_back();
      batch.phase = Small();
      batch.steps = {Small(), Small()};
      batch.hosts = {{AHost(), Small()}, {AHost(), Small()}};
      batch.before = {AnEnum(engine::Gate::Kind::window),
                      Text(),
                      Text(),
                      ADuration(),
                      AnEnum(engine::Gate::OnTimeout::abort),
                      {Text(), Text()},
                      static_cast<int>(1 + Below(3))};
    }
    return schedule;
  }

  void Fill(engine::Planned& e) {
    e.hosts = {{{Text()}, Text(), {{Text(), Text()}, {Text(), Text()}}}, {{Text()}, Text(), {}}};
    e.forward = ASchedule();
    e.rollback.database = AnEnum(engine::DatabaseWay::restore);
    e.rollback.ramp = {{AnInt(), AnInt()}, {AnInt(), AnInt()}};
    e.rollback.within = ADuration();
    e.rollback.triggers = {Coin(), Coin(), Coin()};
    e.rollback.users = {AHost(), AHost()};
    e.rollback.quiesce = {AStep()};
    e.rollback.resume = {AStep(), AStep()};
    e.before = {{AHost(), AnObserved()}, {AHost(), AnObserved()}};
    e.description = Text();
    e.started_by = Text();
  }
  void Fill(engine::BatchEntered& e) { e.course = AnEnum(Course::backward), e.batch = Small(); }
  void Fill(engine::TaskIssued& e) { e.task = ATask(), e.attempt = AnInt(); }
  void Fill(engine::TaskEnded& e) {
    e.task = ATask();
    e.attempt = AnInt();
    e.outcome = AnEnum(Outcome::unknown);
    if (Coin()) e.again_at = ATime();
    e.counted = Coin();
    e.message = Text();
    e.excerpt = Text();
  }
  void Fill(engine::TaskResolved& e) {
    e.task = ATask();
    if (Coin()) e.outcome = AnEnum(Outcome::unknown);
    e.by = Text();
    e.text = Text();
    e.skipped = Coin();
    e.goes_on = Coin();
  }
  void Fill(engine::HostTripped& e) { e.host = AHost(), e.reason = Text(); }
  void Fill(engine::HostTurnedBack& e) { e.batch = Small(), e.host = AHost(); }
  void Fill(engine::GatePassed& e) {
    e.course = AnEnum(Course::backward);
    e.batch = Small();
    e.by = Text();
    e.note = Text();
  }
  void Fill(engine::GateAnswered& e) {
    e.batch = Small();
    e.approves = Coin();
    e.who = Text();
    e.role = Text();
    e.note = Text();
    e.until = ATime();
  }
  void Fill(engine::Noted& e) { e.who = Text(), e.text = Text(); }
  void Fill(engine::Held& e) {
    e.hold = {AnEnum(engine::Hold::Why::needs_person), Text(), Text(), ATime(), Coin()};
  }
  void Fill(engine::Released& e) { e.who = Text(), e.text = Text(); }
  void Fill(engine::Stopping& e) {
    e.then = AnEnum(engine::Stopping::Then::abort);
    e.automatic = Coin();
    e.at_once = Coin();
    e.who = Text();
    e.reason = Text();
  }
  void Fill(engine::TurnedBack& e) {
    e.automatic = Coin();
    e.who = Text();
    e.reason = Text();
    e.backward = ASchedule();
  }
  void Fill(engine::HostSeen& e) { e.host = AHost(), e.observed = AnObserved(); }
  void Fill(engine::Finished& e) { e.result = AnEnum(engine::Result::aborted), e.text = Text(); }

  std::mt19937 random_;
};

TEST(EventCodec, EveryKindComesBackEqual) {
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    RandomEvent random(seed);
    for (std::size_t kind = 0; kind < std::variant_size_v<engine::Event>; ++kind) {
      const engine::Event event = random.OfKind(kind);
      const auto back = DecodeEvent(EncodeEvent(event));
      ASSERT_TRUE(back.ok()) << back.status() << " kind " << kind << " seed " << seed;
      ASSERT_EQ(back->index(), kind);
      ASSERT_TRUE(*back == event) << "kind " << kind << " seed " << seed;
    }
  }
}

TEST(EventCodec, SameEventSameBytes) {
  for (std::size_t kind = 0; kind < std::variant_size_v<engine::Event>; ++kind) {
    EXPECT_EQ(EncodeEvent(RandomEvent(7).OfKind(kind)), EncodeEvent(RandomEvent(7).OfKind(kind)));
  }
}

// Written by format 1; a change that breaks these lines breaks every journal there is.
TEST(EventCodec, BytesOfFormatOneStay) {
  const engine::TaskIssued issued{
      absl::FromUnixMicros(0x0102030405), {Course::backward, 2, 3, 4}, 5};
  EXPECT_EQ(EncodeEvent(issued),
            std::string("\x08\x01\x11\x05\x04\x03\x02\x01\x00\x00\x00"
                        "\x62\x0c\x0a\x08\x08\x03\x10\x02\x18\x03\x20\x04\x10\x05",
                        25));
  const engine::Finished finished{absl::InfiniteFuture(), engine::Result::aborted, "no"};
  EXPECT_EQ(EncodeEvent(finished),
            std::string(
                "\x08\x01\x11\xff\xff\xff\xff\xff\xff\xff\x7f\xb2\x01\x06\x08\x04\x12\x02no", 20));
}

TEST(EventCodec, UnknownKindIsRefused) {
  // Field 200, as a later version could add it: format 1, at 0, an empty message.
  const std::string bytes("\x08\x01\xc2\x0c\x00", 5);
  const auto event = DecodeEvent(bytes);
  EXPECT_EQ(event.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(event.status().message(), HasSubstr("newer slipway-controller: a kind of event"));
}

TEST(EventCodec, UnknownFormatIsRefused) {
  journal::v1::Event event;
  event.set_format(2);
  event.mutable_released()->set_who("somebody");
  const auto decoded = DecodeEvent(event.SerializeAsString());
  EXPECT_EQ(decoded.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(decoded.status().message(), HasSubstr("format 2"));
}

TEST(EventCodec, UnknownValueIsRefused) {
  journal::v1::Event event;
  event.set_format(1);
  event.mutable_finished()->set_result(static_cast<journal::v1::Result>(99));
  const auto decoded = DecodeEvent(event.SerializeAsString());
  EXPECT_EQ(decoded.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(decoded.status().message(), HasSubstr("value 99 of slipway.journal.v1.Result"));
}

TEST(EventCodec, UnspecifiedValueAndWideIndexAreRefused) {
  journal::v1::Event event;
  event.set_format(1);
  event.mutable_finished();
  EXPECT_EQ(DecodeEvent(event.SerializeAsString()).status().code(),
            absl::StatusCode::kUnimplemented);
  event.mutable_host_turned_back()->set_batch(70'000);
  EXPECT_EQ(DecodeEvent(event.SerializeAsString()).status().code(),
            absl::StatusCode::kUnimplemented);
}

TEST(EventCodec, GarbageIsDataLoss) {
  for (const std::string& bytes :
       {std::string(), std::string("garbage"), std::string(100, '\xff')}) {
    EXPECT_EQ(DecodeEvent(bytes).status().code(), absl::StatusCode::kDataLoss);
  }
}

TEST(EventCodec, TimesAreCutToWholeMicroseconds) {
  const absl::Time fine = absl::FromUnixNanos(1'234'567'890'123);
  EXPECT_EQ(WholeMicroseconds(fine), absl::FromUnixMicros(1'234'567'890));
  EXPECT_EQ(WholeMicroseconds(absl::InfinitePast()), absl::InfinitePast());
}

}  // namespace
}  // namespace slipway::controller
