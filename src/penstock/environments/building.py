"""From a lock to a folder that runs Python: `uv venv`, then exactly the lock's packages, compiled to bytecode."""

import json
import os
import shutil
import stat
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from penstock.environments.files import disk_errors_named, write_atomically
from penstock.environments.interpreters import Interpreter
from penstock.environments.locking import Lock
from penstock.environments.trial_imports import failing_imports
from penstock.environments.uv import Say, Uv

_MARKER = "penstock-environment.json"
_SCHEMA = 1


@dataclass(frozen=True)
class Built:
    """What a finished environment says about itself.

    `site_packages` is relative to the prefix. `scripts` are the commands in `bin` that Python runs, by name.
    `bytes` is what its files would take alone; hard links make it cost less. `cannot_import` is what was tried and failed.
    `variables` are those that its commands are to have; `made_by` names the program that installed it, where that is not
    uv alone.
    """

    digest: str
    python_version: str
    lock: str
    site_packages: str
    scripts: tuple[str, ...]
    bytes: int
    cannot_import: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    made_by: str = ""


def read_built(prefix: Path) -> Built | None:
    """The environment in this folder; None if there is none, or an unfinished one, or one whose Python is gone."""
    try:
        content = json.loads((prefix / _MARKER).read_text("utf-8"))
        if content.pop("schema") != _SCHEMA or not (prefix / "bin" / "python").exists():
            return None
        lists = {name: tuple(content.get(name, ())) for name in ("scripts", "cannot_import")}
        return Built(**{**content, **lists})
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not there, or not finished, or written by another version: to be built anew


def build(
    prefix: Path,
    digest: str,
    lock: Lock,
    interpreter: Interpreter,
    uv: Uv,
    say: Say,
    lock_held: int,
    *,
    to_import: Collection[str] = (),
) -> Built:
    """Build the environment in `prefix`, from nothing; what lies there is removed first. Raises UvFailed, StorageFull.

    `to_import` are the packages whose modules are imported once, to see whether they can be.

    The caller holds the lock of this digest, whose descriptor `lock_held` uv inherits. The marker is written last, so
    a build that was killed is seen as none. When this raises, nothing is left.
    """
    with made_anew(prefix):
        return _build(prefix, digest, lock, interpreter, uv, say, lock_held, to_import)


@contextmanager
def made_anew(prefix: Path) -> Iterator[None]:
    """Whatever lies in `prefix` is removed first, and whatever was made there when the block raises."""
    with disk_errors_named(prefix.parent):
        remove_tree(prefix)
        prefix.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield
        except BaseException:
            remove_tree(prefix)
            raise


def _build(
    prefix: Path,
    digest: str,
    lock: Lock,
    interpreter: Interpreter,
    uv: Uv,
    say: Say,
    lock_held: int,
    to_import: Collection[str],
) -> Built:
    keep_open = (lock_held,)
    uv.run(["venv", "--quiet", "--python", str(interpreter.path), str(prefix)], say=say, keep_open=keep_open)
    descriptor, pins = tempfile.mkstemp(dir=prefix, prefix=".lock-", suffix=".txt")
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(lock.installable)
    strategy = ["--index-strategy", "unsafe-best-match"] if lock.option_lines else []
    uv.run(
        [
            "pip",
            "sync",
            pins,
            "--python",
            str(prefix / "bin" / "python"),
            "--compile-bytecode",
            *lock.arguments,
            *strategy,
        ],
        say=say,
        keep_open=keep_open,
    )
    Path(pins).unlink()
    site_packages = prefix / "lib" / "python{}.{}".format(*interpreter.minor) / "site-packages"
    if to_import:
        say("importing what was asked for, to see whether it works together")
    failing = failing_imports(prefix, site_packages, to_import)
    return finished(prefix, digest, interpreter.version, lock.text, cannot_import=failing)


def finished(
    prefix: Path,
    digest: str,
    python_version: str,
    lock: str,
    *,
    cannot_import: tuple[str, ...] = (),
    variables: Mapping[str, str] | None = None,
    made_by: str = "",
) -> Built:
    """Take stock of what was installed and write the marker: from here on the environment exists."""
    minor = ".".join(python_version.split(".")[:2])
    built = Built(
        digest=digest,
        python_version=python_version,
        lock=lock,
        site_packages=str(Path("lib") / f"python{minor}" / "site-packages"),
        scripts=tuple(_scripts(prefix)),
        bytes=sum(status.st_size for status in _files(prefix)),
        cannot_import=cannot_import,
        variables=dict(variables or {}),
        made_by=made_by,
    )
    write_atomically(prefix / _MARKER, json.dumps({"schema": _SCHEMA, **asdict(built)}, indent=1))
    return built


def remove_tree(prefix: Path) -> None:
    """Remove an environment, or what is left of one; nothing happens where there is none.

    The marker goes first: a removal that is killed half-way leaves nothing that looks finished.
    """
    if not os.path.lexists(prefix):
        return
    (prefix / _MARKER).unlink(missing_ok=True)
    try:
        shutil.rmtree(prefix)
    except PermissionError:  # a package, or a command, made a folder read-only
        for parent, folders, _ in os.walk(prefix):
            for name in folders:
                path = Path(parent, name)
                if not path.is_symlink():
                    path.chmod(path.stat().st_mode | stat.S_IRWXU)
        shutil.rmtree(prefix)


def _scripts(prefix: Path) -> Iterator[str]:
    """The commands that start with this environment's Python: what packages bring as console scripts."""
    interpreter = os.fsencode(prefix / "bin" / "python")
    for path in sorted((prefix / "bin").iterdir()):
        if path.is_symlink() or not path.is_file() or not os.access(path, os.X_OK):
            continue
        with path.open("rb") as file:
            head = file.read(4096)
        # A prefix too long for a `#!` line is reached through /bin/sh, on the second line.
        if head.startswith(b"#!") and interpreter in b"\n".join(head.splitlines()[:3]):
            yield path.name


def _files(prefix: Path) -> Iterator[os.stat_result]:
    for parent, _, names in os.walk(prefix):
        for name in names:
            yield Path(parent, name).lstat()
