"""A person at a terminal: a folder, a home of their own, and the installed command."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = ROOT / "examples"

# Seconds that a stopped server and its MLflow may take to be gone.
_LEAVING = 20.0


@dataclass
class Person:
    """Types commands in `folder`; `bin` holds the `penstock` that they reach.

    A command that ends otherwise than expected fails the test with everything that it said, and the server's last words.
    """

    folder: Path
    home: Path
    bin: Path = Path(sys.executable).parent
    environment: dict[str, str] = field(default_factory=dict)

    def types(
        self,
        *words: str | Path,
        expect: int = 0,
        within: float = 420,
        more: Mapping[str, str] | None = None,
        first: tuple[str, ...] = (),
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of `bin` (or of the machine). `first` goes before it, as `nice` would."""
        program = self.bin / str(words[0])
        argv = [*first, str(program) if program.exists() else str(words[0]), *map(str, words[1:])]
        try:
            done = subprocess.run(
                argv,
                cwd=self.folder,
                env=self._environ() | dict(more or {}),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=within,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise AssertionError(
                f"{argv} did not end: {late.stdout!r} {late.stderr!r}\n{self._log()}"
            ) from late
        assert done.returncode == expect, (
            f"{' '.join(argv)} ended with {done.returncode}, not {expect}\n"
            f"--- stdout\n{done.stdout}\n--- stderr\n{done.stderr}\n--- server\n{self._log()}"
        )
        return done

    def begins(self, *words: str | Path) -> subprocess.Popen[bytes]:
        """Run a program of `bin` and go on meanwhile. What it says is not kept."""
        argv = [str(self.bin / str(words[0])), *map(str, words[1:])]
        return subprocess.Popen(
            argv,
            cwd=self.folder,
            env=self._environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def penstock(self, *words: str | Path, expect: int = 0) -> str:
        """What a `penstock` command prints, without the closing line break."""
        return self.types("penstock", *words, expect=expect).stdout.rstrip("\n")

    def record(self, *words: str | Path) -> Any:
        """The JSON that a `penstock` command prints."""
        return json.loads(self.types("penstock", *words, "-o", "json").stdout)

    def leave(self) -> None:
        """Stop the server. Nothing of this home runs on, after the moment that a process takes to leave."""
        self.types("penstock", "server", "stop")
        deadline = time.monotonic() + _LEAVING
        while (left := _processes_of(self.home)) and time.monotonic() < deadline:
            time.sleep(0.1)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert left == {}, f"still running after `penstock server stop`: {left}"

    def _environ(self) -> dict[str, str]:
        # Without bytecode every start takes three times as long; containers often switch it off.
        environ = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        path = os.pathsep.join([str(self.bin), environ.get("PATH", os.defpath)])
        return environ | {"PENSTOCK_HOME": str(self.home), "PATH": path} | self.environment

    def _log(self) -> str:
        log = self.home / "server.log"
        return log.read_text(encoding="utf-8", errors="replace")[-4000:] if log.is_file() else "no log"


def _processes_of(home: Path) -> dict[int, str]:
    """Processes whose environment names the home, where the system lets us look (Linux)."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environ, command = (entry / "environ").read_bytes(), (entry / "cmdline").read_bytes()
        except OSError:
            continue  # it has ended, or is not ours
        if f"PENSTOCK_HOME={home}".encode() + b"\0" in environ and command:
            found[int(entry.name)] = command.replace(b"\0", b" ").decode(errors="replace")
    return found
