#include "controller/journal/codec_values.h"

namespace slipway::controller::codec {

pb::Course ToWire(Course value) {
  switch (value) {
    case Course::forward:
      return pb::COURSE_FORWARD;
    case Course::undo_one:
      return pb::COURSE_UNDO_ONE;
    case Course::backward:
      return pb::COURSE_BACKWARD;
  }
  return pb::COURSE_UNSPECIFIED;
}

pb::Outcome ToWire(Outcome value) {
  switch (value) {
    case Outcome::succeeded:
      return pb::OUTCOME_SUCCEEDED;
    case Outcome::failed:
      return pb::OUTCOME_FAILED;
    case Outcome::timed_out:
      return pb::OUTCOME_TIMED_OUT;
    case Outcome::unreachable:
      return pb::OUTCOME_UNREACHABLE;
    case Outcome::unknown:
      return pb::OUTCOME_UNKNOWN;
  }
  return pb::OUTCOME_UNSPECIFIED;
}

pb::Direction ToWire(Direction value) {
  switch (value) {
    case Direction::apply:
      return pb::DIRECTION_APPLY;
    case Direction::undo:
      return pb::DIRECTION_UNDO;
    case Direction::previous:
      return pb::DIRECTION_PREVIOUS;
  }
  return pb::DIRECTION_UNSPECIFIED;
}

pb::Result ToWire(engine::Result value) {
  switch (value) {
    case engine::Result::succeeded:
      return pb::RESULT_SUCCEEDED;
    case engine::Result::rolled_back:
      return pb::RESULT_ROLLED_BACK;
    case engine::Result::needs_person:
      return pb::RESULT_NEEDS_PERSON;
    case engine::Result::aborted:
      return pb::RESULT_ABORTED;
  }
  return pb::RESULT_UNSPECIFIED;
}

pb::Undo ToWire(engine::Undo value) {
  switch (value) {
    case engine::Undo::not_needed:
      return pb::UNDO_NOT_NEEDED;
    case engine::Undo::built_in:
      return pb::UNDO_BUILT_IN;
    case engine::Undo::impossible:
      return pb::UNDO_IMPOSSIBLE;
  }
  return pb::UNDO_UNSPECIFIED;
}

pb::Sweep ToWire(engine::Sweep value) {
  switch (value) {
    case engine::Sweep::quiesce:
      return pb::SWEEP_QUIESCE;
    case engine::Sweep::restore:
      return pb::SWEEP_RESTORE;
    case engine::Sweep::undo:
      return pb::SWEEP_UNDO;
    case engine::Sweep::resume:
      return pb::SWEEP_RESUME;
  }
  return pb::SWEEP_UNSPECIFIED;
}

pb::Unreachable ToWire(engine::Unreachable value) {
  switch (value) {
    case engine::Unreachable::fail:
      return pb::UNREACHABLE_FAIL;
    case engine::Unreachable::wait:
      return pb::UNREACHABLE_WAIT;
    case engine::Unreachable::skip:
      return pb::UNREACHABLE_SKIP;
  }
  return pb::UNREACHABLE_UNSPECIFIED;
}

pb::GateKind ToWire(engine::Gate::Kind value) {
  switch (value) {
    case engine::Gate::Kind::none:
      return pb::GATE_KIND_NONE;
    case engine::Gate::Kind::approval:
      return pb::GATE_KIND_APPROVAL;
    case engine::Gate::Kind::wait:
      return pb::GATE_KIND_WAIT;
    case engine::Gate::Kind::healthy:
      return pb::GATE_KIND_HEALTHY;
    case engine::Gate::Kind::window:
      return pb::GATE_KIND_WINDOW;
  }
  return pb::GATE_KIND_UNSPECIFIED;
}

pb::OnTimeout ToWire(engine::Gate::OnTimeout value) {
  switch (value) {
    case engine::Gate::OnTimeout::hold:
      return pb::ON_TIMEOUT_HOLD;
    case engine::Gate::OnTimeout::roll_back:
      return pb::ON_TIMEOUT_ROLL_BACK;
    case engine::Gate::OnTimeout::abort:
      return pb::ON_TIMEOUT_ABORT;
  }
  return pb::ON_TIMEOUT_UNSPECIFIED;
}

pb::DatabaseWay ToWire(engine::DatabaseWay value) {
  switch (value) {
    case engine::DatabaseWay::keep:
      return pb::DATABASE_WAY_KEEP;
    case engine::DatabaseWay::down:
      return pb::DATABASE_WAY_DOWN;
    case engine::DatabaseWay::restore:
      return pb::DATABASE_WAY_RESTORE;
  }
  return pb::DATABASE_WAY_UNSPECIFIED;
}

pb::HoldWhy ToWire(engine::Hold::Why value) {
  switch (value) {
    case engine::Hold::Why::none:
      return pb::HOLD_WHY_NONE;
    case engine::Hold::Why::paused:
      return pb::HOLD_WHY_PAUSED;
    case engine::Hold::Why::gate:
      return pb::HOLD_WHY_GATE;
    case engine::Hold::Why::brake:
      return pb::HOLD_WHY_BRAKE;
    case engine::Hold::Why::needs_person:
      return pb::HOLD_WHY_NEEDS_PERSON;
  }
  return pb::HOLD_WHY_UNSPECIFIED;
}

pb::Then ToWire(engine::Stopping::Then value) {
  switch (value) {
    case engine::Stopping::Then::roll_back:
      return pb::THEN_ROLL_BACK;
    case engine::Stopping::Then::abort:
      return pb::THEN_ABORT;
  }
  return pb::THEN_UNSPECIFIED;
}

}  // namespace slipway::controller::codec
