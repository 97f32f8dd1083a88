"""The script `az` that `penstock az-shim` writes, and what can be read off one that lies somewhere.

It is a shell script of a few lines, because a first line (`#!`) can hold neither a blank nor a long path, and because it can say
what happened when the Python that it starts is gone. It names this interpreter, this package and this home, whatever is on PATH
when it runs.
"""

import json
import os
import shlex
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import penstock
from penstock.errors import PenstockError
from penstock.settings import Home

# By this line a script is known as ours, wherever it lies and whatever it is called.
_MARK = b"# penstock-az-shim: "
_MOST_OF_A_SCRIPT = 16_384

_SCRIPT = """\
#!/bin/sh
# `az`, served by Penstock. Written by `penstock az-shim`, which writes it anew.
{mark}
python={python}
if [ ! -x "$python" ]; then
    {{
        echo "error: the Penstock that this az belongs to is gone: there is no $python"
        echo "  this az is $0"
        echo "hint: install Penstock and run 'penstock az-shim' again, or remove this az"
    }} >&2
    exit 1
fi
if [ -z "${{PENSTOCK_HOME:-}}" ]; then
    PENSTOCK_HOME={home}
    export PENSTOCK_HOME
fi
exec "$python" -I -c {start} "$@"
"""

# `-c` and not `-m`: runpy takes 5 ms. `-I`: nothing in the folder of a project, or in PYTHONPATH, can stand in the way.
_START = """\
import sys
{path}try:
    from penstock.az.main import run
except ModuleNotFoundError as error:
    if not (error.name or "").startswith("penstock"):
        raise
    sys.exit(f"error: Penstock is no longer installed for {{sys.executable}}\\n"
             "hint: install it and run `penstock az-shim` again, or remove this az")
sys.exit(run())
"""


@dataclass(frozen=True)
class Shim:
    """What a script of ours says of itself."""

    version: str
    home: str
    python: str


def shim_at(path: str | os.PathLike[str]) -> Shim | None:
    """The shim that a file is, also through symbolic links; None for any other file, and for what cannot be read."""
    try:
        with open(path, "rb") as file:
            text = file.read(_MOST_OF_A_SCRIPT)
    except OSError:
        return None
    for line in text.splitlines():
        if line.startswith(_MARK):
            try:
                return Shim(**json.loads(line[len(_MARK) :]))
            except (ValueError, TypeError):
                return Shim("unknown", "", "")  # of another version, whose words we do not know
    return None


def write(home: Home) -> Path:
    """Write the home's shim, in one step; its path. Where it lies there as it should be nothing is written."""
    path = home.az_shim
    content = os.fsencode(_text_of(home))
    try:
        if path.is_file() and path.read_bytes() == content and os.access(path, os.X_OK):
            return path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = path.with_name(f".az.{os.getpid()}.part")
        try:
            part.write_bytes(content)
            part.chmod(0o755)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise PenstockError(
            f"cannot write {path}: {error.strerror}",
            hint="PENSTOCK_HOME names a folder of yours that can be written to",
        ) from error
    return path


def _text_of(home: Home) -> str:
    python = sys.executable
    mark = _MARK.decode() + json.dumps(asdict(Shim(penstock.__version__, str(home.path), python)))
    start = _START.format(path=_path_line())
    return _SCRIPT.format(
        mark=mark, python=shlex.quote(python), home=shlex.quote(str(home.path)), start=shlex.quote(start)
    )


def _path_line() -> str:
    """What makes this very package the one that is found: nothing where the interpreter finds it by itself."""
    here = Path(penstock.__file__).resolve().parent
    asked = subprocess.run(
        [sys.executable, "-I", "-c", "import penstock; print(penstock.__file__)"],
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode == 0 and Path(asked.stdout.strip()).resolve().parent == here:
        return ""
    return f"sys.path.insert(0, {str(here.parent)!r})\n"
