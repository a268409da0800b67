#include "agent/state/record_codec.h"

#include <limits>
#include <utility>

#include "absl/time/time.h"
#include "agent/state/bytes.h"
#include "common/overloaded.h"

namespace slipway::agent {
namespace {

enum class Type : std::uint8_t {
  booted = 1,
  accepted = 2,
  started = 3,
  adopted = 4,
  answered = 5,
  acknowledged = 6,
  closed = 7,
  fenced = 8,
};

void Put(ByteWriter& out, absl::Duration duration) {
  out.Number(static_cast<std::uint64_t>(absl::ToInt64Nanoseconds(duration)));
}

absl::Duration GetDuration(ByteReader& in) {
  const auto nanoseconds = static_cast<std::int64_t>(in.Number<std::uint64_t>());
  if (nanoseconds == std::numeric_limits<std::int64_t>::max()) return absl::InfiniteDuration();
  return absl::Nanoseconds(nanoseconds);
}

void Put(ByteWriter& out, const CommandId& id) {
  out.Text(id.rollout.text);
  out.Number(static_cast<std::uint8_t>(id.course));
  out.Number(id.batch);
  out.Number(id.step);
  out.Text(id.host.text);
  out.Number(static_cast<std::uint32_t>(id.attempt));
}

CommandId GetId(ByteReader& in) {
  CommandId id;
  id.rollout.text = in.Text();
  id.course = in.Choice(Course::backward);
  id.batch = in.Number<std::uint16_t>();
  id.step = in.Number<std::uint16_t>();
  id.host.text = in.Text();
  id.attempt = static_cast<int>(in.Number<std::uint32_t>());
  return id;
}

void Put(ByteWriter& out, const Fence& fence) {
  out.Number(fence.epoch);
  out.Text(fence.holder);
  out.Number(fence.sequence);
  out.Text(fence.head);
}

Fence GetFence(ByteReader& in) {
  Fence fence;
  fence.epoch = in.Number<std::uint64_t>();
  fence.holder = in.Text();
  fence.sequence = in.Number<std::uint64_t>();
  fence.head = in.Text();
  return fence;
}

void Put(ByteWriter& out, const Command& command) {
  Put(out, command.id);
  Put(out, command.fence);
  out.Text(command.nonce);
  out.Number(static_cast<std::uint8_t>(command.direction));
  out.Text(command.payload);
  out.Text(command.vars);
  out.Text(command.previous);
  Put(out, command.timeout);
}

Command GetCommand(ByteReader& in) {
  Command command;
  command.id = GetId(in);
  command.fence = GetFence(in);
  command.nonce = in.Text();
  command.direction = in.Choice(Direction::previous);
  command.payload = in.Text();
  command.vars = in.Text();
  command.previous = in.Text();
  command.timeout = GetDuration(in);
  return command;
}

void Put(ByteWriter& out, const Answer& answer) {
  Put(out, answer.id);
  out.Number(static_cast<std::uint8_t>(answer.verdict));
  out.Text(answer.message);
  out.Text(answer.excerpt);
  out.Number(static_cast<std::uint32_t>(answer.observed.size()));
  for (const auto& [application, version] : answer.observed) {
    out.Text(application);
    out.Text(version.on_disk);
    out.Text(version.running);
    out.Text(version.label);
    out.Number(static_cast<std::uint8_t>(version.healthy));
  }
  Put(out, answer.took);
}

Answer GetAnswer(ByteReader& in) {
  Answer answer;
  answer.id = GetId(in);
  answer.verdict = in.Choice(Verdict::try_later);
  answer.message = in.Text();
  answer.excerpt = in.Text();
  const auto applications = in.Number<std::uint32_t>();
  for (std::uint32_t i = 0; i < applications && in.ok(); ++i) {
    Version& version = answer.observed[in.Text()];
    version.on_disk = in.Text();
    version.running = in.Text();
    version.label = in.Text();
    version.healthy = in.Choice(true);
  }
  if (answer.observed.size() != applications) in.Fail();
  answer.took = GetDuration(in);
  return answer;
}

std::pair<Type, std::string> EncodePayload(const Record& record) {
  ByteWriter out;
  const Type type =
      std::visit(Overloaded{
                     [&](const Booted& r) { return out.Text(r.boot_id), Type::booted; },
                     [&](const Accepted& r) { return Put(out, r.command), Type::accepted; },
                     [&](const Started& r) { return Put(out, r.id), Type::started; },
                     [&](const Adopted& r) { return Put(out, r.id), Type::adopted; },
                     [&](const Answered& r) { return Put(out, r.answer), Type::answered; },
                     [&](const Acked& r) { return Put(out, r.id), Type::acknowledged; },
                     [&](const Closed& r) { return out.Text(r.rollout.text), Type::closed; },
                     [&](const Fenced& r) {
                       out.Text(r.rollout.text);
                       Put(out, r.fence);
                       return Type::fenced;
                     },
                 },
                 record);
  return {type, out.Take()};
}

Record DecodePayload(Type type, ByteReader& in) {
  switch (type) {
    case Type::booted:
      return Booted{in.Text()};
    case Type::accepted:
      return Accepted{GetCommand(in)};
    case Type::started:
      return Started{GetId(in)};
    case Type::adopted:
      return Adopted{GetId(in)};
    case Type::answered:
      return Answered{GetAnswer(in)};
    case Type::acknowledged:
      return Acked{GetId(in)};
    case Type::closed:
      return Closed{RolloutId{in.Text()}};
    case Type::fenced: {
      RolloutId rollout{in.Text()};
      return Fenced{std::move(rollout), GetFence(in)};
    }
  }
  in.Fail();  // written by a newer agent
  return Booted{};
}

}  // namespace

std::string EncodeRecords(const std::vector<Record>& records) {
  ByteWriter out;
  for (const Record& record : records) {
    const auto [type, payload] = EncodePayload(record);
    out.Number(static_cast<std::uint8_t>(type));
    out.Text(payload);
  }
  return out.Take();
}

std::optional<std::vector<Record>> DecodeRecords(std::string_view body, std::uint32_t count) {
  std::vector<Record> records;
  ByteReader in(body);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    const auto type = static_cast<Type>(in.Number<std::uint8_t>());
    ByteReader payload(in.Raw(in.Number<std::uint32_t>()));
    records.push_back(DecodePayload(type, payload));
    if (!payload.ok() || !payload.at_end()) return std::nullopt;
  }
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return records;
}

}  // namespace slipway::agent
