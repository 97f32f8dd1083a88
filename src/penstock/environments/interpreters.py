"""The Pythons of this machine: found in the usual places, each verified by running it once, and remembered."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from penstock.environments.files import write_atomically
from penstock.errors import PenstockError
from penstock.settings import setting

OLDEST = (3, 7)
"""What runs beside a user's code is valid from here on."""

_NAME = re.compile(r"python(?:3(?:\.\d+)?)?")
_SECONDS_TO_ANSWER = 20
_SCHEMA = 1
# Runs on anything that calls itself Python, also Python 2. `realpath` of the base: a venv's python stands for its base.
_ASK = """
import json, os, platform, sys, sysconfig
print(json.dumps({
    "path": os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable),
    "version": "%d.%d.%d" % sys.version_info[:3],
    "implementation": platform.python_implementation(),
    "platform": sysconfig.get_platform(),
    "usable": sys.version_info[3] == "final" and not sysconfig.get_config_var("Py_GIL_DISABLED"),
}))
"""


@dataclass(frozen=True, order=True)
class Interpreter:
    """One Python that works. `path` has no links in it; `platform` is Python's own name, such as `linux-x86_64`."""

    version_info: tuple[int, int, int]
    path: Path
    implementation: str
    platform: str

    @property
    def version(self) -> str:
        """`3.10.13`."""
        return ".".join(map(str, self.version_info))

    @property
    def minor(self) -> tuple[int, int]:
        """(3, 10)."""
        return self.version_info[:2]


class Interpreters:
    """Finds Pythons and remembers what they answered, in `memory`, for as long as their files stay the same."""

    def __init__(self, memory: Path, environ: Mapping[str, str]) -> None:
        self._memory = memory
        self._environ = environ
        self._guard = threading.Lock()
        self._found: tuple[tuple[tuple[str, int], ...], tuple[Interpreter, ...]] | None = None

    def found(self) -> tuple[Interpreter, ...]:
        """Every usable CPython from 3.7 on, oldest first, one per file. Fast once asked: a few `stat` calls."""
        with self._guard:
            folders = tuple(_folders(self._environ))
            seen = tuple((str(folder), _mtime(folder)) for folder in folders)
            if self._found is None or self._found[0] != seen:
                self._found = (seen, self._look(folders))
            return self._found[1]

    def _look(self, folders: Iterable[Path]) -> tuple[Interpreter, ...]:
        remembered = self._read_memory()
        candidates = _identified(path for folder in folders for path in _candidates(folder))
        unknown = [
            path for path, identity in candidates.items() if remembered.get(path, {}).get("file") != identity
        ]
        with ThreadPoolExecutor(max_workers=4) as pool:
            answers = dict(zip(unknown, pool.map(_ask, unknown), strict=True))
        known = {path: remembered[path] for path in candidates if path not in answers}
        for path, answer in answers.items():
            if answer is not None:
                known[path] = {"file": candidates[path], "answer": answer}
        if answers:
            write_atomically(self._memory, json.dumps({"schema": _SCHEMA, "pythons": known}, indent=1))
        by_path = {
            interpreter.path: interpreter
            for entry in known.values()
            if (interpreter := _usable(entry["answer"])) is not None
        }
        return tuple(sorted(by_path.values()))

    def _read_memory(self) -> dict[str, dict[str, object]]:
        try:
            content = json.loads(self._memory.read_text("utf-8"))
            return dict(content["pythons"]) if content["schema"] == _SCHEMA else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}  # absent or damaged: everything is asked again


def running_version() -> tuple[int, int]:
    """The Python that Penstock itself runs on."""
    return sys.version_info[:2]


def _folders(environ: Mapping[str, str]) -> Iterator[Path]:
    """Where Pythons lie, the likelier ones first, each place once. PENSTOCK_PYTHONS replaces the search."""
    if only := setting("PENSTOCK_PYTHONS", environ):
        return iter(dict.fromkeys(place for entry in only.split(os.pathsep) for place in _named(entry)))
    home = Path(environ.get("HOME") or Path.home())
    pyenv = Path(environ.get("PYENV_ROOT") or home / ".pyenv")
    uv = Path(
        environ.get("UV_PYTHON_INSTALL_DIR")
        or Path(environ.get("XDG_DATA_HOME") or home / ".local/share") / "uv" / "python"
    )
    places = [Path(getattr(sys, "_base_executable", None) or sys.executable).parent]
    places += [
        Path(entry) for entry in environ.get("PATH", os.defpath).split(os.pathsep) if os.path.isabs(entry)
    ]
    places += [Path(folder) for folder in ("/usr/local/bin", "/usr/bin", "/opt/homebrew/bin")]
    for root, pattern in (
        (pyenv / "versions", "*/bin"),
        (uv, "*/bin"),
        (home / ".asdf/installs/python", "*/bin"),
        (home / ".local/share/mise/installs/python", "*/bin"),
        (Path("/opt/python"), "*/bin"),
        (Path("/opt"), "python*/bin"),
        (Path("/opt/homebrew/opt"), "python@3.*/bin"),
        (Path("/usr/local/opt"), "python@3.*/bin"),
        (Path("/Library/Frameworks/Python.framework/Versions"), "*/bin"),
        (Path("/opt/conda"), "bin"),
        (home, "miniconda3/bin"),
        (home, "anaconda3/bin"),
        (home, "miniforge3/bin"),
    ):
        places += sorted(root.glob(pattern))
    return iter(dict.fromkeys(places))


def _named(entry: str) -> list[Path]:
    """What an entry of PENSTOCK_PYTHONS names: a file, a folder of Pythons, or the folder above its `bin`."""
    if not entry.strip():
        return []
    place = Path(entry.strip()).expanduser().absolute()
    if not place.exists():
        raise PenstockError(
            f"PENSTOCK_PYTHONS names `{entry}`, and there is no such file or folder",
            hint=f"name interpreters or folders that hold them, separated by `{os.pathsep}`, or unset it",
        )
    return [place, place / "bin"] if (place / "bin").is_dir() else [place]


def _candidates(folder: Path) -> Iterator[Path]:
    """The files of a folder that look like a Python, without links: `python`, `python3` and a venv's are one file.

    What is no folder is a file that was named itself.
    """
    if folder.is_file():
        yield Path(os.path.realpath(folder))
        return
    try:
        names = sorted(path.name for path in folder.iterdir() if _NAME.fullmatch(path.name))
    except OSError:
        return  # a PATH entry that is not there, or not ours to read
    for name in names:
        if not _is_apple_stub(folder / name):
            yield Path(os.path.realpath(folder / name))


def _identified(paths: Iterable[Path]) -> dict[str, list[int]]:
    """The programs among the files, each with what changes when it is replaced."""
    identified: dict[str, list[int]] = {}
    for path in paths:
        if str(path) in identified:
            continue
        try:
            status = path.stat()
            with path.open("rb") as file:
                # A version manager's shim is a script: it answers as another Python from one folder to the next.
                is_script = file.read(2) == b"#!"
        except OSError:
            continue  # a dangling link, or not ours to read
        if not is_script and os.access(path, os.X_OK):
            identified[str(path)] = [status.st_mtime_ns, status.st_size, status.st_ino]
    return identified


def _is_apple_stub(path: Path) -> bool:
    """Without the developer tools macOS has a `python3` that opens a window when it is run."""
    return (
        sys.platform == "darwin"
        and path.parent == Path("/usr/bin")
        and not Path("/Library/Developer/CommandLineTools/usr/bin/python3").exists()
        and not Path("/Applications/Xcode.app").exists()
    )


def _mtime(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _ask(path: str) -> dict[str, object] | None:
    """What a Python says about itself; `{}` if it is none; None if it could not be asked this time."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "__PYVENV"))}
    try:
        answer = subprocess.run(
            [path, "-E", "-S", "-c", _ASK],
            env=clean,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS_TO_ANSWER,
            check=True,
        )
        return dict(json.loads(answer.stdout))
    except subprocess.TimeoutExpired:
        return None
    except (OSError, subprocess.CalledProcessError, ValueError):
        return {}


def _usable(answer: object) -> Interpreter | None:
    if not isinstance(answer, Mapping) or not answer.get("usable") or answer["implementation"] != "CPython":
        return None
    major, minor, patch = (int(part) for part in str(answer["version"]).split("."))
    if (major, minor) < OLDEST:
        return None
    return Interpreter(
        (major, minor, patch),
        Path(str(answer["path"])),
        str(answer["implementation"]),
        str(answer["platform"]),
    )
