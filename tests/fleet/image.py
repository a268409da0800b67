"""The Debian that all test hosts share: made once from apt's own sources, kept in the user's cache."""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import time

from ground import DemoError

HERE = pathlib.Path(__file__).resolve().parent
SUITE = "bookworm"
UNUSED_DAYS = 14
MAKING, REMOVING = ".making", ".removing"
MINUTES = 15  # a slow mirror's time; two minutes are usual

# Run in the image once it holds all packages: nothing starts by itself but systemd and D-Bus, nothing
# watches what nobody types (a machine has only so many inotify instances), and each host makes a
# machine-id of its own.
FINISH = """
systemctl disable nginx.service
systemctl mask console-getty.service getty.target apt-daily.timer apt-daily-upgrade.timer \
    dpkg-db-backup.timer e2scrub_all.timer fstrim.timer motd-news.timer \
    systemd-ask-password-console.path systemd-ask-password-wall.path
: > /etc/machine-id
rm -f /etc/nginx/sites-enabled/default /etc/hostname
"""


class NoImage(DemoError):
    """The image cannot be made here; says why."""


def packages():
    lines = (HERE / "image_packages.txt").read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def recipe():
    """Changes whenever an image made now would be another one."""
    digest = hashlib.sha256()
    for part in (SUITE, FINISH, *packages()):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:16]


def cache():
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "slipway" / "images"


def sources():
    """The files in which apt keeps its sources for this suite."""
    etc = pathlib.Path("/etc/apt")
    candidates = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*.list")),
                  *sorted((etc / "sources.list.d").glob("*.sources"))]
    found = [p for p in candidates if p.is_file() and SUITE in p.read_text(errors="replace")]
    if not found:
        raise NoImage(f"no file in /etc/apt names a source for {SUITE}")
    return found


def image(say=print):
    """The root directory of the image, which nobody writes to; makes it when there is none yet."""
    root = cache() / f"{SUITE}-{recipe()}"
    if root.is_dir():
        os.utime(root)  # still wanted: see _remove_unused
        return root
    cache().mkdir(parents=True, exist_ok=True)
    with _alone():
        if not root.is_dir():
            say(f"making the image of the test hosts in {root} (about two minutes)")
            _make(root)
            _remove_unused(root)
    return root


@contextlib.contextmanager
def _alone():
    with open(cache() / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(root):
    if not shutil.which("mmdebstrap"):
        raise NoImage("there is no mmdebstrap: apt-get install mmdebstrap")
    _remove_left()
    making = root.with_suffix(MAKING)
    making.mkdir()
    options = making / "apt.conf"
    # How this machine's apt reaches its sources, proxies included, without its hooks.
    options.write_bytes(subprocess.run(["apt-config", "dump", "Acquire"], check=True,
                                       stdin=subprocess.DEVNULL, capture_output=True).stdout)
    finish = making / "finish"
    finish.write_text(f"#!/bin/sh\nset -e\nchroot \"$1\" /bin/sh -ec '{FINISH}'\n")
    finish.chmod(0o755)
    # All of it dies with this process, and its mounts with it: nothing goes on writing to a half image.
    argv = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child",
            "mmdebstrap", "--mode=root", "--variant=minbase", f"--aptopt={options}",
            '--aptopt=APT::Install-Recommends "false"', f"--include={','.join(packages())}",
            *(f"--dpkgopt=path-exclude=/usr/share/{p}/*" for p in ("man", "doc", "locale", "info")),
            f"--customize-hook={finish}", SUITE, making / "root", *sources()]
    log = cache() / "making.log"
    try:
        with open(log, "wb") as out:
            subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=True,
                           timeout=MINUTES * 60)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        last = log.read_text(errors="replace").splitlines()[-8:]
        raise NoImage(f"mmdebstrap: {error}; {log} ends with:\n" + "\n".join(last)) from error
    os.sync()  # before its name says that it is whole
    (making / "root").rename(root)
    shutil.rmtree(making)


def _remove_left():
    """What a killed process was making or removing; nobody else is at it: see _alone."""
    for left in (*cache().glob(f"*{MAKING}"), *cache().glob(f"*{REMOVING}")):
        shutil.rmtree(left)


def _remove_unused(root):
    """Images that no test has used for long; one of another checkout may be in use right now."""
    for other in cache().glob(f"{SUITE}-*"):
        if other != root and time.time() - other.stat().st_mtime > UNUSED_DAYS * 24 * 3600:
            other.rename(other.with_suffix(REMOVING))  # never half of one under its name
    _remove_left()
