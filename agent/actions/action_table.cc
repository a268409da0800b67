#include "agent/actions/action_table.h"

#include <map>
#include <memory>

#include "slipway/v1/action.pb.h"

namespace slipway::agent {

const Action* FindAction(const v1::Task& task) {
  using Table = std::map<v1::Action::KindCase, std::unique_ptr<Action>>;
  static const Table& table = *[] {
    auto* made = new Table;
    made->emplace(v1::Action::kPreflight, MakePreflight());
    made->emplace(v1::Action::kReadiness, MakeReadiness());
    made->emplace(v1::Action::kStage, MakeStage());
    made->emplace(v1::Action::kSwitch, MakeSwitch());
    made->emplace(v1::Action::kConfigure, MakeConfigure());
    made->emplace(v1::Action::kStop, MakeStop());
    made->emplace(v1::Action::kStart, MakeStart());
    made->emplace(v1::Action::kCheck, MakeCheck());
    made->emplace(v1::Action::kRun, MakeRun());
    made->emplace(v1::Action::kBackup, MakeBackup());
    made->emplace(v1::Action::kMigrate, MakeMigrate());
    made->emplace(v1::Action::kBake, MakeBake());
    made->emplace(v1::Action::kNoop, MakeNoop());
    return made;
  }();
  const auto it = table.find(task.action().kind_case());
  return it == table.end() ? nullptr : it->second.get();
}

}  // namespace slipway::agent
