// Programs that misbehave under the shim: none of them outlives its run, hides from it, fills the
// disk or the memory, or takes the host's processes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "agent/actions/action_runner.h"
#include "agent/services/exec_output.h"
#include "agent/services/execution.h"
#include "common/clock.h"
#include "common/fs/test_directory.h"
#include "common/process/proc.h"
#include "tests/hostile/bounded_child.h"

namespace slipway::agent {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(60);  // of a busy machine
constexpr std::uint64_t kSpoolBytesMax = kSpoolHeadBytes + 2 * kSpoolTailBytes;

ExecSpec Shell(const std::string& script, const std::string& cwd) {
  ExecSpec spec{.argv = {"/bin/sh", "-c", script}, .env = {"PATH=/usr/bin:/bin"}, .cwd = cwd};
  spec.grace = absl::Milliseconds(200);
  return spec;
}

std::uint64_t BytesBelow(const std::string& dir, const std::string& prefix) {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    if (entry.path().filename().string().rfind(prefix, 0) == 0) bytes += entry.file_size();
  }
  return bytes;
}

// "VmHWM" of /proc/PID/status; 0: it is gone.
std::uint64_t PeakOf(pid_t pid) {
  std::ifstream status(absl::StrCat("/proc/", pid, "/status"));
  for (std::string word; status >> word;) {
    std::uint64_t kilobytes = 0;
    if (word == "VmHWM:" && status >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

class HostileChildren : public testing::Test {
 protected:
  Execution Start(const ExecSpec& spec) {
    const auto run = launcher_.Start(Run(), spec);
    EXPECT_TRUE(run.ok()) << run.status();
    return Execution(Run());
  }
  ExecExit End(const Execution& run) {
    EXPECT_TRUE(run.WaitFor(kPatience));
    EXPECT_EQ(run.State().kind, ExecState::Kind::exited);
    return run.State().exit;
  }
  bool Eventually(const std::function<bool()>& holds) {
    const absl::Duration end = SystemClock().Monotonic() + kPatience;
    while (!holds()) {
      if (SystemClock().Monotonic() > end) return false;
      SystemClock().Sleep(absl::Milliseconds(5));
    }
    return true;
  }
  // Processes that work in this test's folder: whatever they call themselves, they stand there.
  int Living() const {
    int living = 0;
    for (const ProcessStat& process : AllProcesses()) {
      std::error_code gone;
      const auto cwd =
          std::filesystem::read_symlink(absl::StrCat("/proc/", process.pid, "/cwd"), gone);
      if (!gone && cwd.string() == home_.path() && process.state != 'Z') ++living;
    }
    return living;
  }
  std::string Run() const { return home_ / "run"; }

  TestDirectory home_;
  ExecLauncher launcher_{{SLIPWAY_EXEC_SHIM}};
};

struct Hider {
  const char* how;
  const char* script;  // leaves something behind and makes the file "left"
};

const Hider kHiders[] = {
    {"in the background", "sleep 300 & : > left"},
    {"in a session of its own", "setsid sleep 300 & : > left"},
    {"behind two forks", "(setsid sh -c 'sleep 300 & : > left' &)"},
    {"behind ten forks",
     "f() { if [ $1 = 0 ]; then : > left; exec sleep 300; fi; (f $(($1 - 1)) &) ; }; f 10"},
    {"without an environment", "setsid env -i /bin/sleep 300 & : > left"},
    {"deaf to signals",
     "setsid sh -c 'trap \"\" TERM HUP INT QUIT; : > left; sleep 300; sleep 300' &"},
    {"without descriptors", "setsid sh -c 'exec <&- >&- 2>&-; : > left; sleep 300' &"},
    {"stopped", "sh -c ': > left; kill -STOP $$; sleep 300' &"},
    {"under another name", "ln -s /bin/sleep init; setsid ./init 300 & : > left"},
    {"in a crowd", "for i in 1 2 3 4 5 6 7 8 9; do setsid sleep 300 & done; : > left"},
    {"with children that nobody waits for",
     "sh -c 'for i in 1 2 3 4 5; do (exit 1) & done; : > left; exec sleep 300' &"},
    {"as what comes after the end",
     "sh -c 'trap \"setsid sleep 300 & : > again\" TERM; : > left; "
     "while :; do sleep 0.05; done' &"},
    {"under nohup", "nohup sleep 300 >/dev/null 2>&1 & : > left"},
};

TEST_F(HostileChildren, NothingOutlivesItsRunHoweverItHides) {
  for (const Hider& hider : kHiders) {
    ExecSpec spec =
        Shell(absl::StrCat(hider.script, "\nuntil [ -e left ]; do sleep 0.02; done; exit 7"),
              home_.path());
    const Execution run = Start(spec);
    const ExecExit exit = End(run);
    EXPECT_EQ(exit.code, 7) << hider.how;
    EXPECT_GE(exit.leftovers, 1) << hider.how;
    EXPECT_EQ(Living(), 0) << hider.how;
    EXPECT_THAT(run.Processes(), testing::IsEmpty()) << hider.how;
    std::filesystem::remove_all(Run());
    for (const char* name : {"left", "again", "init"}) std::filesystem::remove(home_ / name);
  }
}

struct Refuser {
  const char* how;
  const char* script;  // makes the file "deaf" once it is
  int signal;          // that ends it
};

const Refuser kRefusers[] = {
    {"hears TERM", ": > deaf; exec sleep 300", SIGTERM},
    {"ignores TERM", "trap '' TERM; : > deaf; while :; do sleep 0.05; done", SIGKILL},
    {"ignores all it may",
     "trap '' HUP INT QUIT TERM USR1 USR2; : > deaf; while :; do sleep 0.05; done", SIGKILL},
    {"is stopped", "trap '' TERM; : > deaf; kill -STOP $$; sleep 300", SIGKILL},
    {"says goodbye for ever",
     "trap 'while :; do echo bye; done' TERM; : > deaf; while :; do sleep 0.05; done", SIGKILL},
    {"never stops talking", "trap '' TERM; : > deaf; while :; do echo talk; done", SIGKILL},
    {"closes its output", "trap '' TERM; : > deaf; exec >&- 2>&-; while :; do sleep 0.05; done",
     SIGKILL},
    {"has a family",
     "trap '' TERM; for i in 1 2 3; do (while :; do sleep 0.05; done) & done; : > deaf; wait; "
     "while :; do sleep 0.05; done",
     SIGKILL},
};

TEST_F(HostileChildren, DeadlineEndsWhoeverDoesNotWantTo) {
  for (const Refuser& refuser : kRefusers) {
    ExecSpec spec = Shell(refuser.script, home_.path());
    ExecExit exit;
    // On a busy machine the deadline may come before the shell has closed its ears: then again.
    for (spec.deadline = absl::Milliseconds(300); !home_.Has("deaf"); spec.deadline *= 2) {
      ASSERT_LT(spec.deadline, kPatience) << refuser.how;
      exit = End(Start(spec));
      std::filesystem::remove_all(Run());
      EXPECT_TRUE(exit.timed_out) << refuser.how;
      EXPECT_EQ(Living(), 0) << refuser.how;
    }
    EXPECT_EQ(exit.signal, refuser.signal) << refuser.how;
    std::filesystem::remove(home_ / "deaf");
  }
}

struct Talker {
  const char* how;
  const char* script;
  const char* tail;  // the last bytes that are kept
};

const Talker kTalkers[] = {
    {"64 MiB of one line", "head -c 67108864 /dev/zero | tr '\\0' x; printf end", "xend"},
    {"64 MiB of empty lines", "head -c 67108864 /dev/zero | tr '\\0' '\\n'; printf end", "\nend"},
    {"zeros", "head -c 50000000 /dev/zero; printf end", "end"},
    {"escape sequences",
     "yes \"$(printf '\\033[2J\\033]0;title\\007')\" | head -c 10000000; printf end", "end"},
    {"no UTF-8", "head -c 10000000 /dev/zero | tr '\\0' '\\377'; printf end", "end"},
    {"one byte at a time", "i=0; while [ $i -lt 3000 ]; do printf x; i=$((i+1)); done; printf end",
     "xend"},
};

TEST_F(HostileChildren, OutputIsBoundedOnDiskAndInMemoryAndHarmlessToShow) {
  for (const Talker& talker : kTalkers) {
    // It waits at the end, so that its shim can be looked at.
    const ExecSpec spec =
        Shell(absl::StrCat("(", talker.script, "); : > done; exec sleep 300"), home_.path());
    const Execution run = Start(spec);
    const std::string tail = talker.tail;
    ASSERT_TRUE(Eventually([&] {
      return home_.Has("done") && SpoolTail(Run(), tail.size()) == tail;
    })) << talker.how;
    EXPECT_LE(BytesBelow(Run(), "out."), kSpoolBytesMax) << talker.how;
    EXPECT_LT(PeakOf(run.State().running.shim.pid), 32u << 20) << talker.how;
    const std::string shown = Printable(SpoolTail(Run(), 4096));
    for (const char c : shown) {
      const auto byte = static_cast<unsigned char>(c);
      EXPECT_TRUE(byte >= 0x20 || c == '\n' || c == '\t') << talker.how;
    }
    run.KillAll();
    End(run);
    std::filesystem::remove_all(Run());
    std::filesystem::remove(home_ / "done");
  }
}

// Without a pipe between, as much as SLIPWAY_SPOOL_GIGABYTES says: one here, fifty when asked.
TEST_F(HostileChildren, GigabytesPassThroughTheSpoolWithoutBeingKept) {
  const char* const asked = std::getenv("SLIPWAY_SPOOL_GIGABYTES");
  std::uint64_t gigabytes = 1;
  ASSERT_TRUE(asked == nullptr || absl::SimpleAtoi(asked, &gigabytes)) << asked;
  const std::uint64_t bytes_in_all = gigabytes * 1'000'000'000;
  const std::string dir = home_ / "spool";
  std::filesystem::create_directory(dir);
  const test::ChildEnd end = test::InChild([&] {
    const std::string piece(1 << 20, 'x');
    SpoolSink sink(dir);
    for (std::uint64_t written = 0; written < bytes_in_all; written += piece.size())
      sink.Write(piece);
    sink.Write("end");
    return std::string("done");
  });
  EXPECT_EQ(end.said, "done");
  EXPECT_LT(end.peak_bytes, 48u << 20);
  EXPECT_LE(BytesBelow(dir, "out."), kSpoolBytesMax);
  EXPECT_EQ(SpoolTail(dir, 4), "xend");
  EXPECT_GT(ReadSpool(dir, kSpoolHeadBytes, 1).dropped, bytes_in_all - kSpoolBytesMax);
}

// A user's processes are counted by the kernel; root's are not, where there is no cgroup for it.
TEST_F(HostileChildren, ForkBombStaysBelowItsBoundAndIsEnded) {
  ASSERT_EQ(geteuid(), 0u) << "only root may run something as another user";
  ASSERT_EQ(chmod(home_.path().c_str(), 0777), 0);
  ExecSpec spec = Shell("while :; do sh -c 'f() { f | f & }; f; sleep 300' & done", home_.path());
  spec.user = "games";
  spec.processes_max = 100;
  const Execution run = Start(spec);
  std::size_t most = 0;
  const auto look = [&] { most = std::max(most, run.Processes().size()); };
  ASSERT_TRUE(Eventually([&] {
    look();
    return most > 10 && SpoolTail(Run(), kSpoolTailBytes).find("Cannot fork") != std::string::npos;
  })) << most;
  for (int i = 0; i < 100; ++i) look();
  EXPECT_LE(most, static_cast<std::size_t>(spec.processes_max) + 1) << "and the shim";
  run.KillAll();
  End(run);
  EXPECT_EQ(Living(), 0);
}

struct Unfit {
  const char* how;
  std::vector<std::string> argv;
  const char* why;
};

TEST_F(HostileChildren, WhatCannotBeExecutedIsRefusedWithAReason) {
  home_.Write("text", "no program");
  home_.Write("fork", std::string("\x7f"
                                  "ELF",
                                  4) +
                          std::string(60, '\0'));
  for (const char* name : {"text", "fork"}) chmod((home_ / name).c_str(), 0755);
  std::filesystem::create_symlink(home_ / "loop", home_ / "loop");
  const std::vector<Unfit> unfit = {
      {"absent", {"/nowhere/program"}, "No such file"},
      {"folder", {"/tmp"}, "Permission denied"},
      {"not executable", {"/etc/passwd"}, "Permission denied"},
      {"text", {home_ / "text"}, "Exec format error"},
      {"cut ELF", {home_ / "fork"}, "Exec format error"},
      {"loop of links", {home_ / "loop"}, "symbolic links"},
      {"long name", {"/" + std::string(300, 'x')}, "name too long"},
      {"long argument", {"/bin/true", std::string(200'000, 'x')}, "Argument list too long"},
      {"empty name", {""}, "No such file"},
  };
  for (const Unfit& one : unfit) {
    const Execution run = Start({.argv = one.argv});
    EXPECT_THAT(End(run).refused, testing::HasSubstr(one.why)) << one.how;
    std::filesystem::remove_all(Run());
  }
}

}  // namespace
}  // namespace slipway::agent
