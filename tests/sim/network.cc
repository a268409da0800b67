#include "tests/sim/network.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/overloaded.h"
#include "tests/sim/checkers.h"
#include "tests/sim/controller_side.h"
#include "tests/sim/machine.h"

namespace slipway::sim {
namespace {

// Silence after which an end gives a session up.
constexpr absl::Duration kSilence = absl::Seconds(5);

}  // namespace

void Network::Dial(std::size_t host) {
  Link& link = links_[host];
  if (link.dialing || link.agent_end != 0) return;
  link.dialing = true;
  const absl::Duration pause = rig_.dice.Between(absl::Milliseconds(20), absl::Seconds(3));
  rig_.timeline.After(pause, [this, host] {
    links_[host].dialing = false;
    Connect(host);
  });
}

void Network::Connect(std::size_t host) {
  Link& link = links_[host];
  AgentProcess* agent = rig_.machines[host]->agent();
  if (agent == nullptr || link.agent_end != 0) return;  // dials again when it starts
  if (link.cut || !rig_.controllers->IsUp()) return Dial(host);
  const std::uint64_t before = std::exchange(link.controller_end, ++sessions_);
  link.agent_end = sessions_;
  rig_.Tell("-- ", rig_.machines[host]->id().text, " attached");
  // A new session ends the old one, whether or not its silence was noticed.
  if (before != 0) rig_.controllers->Lost(host);
  rig_.controllers->Attached(host);
  agent->Connected(absl::StrCat("s", sessions_));
}

void Network::NoticeAtAgent(std::size_t host, std::uint64_t session) {
  if (links_[host].agent_end != session || session == 0) return;
  links_[host].agent_end = 0;
  if (AgentProcess* agent = rig_.machines[host]->agent()) agent->Disconnected();
  Dial(host);
}

void Network::NoticeAtController(std::size_t host, std::uint64_t session) {
  if (links_[host].controller_end != session || session == 0) return;
  links_[host].controller_end = 0;
  rig_.Tell("-- ", rig_.machines[host]->id().text, " lost");
  rig_.controllers->Lost(host);
}

void Network::Break(std::size_t host) {
  const Link link = links_[host];
  const auto soon = [this] { return rig_.dice.Between(absl::ZeroDuration(), kSilence); };
  rig_.timeline.After(soon(), [=, this] { NoticeAtAgent(host, link.agent_end); });
  rig_.timeline.After(soon(), [=, this] { NoticeAtController(host, link.controller_end); });
}

void Network::AgentDied(std::size_t host) {
  const std::uint64_t session = links_[host].controller_end;
  links_[host].agent_end = 0;
  const absl::Duration soon = rig_.dice.Between(absl::ZeroDuration(), kSilence);
  rig_.timeline.After(soon, [=, this] { NoticeAtController(host, session); });
}

void Network::ControllerDied() {
  for (std::size_t host = 0; host < links_.size(); ++host) {
    const std::uint64_t session = links_[host].agent_end;
    links_[host].controller_end = 0;
    const absl::Duration soon = rig_.dice.Between(absl::ZeroDuration(), kSilence);
    rig_.timeline.After(soon, [=, this] { NoticeAtAgent(host, session); });
  }
}

void Network::Cut(std::size_t host, bool cut) {
  if (cut && !links_[host].cut) {
    rig_.coverage.Hit(Rare::partitioned);
    rig_.Strike(Fault::partitioned);
    Break(host);
  }
  if (!cut) rig_.Stir();
  links_[host].cut = cut;
}

void Network::Heal() {
  for (std::size_t host = 0; host < links_.size(); ++host) Cut(host, false);
}

template <class Deliver>
void Network::Transmit(std::size_t host, const Deliver& deliver) {
  const Weather& weather = rig_.weather;
  if (rig_.Rough(weather.loss)) {
    rig_.coverage.Hit(Rare::message_lost);
    rig_.Strike(Fault::message_lost);
    return Break(host);
  }
  int copies = 1;
  if (rig_.Rough(weather.doubling)) {
    rig_.coverage.Hit(Rare::message_doubled);
    rig_.Strike(Fault::message_doubled);
    ++copies;
  }
  for (int i = 0; i < copies; ++i) {
    absl::Duration delay = rig_.dice.Between(absl::Microseconds(200), absl::Milliseconds(40));
    if (rig_.Rough(weather.late)) {
      rig_.coverage.Hit(Rare::message_late);
      rig_.Strike(Fault::message_late);
      const bool very = rig_.dice.Chance(0.3);
      delay = rig_.dice.Between(absl::Seconds(1), very ? absl::Hours(1) : absl::Seconds(60));
    }
    ++in_flight_;
    rig_.timeline.After(delay, [this, host, deliver] {
      --in_flight_;
      if (links_[host].cut) return Break(host);
      deliver();
    });
  }
}

void Network::SendDown(std::size_t host, Down message) {
  const std::uint64_t session = links_[host].controller_end;
  if (session == 0) return;
  if (auto* command = std::get_if<Command>(&message)) command->nonce = absl::StrCat("s", session);
  Transmit(host, [this, host, message = std::move(message)] { DeliverDown(host, message); });
}

void Network::SendUp(std::size_t host, Up message) {
  Link& link = links_[host];
  if (link.agent_end == 0) return;
  Transmit(host, [this, host, session = link.agent_end, place = ++link.said,
                  message = std::move(message)] { DeliverUp(host, session, place, message); });
}

void Network::DeliverDown(std::size_t host, const Down& message) {
  AgentProcess* agent = rig_.machines[host]->agent();
  if (agent == nullptr || links_[host].agent_end == 0) return;
  std::visit(Overloaded{[&](const Command& m) { agent->Receive(m); },
                        [&](const AnswerAck& m) { agent->Feed(agent::Acknowledged{m.id}); },
                        [&](const ClosedNote& m) { agent->Feed(agent::RolloutClosed{m.rollout}); }},
             message);
}

void Network::DeliverUp(std::size_t host, std::uint64_t session, std::uint64_t place,
                        const Up& message) {
  Link& link = links_[host];
  // Replies stand for themselves and may come late. What a host looks like holds only in the
  // order of its stream, and an old stream is dropped.
  const bool in_order = session == link.controller_end && place > link.heard;
  link.heard = std::max(link.heard, place);
  if (const auto* reply = std::get_if<agent::Reply>(&message)) {
    if (const auto* answer = std::get_if<Answer>(reply)) rig_.controllers->Answered(host, *answer);
    return;
  }
  if (!in_order) return;
  if (const auto* sighting = std::get_if<Sighting>(&message)) {
    rig_.controllers->Sighted(host, sighting->observed);
  } else if (const auto* complaint = std::get_if<Complaint>(&message)) {
    rig_.controllers->Tripped(host, complaint->reason);
  }
}

}  // namespace slipway::sim
