"""Running uv, the one program that resolves and installs, and understanding why it failed."""

import re
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from penstock.environments.credentials import without_credentials
from penstock.environments.files import disk_errors_named
from penstock.environments.pip_configuration import uv_arguments, uv_variables

Say = Callable[[str], None]

# Says which Python or where to install, all of which we say ourselves; or would make bytecode that loads slower.
_OTHERS_WORDS = (
    "VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "PYTHONHOME", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE",
    "PYTHONPYCACHEPREFIX", "PYTHONSTARTUP", "PYTHONOPTIMIZE", "SOURCE_DATE_EPOCH", "PIP_TARGET", "PIP_PREFIX", "PIP_USER",
    "UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_PYTHON_PREFERENCE", "UV_TARGET", "UV_PREFIX", "UV_REQUIRE_HASHES",
    "UV_VERIFY_HASHES", "UV_PROJECT", "UV_PROJECT_ENVIRONMENT", "UV_OUTPUT_FORMAT", "UV_VENV_RELOCATABLE", "UV_VENV_SEED",
    "UV_NO_PROGRESS", "UV_COMPILE_BYTECODE", "UV_MANAGED_PYTHON", "UV_WORKING_DIRECTORY", "UV_DRY_RUN", "FORCE_COLOR",
    "RUST_LOG", "UV_COLOR",
)  # fmt: skip
# A line per package, and what we say ourselves.
_TOO_MUCH = (" + ", " - ", " ~ ", "Using ", "Creating ", "Activate ")
_LONGEST_OUTPUT = 4000
"""Lines of uv's talk that are kept: a failed build of a source package prints a compiler's whole log."""


class Trouble(Enum):
    """Why uv failed, as far as it changes what a person does next."""

    CONFLICT = "the requirements contradict each other, or ask for what no index has"
    BUILD = "a source package could not be built"
    NETWORK = "an index could not be reached"
    DISK = "no space is left"
    OTHER = "anything else"


class UvFailed(Exception):
    """uv ended with an error. `text` is what it said, without credentials and without its progress."""

    def __init__(self, trouble: Trouble, text: str) -> None:
        super().__init__(text)
        self.trouble = trouble
        self.text = text


@dataclass(frozen=True)
class Uv:
    """uv with the user's indexes and certificates, and a cache beside the environments.

    The cache must be on one filesystem with the environments, so that files are hard links and cost nothing twice.
    """

    folder: Path
    environ: Mapping[str, str]

    @property
    def cache(self) -> Path:
        """The user's own cache where UV_CACHE_DIR names one."""
        return Path(self.environ.get("UV_CACHE_DIR") or self.folder / "uv-cache")

    def made_folder(self) -> Path:
        """The folder, made if it was not there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder

    def run(self, arguments: Sequence[str], *, say: Say, keep_open: Sequence[int] = ()) -> None:
        """Run uv and tell `say` its progress, line by line. Raises UvFailed.

        Where the network fails, what the cache holds may do: that is tried before giving up. `keep_open` are file
        descriptors that uv inherits: a lock stays held while an orphaned uv still writes.
        """
        try:
            self._run(arguments, say, keep_open)
        except UvFailed as failure:
            if failure.trouble is not Trouble.NETWORK:
                raise
            say("a download failed; trying with what was downloaded before")
            try:
                self._run([*arguments, "--offline"], say, keep_open)
            except UvFailed:
                raise failure from None

    def _run(self, arguments: Sequence[str], say: Say, keep_open: Sequence[int]) -> None:
        from uv import find_uv_bin

        with disk_errors_named(self.folder):
            self.made_folder()
        with subprocess.Popen(
            [find_uv_bin(), *arguments, *(uv_arguments(self.environ) if arguments[0] == "pip" else ())],
            cwd=self.folder,  # so that no project's uv settings reach in here
            env=self._variables(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=tuple(keep_open),
            encoding="utf-8",
            errors="replace",
        ) as process:
            assert process.stdout is not None
            kept: deque[str] = deque(maxlen=_LONGEST_OUTPUT)
            failing = False
            for line in process.stdout:
                line = without_credentials(line.rstrip())
                kept.append(line)
                failing = failing or line.startswith(
                    "error: "
                )  # from here on it is for the caller to explain
                if line.strip() and not failing and not line.startswith(_TOO_MUCH):
                    say(line.strip())
        if process.returncode != 0:
            raise _failure("\n".join(kept), process.returncode)

    def _variables(self) -> dict[str, str]:
        variables = {name: value for name, value in self.environ.items() if name not in _OTHERS_WORDS}
        variables |= uv_variables(self.environ)
        variables.setdefault("UV_CACHE_DIR", str(self.cache))
        return variables | {"UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1", "UV_NO_PROGRESS": "1"}


_SIGNS: Sequence[tuple[Trouble, re.Pattern[str]]] = (
    (Trouble.DISK, re.compile(r"No space left on device|\(os error 28\)|Disk quota exceeded")),
    (
        Trouble.NETWORK,
        re.compile(
            r"dns error|client error \(Connect\)|Could not resolve host|error sending request|operation timed out"
            r"|Request failed after \d+ retries|network was disabled|Network is unreachable|connection closed before"
            r"|Failed to connect to|HTTP status server error|\(401 Unauthorized\)"
        ),
    ),
    (Trouble.CONFLICT, re.compile(r"No solution found")),
    (Trouble.BUILD, re.compile(r"Failed to build|[Bb]uild backend|Failed to download and build")),
)


def _failure(output: str, code: int) -> UvFailed:
    """The part from the first `error:` on is the explanation; before it are progress and warnings."""
    start = re.search(r"^error: ", output, re.MULTILINE)
    text = output[start.start() :].removeprefix("error: ") if start else output.strip()
    trouble = next((kind for kind, sign in _SIGNS if sign.search(text)), Trouble.OTHER)
    return UvFailed(trouble, text or f"uv ended with exit code {code} and said nothing")
