"""Processes that the demo starts: each with a log file, stopped by id, never by name."""

import os
import pathlib
import signal
import subprocess
import time


class DemoError(Exception):
    """What went wrong, for a person; `log` is where to look."""

    def __init__(self, message, log=None):
        super().__init__(message)
        self.log = log


class Process:
    def __init__(self, name, argv, log, env=None, cwd=None):
        self.name, self.log = name, pathlib.Path(log)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as out:
            self.child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                          env=env, cwd=cwd, start_new_session=True)

    @property
    def pid(self):
        return self.child.pid

    def alive(self):
        return self.child.poll() is None

    def kill(self):
        """SIGKILL, as a crash would: nothing is told, nothing is flushed."""
        self.child.send_signal(signal.SIGKILL)
        self.child.wait(timeout=60)

    def stop(self, how=signal.SIGTERM, seconds=10):
        if not self.alive():
            return
        self.child.send_signal(how)
        try:
            self.child.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def last_lines(self, count=12):
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])
        except OSError:
            return ""


def wait_until(what, condition, seconds, log=None, every=0.05):
    """Polls a condition of another process; there is nothing to be notified by."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(every)
    raise DemoError(f"{what}: not within {seconds} s", log)


def run(argv, log, env=None, expect=(0,), seconds=120):
    """Runs a command to its end; its output goes to `log` and is returned."""
    with open(log, "ab") as out:
        out.write(("$ " + " ".join(map(str, argv)) + "\n").encode())
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, env=env, timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise DemoError(f"{argv[0]} did not end within {seconds} s", log) from error
    with open(log, "ab") as out:
        out.write(done.stdout + done.stderr)
    if expect is not None and done.returncode not in expect:
        raise DemoError(f"`{' '.join(map(str, argv))}` ended with {done.returncode}:\n"
                        + (done.stderr or done.stdout).decode(errors="replace").strip(), log)
    return done


def group_members(session):
    """Processes of a session, by id (a service outlives its agent on purpose)."""
    members = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
            if int(fields[3]) == session:
                members.append(int(entry))
        except (OSError, IndexError, ValueError):
            continue
    return members
