"""The container engine of this machine, podman or docker: whether it answers, and the images that it has."""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.errors import EnvironmentCannotBeBuilt

Say = Callable[[str], None]

# podman first: it needs no daemon, and runs without root.
_PROGRAMS = ("podman", "docker")
_ASKED_FOR = {"podman": "{{.Client.Version}}", "docker": "{{.Server.Version}}"}
_ANSWER_WITHIN = 15.0  # seconds; podman asks its storage, docker its daemon
_ASK_AGAIN_AFTER = 60.0  # seconds after an answer of none: somebody may have started the daemon
_LAST_LINES = 12


@dataclass(frozen=True)
class Engine:
    """One engine that answers. `name` is `podman` or `docker`."""

    name: str
    program: str
    version: str

    def has_image(self, image: str) -> bool:
        """Whether the image is on this machine."""
        return self._quietly("image", "inspect", image).returncode == 0

    def image_id(self, image: str) -> str:
        """The digest of the image's content, as the engine names it."""
        asked = self._quietly("image", "inspect", "--format", "{{.Id}}", image)
        return asked.stdout.decode("utf-8", "replace").strip().removeprefix("sha256:")

    def pull(self, image: str, say: Say) -> None:
        """Fetch an image from its registry. Raises EnvironmentCannotBeBuilt with what the engine said."""
        say(f"pulling image {image} with {self.name} {self.version}")
        self._with_progress(["pull", image], say, f"image `{image}` cannot be pulled")

    def build(self, context: Path, dockerfile: str, tag: str, say: Say) -> None:
        """Build an image. Raises EnvironmentCannotBeBuilt with the end of what the engine said."""
        say(f"building image {tag} with {self.name} {self.version}")
        command = ["build", "-t", tag, "-f", str(context / dockerfile), str(context)]
        self._with_progress(command, say, "the image cannot be built")

    def remove_container(self, container: str) -> None:
        """Remove a container, running or not; none of that name is as good."""
        # podman would first wait for a command that ignores SIGTERM; its step has had its time.
        at_once = ("--time", "0") if self.name == "podman" else ()
        self._quietly("rm", "--force", *at_once, container)

    def _quietly(self, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        try:
            return subprocess.run(
                [self.program, *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=60,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(arguments, 124, b"", b"")

    def _with_progress(self, arguments: Sequence[str], say: Say, failed: str) -> None:
        last: list[str] = []
        with subprocess.Popen(
            [self.program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            for line in _lines_of(process):
                say(line)
                last = [*last, line][-_LAST_LINES:]
        if process.returncode != 0:
            hint = (
                f"try `{self.name} {' '.join(arguments[:1])} …` by hand, with what the environment's log says"
            )
            raise EnvironmentCannotBeBuilt(failed, details=last, hint=hint)


class Engines:
    """Finds the engine, and remembers it. Safe to use from several threads."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = environ
        self._lock = threading.Lock()
        self._found: Engine | None = None
        self._asked_at: float | None = None

    def found(self) -> Engine | None:
        """The engine that answers, podman before docker; None where none does."""
        with self._lock:
            now = time.monotonic()
            if self._found is None and (self._asked_at is None or now - self._asked_at > _ASK_AGAIN_AFTER):
                self._asked_at = now
                self._found = next(self._answering(), None)
            return self._found

    def _answering(self) -> Iterator[Engine]:
        environ = os.environ if self._environ is None else self._environ
        for name in _PROGRAMS:
            program = shutil.which(name, path=environ.get("PATH"))
            if program is None:
                continue
            try:
                asked = subprocess.run(
                    [program, "version", "--format", _ASKED_FOR[name]],
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=_ANSWER_WITHIN,
                    check=True,
                    text=True,
                )
            except (OSError, subprocess.SubprocessError):
                continue  # a client without its daemon is no engine
            yield Engine(name, program, asked.stdout.strip())


def _lines_of(process: "subprocess.Popen[bytes]") -> Iterator[str]:
    if process.stdout is None:
        raise AssertionError("it is a pipe")
    for line in process.stdout:
        text = line.decode("utf-8", "replace").rstrip()
        if text:
            yield text.rsplit("\r", 1)[-1]
