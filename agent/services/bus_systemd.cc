#include "agent/services/bus_systemd.h"

#include <algorithm>
#include <cerrno>
#include <deque>
#include <functional>
#include <map>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "agent/services/lib_systemd.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

constexpr char kService[] = "org.freedesktop.systemd1";
constexpr char kPath[] = "/org/freedesktop/systemd1";
constexpr char kSystemdInterface[] = "org.freedesktop.systemd1.Manager";
constexpr std::uint64_t kCallTakesAtMostUs = 10'000'000;

absl::Status FromErrno(int error, absl::string_view doing) {
  return absl::UnavailableError(
      absl::StrCat("cannot ", doing, ": ", absl::ErrnoToStatus(-error, "system bus").message()));
}

// A reply that is let go of by itself.
class Reply {
 public:
  explicit Reply(const LibSystemd& lib) : lib_(lib) {}
  ~Reply() { lib_.sd_bus_message_unref(message_); }
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;

  sd_bus_message** out() { return &message_; }
  sd_bus_message* get() const { return message_; }

 private:
  const LibSystemd& lib_;
  sd_bus_message* message_ = nullptr;
};

// Reads the properties that a UnitLook is made of from a dictionary of all.
class LookReader {
 public:
  LookReader(const LibSystemd& lib, sd_bus_message* message, UnitLook& look)
      : lib_(lib), message_(message), look_(look) {}

  // False: the answer is none that this knows to read.
  bool Read() {
    if (lib_.sd_bus_message_enter_container(message_, 'a', "{sv}") <= 0) return false;
    int more = 0;
    while ((more = lib_.sd_bus_message_enter_container(message_, 'e', "sv")) > 0) {
      const char* name = nullptr;
      if (lib_.sd_bus_message_read(message_, "s", &name) <= 0) return false;
      const auto reader = readers_.find(name);
      if (reader == readers_.end()) {
        if (lib_.sd_bus_message_skip(message_, "v") < 0) return false;
      } else if (!ReadVariant(reader->second)) {
        return false;
      }
      if (lib_.sd_bus_message_exit_container(message_) < 0) return false;
    }
    return more == 0;
  }

 private:
  using Take = std::function<bool()>;

  bool ReadVariant(const Take& take) {
    const char* type = nullptr;
    if (lib_.sd_bus_message_peek_type(message_, nullptr, &type) <= 0) return false;
    return lib_.sd_bus_message_enter_container(message_, 'v', type) > 0 && take() &&
           lib_.sd_bus_message_exit_container(message_) >= 0;
  }

  Take Text(std::string& into) {
    return [this, &into] {
      const char* text = nullptr;
      if (lib_.sd_bus_message_read(message_, "s", &text) <= 0) return false;
      into = text;
      return true;
    };
  }
  template <class Wire, class Value>
  Take Number(const char* type, Value& into) {
    return [this, type, &into] {
      Wire value{};
      if (lib_.sd_bus_message_read(message_, type, &value) <= 0) return false;
      into = static_cast<Value>(value);
      return true;
    };
  }
  Take Moment(absl::Time& into) {
    return [this, &into] {
      std::uint64_t us = 0;
      if (lib_.sd_bus_message_read(message_, "t", &us) <= 0) return false;
      if (us != 0) into = absl::FromUnixMicros(static_cast<std::int64_t>(us));
      return true;
    };
  }
  bool TakeInvocation() {
    const void* bytes = nullptr;
    std::size_t size = 0;
    if (lib_.sd_bus_message_read_array(message_, 'y', &bytes, &size) < 0) return false;
    look_.invocation =
        absl::BytesToHexString(absl::string_view(static_cast<const char*>(bytes), size));
    if (look_.invocation.find_first_not_of('0') == std::string::npos) look_.invocation.clear();
    return true;
  }
  bool TakeJob() {
    std::uint32_t number = 0;
    const char* path = nullptr;
    if (lib_.sd_bus_message_read(message_, "(uo)", &number, &path) <= 0) return false;
    if (number != 0) look_.job = path;
    return true;
  }
  bool TakeLoadError() {
    const char* name = nullptr;
    const char* text = nullptr;
    if (lib_.sd_bus_message_read(message_, "(ss)", &name, &text) <= 0) return false;
    look_.load_error = text;
    return true;
  }

  const LibSystemd& lib_;
  sd_bus_message* const message_;
  UnitLook& look_;
  const std::map<std::string, Take> readers_ = {
      {"LoadState", Text(look_.load_state)},
      {"LoadError", [this] { return TakeLoadError(); }},
      {"ActiveState", Text(look_.active_state)},
      {"SubState", Text(look_.sub_state)},
      {"Result", Text(look_.result)},
      {"InvocationID", [this] { return TakeInvocation(); }},
      {"Job", [this] { return TakeJob(); }},
      {"NeedDaemonReload", Number<int>("b", look_.changed_on_disk)},
      {"ConditionResult", Number<int>("b", look_.conditions_met)},
      {"MainPID", Number<std::uint32_t>("u", look_.main_pid)},
      {"ExecMainPID", Number<std::uint32_t>("u", look_.last_main_pid)},
      {"ExecMainCode", Number<std::int32_t>("i", look_.main_code)},
      {"ExecMainStatus", Number<std::int32_t>("i", look_.main_status)},
      {"NRestarts", Number<std::uint32_t>("u", look_.restarts)},
      {"KillSignal", Number<std::int32_t>("i", look_.stop_signal)},
      {"ActiveEnterTimestamp", Moment(look_.active_since)},
      {"InactiveEnterTimestamp", Moment(look_.inactive_since)},
      {"InactiveExitTimestamp", Moment(look_.began)},
      {"ExecMainStartTimestamp", Moment(look_.main_began)},
  };
};

class BusSession final : public SystemdSession {
 public:
  explicit BusSession(const LibSystemd& lib) : lib_(lib) {}
  ~BusSession() override { lib_.sd_bus_flush_close_unref(bus_); }

  absl::Status Open() {
    constexpr char kDoing[] = "reach systemd";
    const int opened = lib_.sd_bus_open_system(&bus_);
    if (opened == -ENOENT) {
      return absl::FailedPreconditionError(
          "this host has no system bus: units need a host that systemd runs");
    }
    if (opened < 0) return FromErrno(opened, kDoing);
    lib_.sd_bus_set_method_call_timeout(bus_, kCallTakesAtMostUs);
    const int r = lib_.sd_bus_match_signal(bus_, nullptr, kService, kPath, kSystemdInterface,
                                           "JobRemoved", Heard, this);
    if (r < 0) return FromErrno(r, kDoing);
    return Call("Subscribe", kDoing, nullptr, "");
  }

  absl::StatusOr<UnitLook> Look(const std::string& unit) override {
    const std::string doing = "look at " + unit;
    Reply loaded(lib_);
    SLIPWAY_RETURN_IF_ERROR(Call("LoadUnit", doing, &loaded, "s", unit.c_str()));
    const char* path = nullptr;
    if (lib_.sd_bus_message_read(loaded.get(), "o", &path) <= 0) return Unreadable(doing);
    Reply properties(lib_);
    SLIPWAY_RETURN_IF_ERROR(
        CallAt(path, "org.freedesktop.DBus.Properties", "GetAll", doing, &properties, "s", ""));
    UnitLook look;
    if (!LookReader(lib_, properties.get(), look).Read()) return Unreadable(doing);
    return look;
  }

  void Keep(const std::string& unit) override {
    (void)Call("RefUnit", "keep " + unit, nullptr, "s", unit.c_str());
  }
  absl::StatusOr<std::string> Start(const std::string& unit) override {
    return Queue("StartUnit", "start " + unit, unit);
  }
  absl::StatusOr<std::string> Stop(const std::string& unit) override {
    return Queue("StopUnit", "stop " + unit, unit);
  }

  absl::StatusOr<std::optional<JobEnd>> NextEnd(absl::Duration limit) override {
    bool waited = false;
    while (ends_.empty()) {
      const int handled = lib_.sd_bus_process(bus_, nullptr);
      if (handled < 0) return FromErrno(handled, "hear from systemd");
      if (handled > 0) continue;
      if (waited) return std::optional<JobEnd>();
      const auto us = static_cast<std::uint64_t>(
          absl::ToInt64Microseconds(std::max(limit, absl::ZeroDuration())));
      if (const int r = lib_.sd_bus_wait(bus_, us); r < 0 && r != -EINTR) {
        return FromErrno(r, "hear from systemd");
      }
      waited = true;
    }
    JobEnd end = std::move(ends_.front());
    ends_.pop_front();
    return std::optional<JobEnd>(std::move(end));
  }

  absl::Status Signal(const std::string& unit, bool all, int signal) override {
    const absl::Status sent = Call("KillUnit", absl::StrCat("signal ", unit), nullptr, "ssi",
                                   unit.c_str(), all ? "all" : "main", signal);
    return gone_ ? absl::OkStatus() : sent;
  }

  absl::StatusOr<std::vector<pid_t>> Processes(const std::string& unit) override {
    const std::string doing = "list the processes of " + unit;
    Reply reply(lib_);
    const absl::Status asked = Call("GetUnitProcesses", doing, &reply, "s", unit.c_str());
    if (gone_) return std::vector<pid_t>();
    SLIPWAY_RETURN_IF_ERROR(asked);
    std::vector<pid_t> pids;
    if (lib_.sd_bus_message_enter_container(reply.get(), 'a', "(sus)") < 0) {
      return Unreadable(doing);
    }
    const char* cgroup = nullptr;
    const char* command = nullptr;
    std::uint32_t pid = 0;
    int more = 0;
    while ((more = lib_.sd_bus_message_read(reply.get(), "(sus)", &cgroup, &pid, &command)) > 0) {
      pids.push_back(static_cast<pid_t>(pid));
    }
    if (more < 0) return Unreadable(doing);
    return pids;
  }

  absl::Status ResetFailed(const std::string& unit) override {
    return Call("ResetFailedUnit", "reset " + unit, nullptr, "s", unit.c_str());
  }
  absl::Status Reload() override { return Call("Reload", "reload the units", nullptr, ""); }

  absl::StatusOr<bool> GoesDown() override {
    const std::string doing = "ask for the state of the system";
    Reply reply(lib_);
    SLIPWAY_RETURN_IF_ERROR(CallAt(kPath, "org.freedesktop.DBus.Properties", "Get", doing, &reply,
                                   "ss", kSystemdInterface, "SystemState"));
    const char* state = nullptr;
    if (lib_.sd_bus_message_read(reply.get(), "v", "s", &state) <= 0) return Unreadable(doing);
    return std::string_view(state) == "stopping";
  }

 private:
  static int Heard(sd_bus_message* message, void* self, sd_bus_error*) {
    auto& session = *static_cast<BusSession*>(self);
    std::uint32_t number = 0;
    const char* job = nullptr;
    const char* unit = nullptr;
    const char* result = nullptr;
    const int r = session.lib_.sd_bus_message_read(message, "uoss", &number, &job, &unit, &result);
    if (r > 0) session.ends_.push_back({job, result});
    return 0;
  }

  absl::Status Unreadable(const std::string& doing) const {
    return absl::UnavailableError(absl::StrCat("cannot ", doing, ": the answer is unreadable"));
  }

  template <class... Arguments>
  absl::Status Call(const char* method, const std::string& doing, Reply* reply, const char* types,
                    Arguments... arguments) {
    return CallAt(kPath, kSystemdInterface, method, doing, reply, types, arguments...);
  }

  template <class... Arguments>
  absl::Status CallAt(const char* path, const char* interface, const char* method,
                      const std::string& doing, Reply* reply, const char* types,
                      Arguments... arguments) {
    sd_bus_error error = SD_BUS_ERROR_NULL;
    const int r =
        lib_.sd_bus_call_method(bus_, kService, path, interface, method, &error,
                                reply == nullptr ? nullptr : reply->out(), types, arguments...);
    const std::string name = error.name == nullptr ? "" : error.name;
    const std::string text = error.message == nullptr ? "" : error.message;
    lib_.sd_bus_error_free(&error);
    // A unit that is not loaded, or has no such process, has nothing to be signalled.
    gone_ = name == "org.freedesktop.systemd1.NoSuchProcess" ||
            name == "org.freedesktop.systemd1.NoSuchUnit" ||
            name == "org.freedesktop.DBus.Error.UnixProcessIdUnknown";
    if (r >= 0) return absl::OkStatus();
    return name.empty() ? FromErrno(r, doing) : FromBusError(name, text, doing);
  }

  absl::StatusOr<std::string> Queue(const char* method, const std::string& doing,
                                    const std::string& unit) {
    Reply reply(lib_);
    SLIPWAY_RETURN_IF_ERROR(Call(method, doing, &reply, "ss", unit.c_str(), "replace"));
    const char* job = nullptr;
    if (lib_.sd_bus_message_read(reply.get(), "o", &job) <= 0) return Unreadable(doing);
    return std::string(job);
  }

  const LibSystemd& lib_;
  sd_bus* bus_ = nullptr;
  bool gone_ = false;  // the last call was about something that is not there
  std::deque<JobEnd> ends_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<SystemdSession>> BusSystemd::Connect() const {
  SLIPWAY_ASSIGN_OR_RETURN(const LibSystemd* lib, LoadLibSystemd());
  auto session = std::make_unique<BusSession>(*lib);
  SLIPWAY_RETURN_IF_ERROR(session->Open());
  return session;
}

}  // namespace slipway::agent
