"""One booted Debian: its own systemd, processes, disk and network namespace, one image below."""

import os
import pathlib
import shutil
import subprocess
import uuid

from ground import DemoError, remove_groups, tool, wait_until, within

# Seconds. Eight are usual for a boot; a machine that compiles beside it takes its time.
BOOTS_WITHIN = 240
STOPS_WITHIN = 90
ANSWERS_WITHIN = 180
DRIVE = "2G"  # takes what is written on it


class Host:
    """Disk: what the host writes lies over the image and survives `stop`, `kill` and `reboot`.

    `binds` are folders of this machine that the host sees: {path in the host: path here}. They are
    writable; `network` is the namespace that the host lives in. With a `drive` of its own, a file that
    holds a file system, it can lose its power.
    """

    def __init__(self, ground, name, image, network, binds=None, drive=False):
        self.ground, self.name, self.image, self.network = ground, name, image, network
        self.binds = dict(binds or {})
        self.directory = ground.directory / "hosts" / name
        self.root = self.directory / "root"
        self.console = self.directory / "console.log"
        self.groups = ground.group(name)
        self.nspawn = None
        self.leader = None
        self.uuid = str(uuid.uuid4())
        self.root.mkdir(parents=True)
        self.drive = self.directory / "drive" if drive else None
        if self.drive:
            tool("truncate", f"--size={DRIVE}", self.drive)
            tool("mkfs.ext4", "-q", self.drive)
        self._mount()
        (self.root / "etc/hostname").write_text(name + "\n")

    def _mount(self):
        written = self.directory / "written"
        written.mkdir(exist_ok=True)
        if self.drive:
            # Seldom: what nobody syncs is to be lost.
            tool("mount", "-o", "loop,commit=600", self.drive, written)
        for part in ("disk", "work"):
            (written / part).mkdir(exist_ok=True)
        tool("mount", "-t", "overlay", "overlay", "-o",
             f"lowerdir={self.image},upperdir={written}/disk,workdir={written}/work", self.root)

    # --- its life -----------------------------------------------------------------------------

    def boot(self):
        """Returns at once; `ready` waits until the host is up."""
        argv = ["systemd-nspawn", "--boot", "--quiet", "--register=no", "--keep-unit",
                f"--network-namespace-path=/run/netns/{self.network}", f"--directory={self.root}",
                f"--machine={self.ground.machine(self.name)}", f"--hostname={self.name}",
                f"--uuid={self.uuid}", "--console=pipe", "--resolv-conf=off", "--timezone=off",
                "--link-journal=no", *(f"--bind={here}:{there}" for there, here in self.binds.items())]
        with open(self.console, "ab") as out:
            self.nspawn = self.ground.start(self.groups, argv, stdout=out, stderr=out, start_new_session=True)

    def ready(self, seconds=BOOTS_WITHIN):
        self.leader = wait_until(f"{self.name}: an init", self._find_leader, seconds)
        wait_until(f"{self.name} to be up", self._is_up, seconds, every=0.1)

    def _find_leader(self):
        self._must_live()
        pid = self.nspawn.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for child in children:
            # The leader is the one that became init; before, it is still nspawn itself.
            if os.path.basename(_read_link(f"/proc/{child}/exe")) == "systemd":
                return int(child)
        return None

    def _is_up(self):
        self._must_live()
        if not (pathlib.Path(f"/proc/{self.leader}/root/run/dbus/system_bus_socket")).exists():
            return False
        state = self.exec("systemctl", "is-system-running", expect=None).stdout.strip()
        if state == "degraded":
            raise DemoError(f"{self.name} booted with failed units:\n" + self.says())
        return state == "running"

    def _must_live(self):
        if self.nspawn.poll() is not None:
            last = self.console.read_text(errors="replace").splitlines()[-5:]
            raise DemoError(f"{self.name} ended with {self.nspawn.returncode} while booting:\n" + "\n".join(last))

    def stop(self):
        """An orderly shutdown; what does not end in time is killed."""
        if self.running():
            self.exec("systemctl", "poweroff", expect=None)
            try:
                self._gone(STOPS_WITHIN)
            except DemoError:
                self.kill()

    def kill(self):
        """All processes of the host at once, as when its kernel panics; what was written is kept."""
        (self.groups[0] / "cgroup.kill").write_text("1")
        self._gone(STOPS_WITHIN)

    def lose_power(self):
        """As `kill`, and of what was written only that is kept which had reached the drive: all that
        was synced, and by chance more. What unmounting would write goes to the drive that is dropped."""
        self.kill()
        kept = self.directory / "drive.kept"
        tool("cp", "--sparse=always", "--reflink=auto", self.drive, kept)
        tool("umount", self.root)
        tool("umount", self.directory / "written")
        kept.rename(self.drive)
        self._mount()

    def reboot(self):
        """An orderly shutdown and a new boot; `ready` waits for it."""
        self.stop()
        self.boot()

    def _gone(self, seconds):
        try:
            self.nspawn.wait(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise DemoError(f"{self.name} did not end within {seconds} s") from error
        wait_until(f"{self.name}'s processes to end",
              lambda: "populated 0" in (self.groups[0] / "cgroup.events").read_text(), seconds)
        self.leader = None
        for group in self.groups:  # a new boot makes them again
            for part in group.iterdir():
                if part.is_dir():
                    remove_groups(part)

    def freeze(self, frozen=True):
        """Stops all processes of the host where they are, or lets them go on."""
        (self.groups[0] / "cgroup.freeze").write_text(str(int(frozen)))
        wait_until(f"{self.name} to {'freeze' if frozen else 'go on'}",
              lambda: f"frozen {int(frozen)}" in (self.groups[0] / "cgroup.events").read_text(), STOPS_WITHIN)

    def running(self):
        return self.nspawn is not None and self.nspawn.poll() is None

    # --- what people do on it -----------------------------------------------------------------

    def inside(self, *argv):
        """The command line, from here, of a command that runs in the host."""
        groups = []
        for group in self.groups:
            groups.append(group / "payload" / "fleet-exec")
            groups[-1].mkdir(exist_ok=True)
        enter = ["nsenter", f"--target={self.leader}", "--all", "--wdns=/", "/usr/bin/env", "-i",
                 "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
                 "LANG=C.UTF-8"]
        return within(groups, [*enter, *argv])

    def exec(self, *argv, expect=(0,), seconds=ANSWERS_WITHIN):
        """Runs a command in the host to its end; `expect` None takes any exit status."""
        done = subprocess.run(self.inside(*argv), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=seconds, errors="replace", cwd="/")
        if expect is not None and done.returncode not in expect:
            raise DemoError(f"{self.name}: `{' '.join(map(str, argv))}` ended with {done.returncode}:\n"
                         f"{(done.stderr or done.stdout).strip()}")
        return done

    def says(self, lines=25):
        """For people: failed units and the end of its journal, as far as it still answers."""
        if not self.leader:
            return self.console.read_text(errors="replace")[-2000:] if self.console.exists() else "never booted"
        said = ""
        for argv in (["systemctl", "--failed", "--plain"], ["journalctl", f"--lines={lines}", "--output=cat"]):
            try:
                said += self.exec(*argv, "--no-pager", expect=None, seconds=20).stdout
            except (OSError, subprocess.SubprocessError) as error:
                said += f"{argv[0]}: {error}\n"
        return said

    def copy_in(self, source, path):
        """A file into the host's disk; the host may be up or down."""
        target = self.root / str(path).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


def _read_link(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""
