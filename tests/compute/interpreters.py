"""Every CPython from 3.7 on that this machine has: the small parent must run under each."""

import functools
import subprocess
from pathlib import Path

OLDEST = (3, 7)


@functools.cache
def interpreters() -> tuple[Path, ...]:
    """One interpreter for each version, found where pyenv and the system keep them."""
    candidates = [*Path.home().glob(".pyenv/versions/*/bin/python3"), *Path("/usr/bin").glob("python3*")]
    found: dict[str, Path] = {}
    for candidate in sorted(candidates):
        if candidate.name.removeprefix("python3").strip(".0123456789"):
            continue  # python3-config and the like
        version = _version_of(candidate)
        if tuple(map(int, version.split(".")[:2])) >= OLDEST:
            found.setdefault(version, candidate)
    return tuple(found.values())


def _version_of(python: Path) -> str:
    code = "import sys; print('.'.join(map(str, sys.version_info[:3])))"
    done = subprocess.run([python, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "0.0.0"
