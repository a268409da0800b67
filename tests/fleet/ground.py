"""What a set of test hosts stands on: a control group, network namespaces, mounts; all found by id.

A `Ground` removes what it made. What a killed test left behind is removed by the next `sweep()`: each
ground records its owner in /run/slipway-fleet/ID, and everything of it carries that id.
"""

import fcntl
import json
import os
import pathlib
import secrets
import shutil
import subprocess
import sys

# The demo's library is ours too; who imports from it imports this first.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))

from demo_lib.processes import DemoError, wait_until  # noqa: E402

RUN = pathlib.Path("/run/slipway-fleet")
CGROUP = "slipway-fleet-{}"
NETNS = "slipway-fleet-{}-{}"
PROPAGATE = pathlib.Path("/run/systemd/nspawn/propagate")  # nspawn leaves an empty folder there
TOOLS = ("ip", "mkfs.ext4", "nft", "nsenter", "setpriv", "systemd-nspawn", "tc", "unshare")
ENDS_WITHIN = 60  # seconds for killed processes to be gone, on a machine under load


class NoGround(DemoError):
    """This machine cannot boot test hosts; says why."""


def tool(*argv, check=True, seconds=180):
    """Runs a command of the system and returns its output."""
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=seconds, cwd="/")
    if check and done.returncode != 0:
        raise DemoError(f"`{' '.join(map(str, argv))}` ended with {done.returncode}: "
                     f"{(done.stderr or done.stdout).strip()}")
    return done.stdout


def hierarchies():
    """Mount points of the control groups that systemd needs: v2, and the old named one if mounted."""
    v2, named = None, []
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        fields, rest = line.split(" - ", 1)
        where, kind = pathlib.Path(fields.split()[4]), rest.split()[0]
        if kind == "cgroup2" and v2 is None:
            v2 = where
        elif kind == "cgroup" and "name=systemd" in rest.split()[-1].split(","):
            named = [where]
    if v2 is None:
        raise NoGround("no cgroup2 file system is mounted")
    return [v2, *named]


def require():
    """Raises NoGround with the reason when hosts cannot be booted here."""
    if os.geteuid() != 0:
        raise NoGround("booting hosts takes root")
    missing = [t for t in TOOLS if not shutil.which(t)]
    if missing:
        raise NoGround(f"missing: {', '.join(missing)} (deploy/apt-packages.txt names the packages)")
    hierarchies()
    if not pathlib.Path("/dev/loop-control").exists():
        raise NoGround("no loop devices")
    probe = subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "true"],
                           stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if probe.returncode != 0:
        raise NoGround(f"no namespaces: {probe.stderr.strip()}")


def started(pid):
    """When a process began, in ticks: with the pid it names a process for good. None: there is none."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return None
    return None if fields[0] == "Z" else int(fields[19])


class Ground:
    """Below `directory`, which it makes and removes, hosts keep their disks."""

    def __init__(self, directory):
        self.id = secrets.token_hex(3)
        self.directory = pathlib.Path(directory).resolve()
        self.record = RUN / self.id
        self.children = []  # processes to be waited for in the end
        self.cgroups = [h / CGROUP.format(self.id) for h in hierarchies()]
        RUN.mkdir(exist_ok=True)
        owner = {"pid": os.getpid(), "started": started(os.getpid()), "directory": str(self.directory)}
        making = self.record.with_suffix(".making")
        making.write_text(json.dumps(owner))
        making.rename(self.record)
        self.directory.mkdir(parents=True, exist_ok=True)

    def group(self, name):
        """Control groups of one member of the fleet, v2 first."""
        groups = [g / name for g in self.cgroups]
        for group in groups:
            group.mkdir(parents=True, exist_ok=True)
        return groups

    def netns(self, name):
        full = NETNS.format(self.id, name)
        tool("ip", "netns", "add", full)
        tool("ip", "-n", full, "link", "set", "lo", "up")
        return full

    def machine(self, name):
        return f"sf{self.id}-{name}"

    def start(self, groups, argv, **popen):
        """A process of the fleet, which ends with it at the latest."""
        child = subprocess.Popen(within(groups, argv), stdin=subprocess.DEVNULL, cwd="/", **popen)
        self.children.append(child)
        return child

    def remove(self):
        _remove(self.id, self.directory)
        for child in self.children:
            child.wait(timeout=ENDS_WITHIN)


def within(groups, argv):
    """The command, begun inside control groups: all that it starts is in them too.

    It dies with the thread that starts it: start what shall last from the main thread.
    """
    moves = "".join(f"echo $$ >{g}/cgroup.procs && " for g in groups)
    return ["/bin/sh", "-c", moves + 'exec setpriv --pdeathsig KILL "$@"', "sh", *map(str, argv)]


def sweep():
    """Removes what tests left behind whose process is gone."""
    RUN.mkdir(exist_ok=True)
    with open(RUN / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one sweeps, others find it clean
        for record in RUN.glob("*"):
            try:
                owner = json.loads(record.read_text())
            except (OSError, ValueError):
                continue  # the lock, or somebody is just making or removing it
            if started(owner["pid"]) != owner["started"]:
                _remove(record.name, pathlib.Path(owner["directory"]))


def _remove(ground, directory):
    """Processes first, then what they held: mounts, namespaces, folders."""
    groups = [h / CGROUP.format(ground) for h in hierarchies()]
    _end(groups[0])
    for where in _mounts_below(directory):
        tool("umount", "--lazy", where)
    for name in tool("ip", "netns", "list").split("\n"):
        name = name.split(" ")[0]
        if name.startswith(NETNS.format(ground, "")):
            tool("ip", "netns", "del", name, check=False)
    for group in groups:
        remove_groups(group)
    for left in PROPAGATE.glob(f"sf{ground}-*"):
        shutil.rmtree(left, ignore_errors=True)
    shutil.rmtree(directory, ignore_errors=True)
    (RUN / ground).unlink(missing_ok=True)


def _end(group):
    if not group.is_dir():
        return
    (group / "cgroup.freeze").write_text("0")
    (group / "cgroup.kill").write_text("1")
    wait_until(f"processes of {group} to end",
          lambda: "populated 0" in (group / "cgroup.events").read_text(), ENDS_WITHIN)


def remove_groups(group):
    """A control group and those below it, once nothing runs in them."""
    for folder, _, _ in os.walk(group, topdown=False):
        try:
            os.rmdir(folder)
        except FileNotFoundError:
            pass


def _mounts_below(directory):
    """Deepest first."""
    below = f"{directory}/"
    mounts = [line.split()[4] for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()]
    return sorted((m for m in mounts if m.startswith(below)), key=len, reverse=True)
