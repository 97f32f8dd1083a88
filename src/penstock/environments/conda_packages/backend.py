"""Programs that solve and install conda packages, behind one small interface; and which of them this machine has."""

import re
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from penstock.environments.conda_packages.channels import Channel, Priority
from penstock.environments.conda_packages.lock import CondaPackage
from penstock.environments.credentials import without_credentials
from penstock.environments.uv import Trouble, UvFailed

Say = Callable[[str], None]

_LONGEST_OUTPUT = 4000
_SIGNS: Sequence[tuple[Trouble, re.Pattern[str]]] = (
    (
        Trouble.DISK,
        re.compile(r"No space left on device|NoSpaceLeftError|\(os error 28\)|Disk quota exceeded"),
    ),
    (
        Trouble.NETWORK,
        re.compile(
            r"dns error|client error \(Connect\)|error sending request|operation timed out|tcp connect error"
            r"|CondaHTTPError|CondaConnectionError|CondaSSLError|Could not resolve host|Couldn't connect|Could not connect"
            r"|Connection refused|Max retries exceeded|Network is unreachable|ConnectionFailed|HTTP 0[0-9]{2} CONNECTION"
            r"|Timeout was reached|HTTP status server error|OfflineError|subdir .* not found in channel|UnavailableInvalidChannel"
            r"|could not find subdir",
            re.IGNORECASE,
        ),
    ),
    (
        Trouble.CONFLICT,
        re.compile(
            r"Cannot solve the request|UnsatisfiableError|ResolvePackageNotFound|PackagesNotFound|unsatisfiable"
            r"|The following packages? (?:could not be installed|are incompatible)|Could not solve for environment specs"
            r"|InvalidMatchSpec|InvalidVersionSpec|nothing provides|No candidates were found",
            re.IGNORECASE,
        ),
    ),
)


class CondaFailed(UvFailed):
    """A program ended with an error. `text` is what it said; `absent` are the lines that no channel has a package for.

    Beside each absent line: the versions that there are.
    """

    def __init__(
        self, trouble: Trouble, text: str, absent: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        super().__init__(trouble, text)
        self.absent = dict(absent or {})


def trouble_in(text: str) -> Trouble:
    """What kind of failure the words of a program tell of."""
    return next((kind for kind, sign in _SIGNS if sign.search(text)), Trouble.OTHER)


@dataclass(frozen=True)
class Question:
    """What is asked of a solver: the lines, word for word, and where packages come from, the first counting most."""

    lines: tuple[str, ...]
    channels: tuple[Channel, ...]
    priority: Priority
    subdir: str


class CondaBackend(Protocol):
    """A program that knows conda packages. Called from any thread; two calls never share a folder."""

    @property
    def name(self) -> str:
        """`py-rattler 0.28.0`: what is shown and recorded."""
        ...

    def solve(
        self, question: Question, scratch: Path, say: Say, keep_open: Sequence[int]
    ) -> tuple[CondaPackage, ...]:
        """The packages that answer the question, by name. Raises CondaFailed.

        `scratch` is a folder that does not exist: a program that can only solve by installing installs there.
        """
        ...

    def install(
        self,
        packages: Sequence[CondaPackage],
        channels: Sequence[Channel],
        prefix: Path,
        say: Say,
        keep_open: Sequence[int],
    ) -> None:
        """Install exactly these into `prefix`, which does not exist. Raises CondaFailed; leaves whatever it leaves."""
        ...


@dataclass(frozen=True)
class Ended:
    """How a program ended, and what it said: `output` and `errors` without credentials in addresses."""

    code: int
    output: str
    errors: str


def run(
    argv: Sequence[str],
    *,
    folder: Path,
    variables: Mapping[str, str],
    question: str = "",
    keep_open: Sequence[int] = (),
    hear: Callable[[str], None] = lambda _: None,
) -> Ended:
    """Run a program without a shell: `question` on its standard input; `hear` gets each line of its output as it comes.

    `keep_open` are descriptors that it inherits, so that a lock stays held while an orphan still writes.
    """
    with (
        subprocess.Popen(
            argv,
            cwd=folder,
            env=dict(variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=tuple(keep_open),
            encoding="utf-8",
            errors="replace",
        ) as process,
        _Drain(process) as errors,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(question)
            process.stdin.close()
        except BrokenPipeError:
            pass  # it ended before it read: its exit code and its words say why
        kept: deque[str] = deque(maxlen=_LONGEST_OUTPUT)
        for line in process.stdout:
            kept.append(line)
            hear(line.rstrip("\n"))
        process.wait()
    return Ended(process.returncode, "".join(kept), without_credentials("".join(errors.lines)))


class _Drain:
    """Reads a process's standard error in the background, so that neither pipe fills up."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        import threading

        self.lines: deque[str] = deque(maxlen=_LONGEST_OUTPUT)
        self._stream = process.stderr
        self._thread = threading.Thread(target=self._read, daemon=True)

    def _read(self) -> None:
        assert self._stream is not None
        self.lines.extend(self._stream)

    def __enter__(self) -> "_Drain":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
