// The live view as a person sees it: through a terminal emulator that keeps a screen.
#include <algorithm>

#include "common/clock.h"
#include "tests/cli/cli_fixture.h"

namespace slipway::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr absl::Duration kPatience = absl::Seconds(20);

// A tmux server of its own, which ends with the test.
class LiveTest : public CliTest {
 protected:
  void TearDown() override {
    Tmux({"kill-server"});
    CliTest::TearDown();
  }
  int Tmux(const std::vector<std::string>& words) {
    std::vector<std::string> arguments = {"/usr/bin/tmux", "-f", "/dev/null", "-S", dir_ + "/tmux"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    Program program(arguments, {"SHELL=/bin/sh"});
    const int code = program.Wait();
    output_ = program.output();
    return code;
  }
  // The live view in a terminal of 80 x 24, which ends by itself should the test not come to it.
  void Watch() {
    std::vector<std::string> words = {"new-session", "-d", "-x", "80", "-y", "24"};
    for (const std::string& variable : controller_->environment()) {
      words.insert(words.end(), {"-e", variable});
    }
    // The shell outlives Ctrl-C, so that what is left on the screen can be looked at.
    words.insert(words.end(),
                 {"/bin/sh", "-c",
                  absl::StrCat("trap : INT; ", std::getenv("SLIPWAY_BINARY_DIR"),
                               "/bin/slipway watch ro-M4TZ7K --timeout 100s; sleep 60")});
    ASSERT_EQ(Tmux(words), 0) << output_;
  }
  std::string Screen() {
    EXPECT_EQ(Tmux({"capture-pane", "-p"}), 0) << output_;
    return output_;
  }
  // The screen once it is as wanted; else what was there at last.
  template <class Wanted>
  std::string ScreenWhen(const Wanted& wanted) {
    const absl::Duration until = SystemClock().Monotonic() + kPatience;
    while (true) {
      const std::string screen = Screen();
      if (wanted(screen) || SystemClock().Monotonic() > until) return screen;
      SystemClock().Sleep(absl::Milliseconds(50));
    }
  }
  std::string ScreenWith(const std::string& text) {
    return ScreenWhen([&](const std::string& screen) { return Count(screen, text) > 0; });
  }
  static int Count(const std::string& screen, const std::string& text) {
    int count = 0;
    for (std::size_t at = screen.find(text); at != std::string::npos;
         at = screen.find(text, at + 1))
      ++count;
    return count;
  }
  v1::RolloutUpdate Update(std::uint64_t sequence, const std::string& message) {
    v1::RolloutUpdate update;
    *update.mutable_rollout() = RolloutIn(v1::Rollout::RUNNING, sequence);
    auto* host = update.mutable_rollout()->mutable_hosts(0);
    host->set_state(v1::HostStatus::RUNNING);
    host->set_step("start");
    host->set_message(message);
    return update;
  }
};

constexpr char kFooter[] = "Ctrl-C leaves";

TEST_F(LiveTest, OneFrameIsRedrawnInItsPlace) {
  script_.updates = {Update(5, "a quarter"), Update(6, "half way"), Update(7, "nearly there")};
  Watch();
  const std::string screen = ScreenWith("nearly there");
  EXPECT_THAT(screen, HasSubstr("nearly there"));
  EXPECT_THAT(screen, Not(HasSubstr("half way"))) << "an earlier frame is left over";
  EXPECT_EQ(Count(screen, kFooter), 1) << screen;
}

TEST_F(LiveTest, NarrowerTerminalLeavesNoRemains) {
  script_.updates = {
      Update(5, "a message of more than fifty columns, as long as the terminal is wide")};
  Watch();
  ASSERT_THAT(ScreenWith(kFooter), HasSubstr(kFooter));
  ASSERT_EQ(Tmux({"resize-window", "-x", "50", "-y", "20"}), 0) << output_;
  script_.updates = {Update(9, "resized")};
  controller_->Stop();
  ASSERT_TRUE(controller_->Restart());
  const std::string screen = ScreenWhen([&](const std::string& now) {
    return Count(now, "resized") == 1 && Count(now, kFooter) == 1;
  });
  EXPECT_EQ(Count(screen, "resized"), 1) << screen;
  EXPECT_EQ(Count(screen, kFooter), 1) << screen;
}

TEST_F(LiveTest, CtrlCLeavesTheScreenInOrder) {
  script_.updates = {Update(5, "half way")};
  Watch();
  ASSERT_THAT(ScreenWith("half way"), HasSubstr("half way"));
  ASSERT_EQ(Tmux({"send-keys", "C-c"}), 0);
  const std::string screen = ScreenWith("Come back");
  EXPECT_THAT(screen, HasSubstr("Come back:  slipway watch ro-M4TZ7K"));
  EXPECT_EQ(Count(screen, kFooter), 0) << screen;
}

}  // namespace
}  // namespace slipway::cli
