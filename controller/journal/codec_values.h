// Enums between the engine and the journal's format. Private to the codecs.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "controller/engine/event.h"
#include "controller/journal/micros.h"
#include "slipway/journal/v1/journal.pb.h"

namespace slipway::controller::codec {

namespace pb = slipway::journal::v1;

// One switch an enum, without default: an enumerator that the format lacks does not compile.
// The way back is derived from it. Written values are the format's, never the engine's order.
pb::Course ToWire(Course value);
pb::Outcome ToWire(Outcome value);
pb::Direction ToWire(Direction value);
pb::Result ToWire(engine::Result value);
pb::Undo ToWire(engine::Undo value);
pb::Sweep ToWire(engine::Sweep value);
pb::Unreachable ToWire(engine::Unreachable value);
pb::GateKind ToWire(engine::Gate::Kind value);
pb::OnTimeout ToWire(engine::Gate::OnTimeout value);
pb::DatabaseWay ToWire(engine::DatabaseWay value);
pb::HoldWhy ToWire(engine::Hold::Why value);
pb::Then ToWire(engine::Stopping::Then value);

// Reads values that may lie outside what this program knows, and keeps the first complaint.
class ValueReader {
 public:
  // Engine enumerators count from 0; behind the last one ToWire gives "unspecified", which nobody
  // writes.
  template <typename E, typename Wire>
  void Enum(Wire wire, E& value) {
    for (int i = 0; ToWire(static_cast<E>(i)) != Wire(); ++i) {
      if (ToWire(static_cast<E>(i)) == wire) {
        value = static_cast<E>(i);
        return;
      }
    }
    Complain(absl::StrCat("value ", static_cast<int>(wire), " of ",
                          std::string(google::protobuf::GetEnumDescriptor<Wire>()->full_name())));
  }

  void Narrow(std::uint32_t wire, std::uint16_t& value) {
    if (wire > std::numeric_limits<std::uint16_t>::max()) {
      Complain(absl::StrCat("index ", wire));
      return;
    }
    value = static_cast<std::uint16_t>(wire);
  }

  void Complain(std::string what) {
    if (complaint_.empty()) complaint_ = std::move(what);
  }
  // Empty: all was understood.
  const std::string& complaint() const { return complaint_; }

 private:
  std::string complaint_;
};

}  // namespace slipway::controller::codec
