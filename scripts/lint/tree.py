"""The files that the lints read: what git knows or would add, no build output."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def files(root, *suffixes):
    """Paths below `root`, relative to it, that end in one of `suffixes`."""
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True)
    if listed.returncode == 0 and listed.stdout:
        names = [n for n in listed.stdout.split("\0") if n]
    else:  # a planted tree of the lints' own tests
        names = [str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()]
    return sorted(n for n in set(names) if n.endswith(suffixes) and (root / n).is_file())


def report(problems):
    """Prints the findings and ends with 1 when there are any."""
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problem{'' if len(problems) == 1 else 's'}")
    sys.exit(1 if problems else 0)


def root_from_argv():
    return pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT
