"""Starting steps, also from another server process, and looking at what became of them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from penstock.compute import processes
from penstock.compute.interface import Handle, Launch
from penstock.testing.compute_contract import wait_until

Launcher = Callable[..., Launch]

# Starts the launch whose fields come as JSON, says so, and then hangs like a server that will be killed.
_SERVER = """
import json, sys, time
from pathlib import Path
from penstock.compute.interface import Launch
from penstock.compute.local import LocalCompute
asked = json.loads(sys.argv[1])
paths = {name: Path(asked.pop(name)) for name in ("folder", "cwd", "log", "python")}
handle = LocalCompute().start(Launch(argv=tuple(asked.pop("argv")), **paths, **asked))
print(json.dumps(handle.as_record()), flush=True)
time.sleep(600)
"""


def pids_in(log: Path, count: int) -> list[int]:
    """The pids that a script has printed, once all of them are there."""
    wait_until(lambda: log.exists() and len(log.read_text().splitlines()) >= count)
    return [int(line) for line in log.read_text().splitlines()]


def gone(pid: int) -> bool:
    """Whether no process runs under this pid (a zombie does not run)."""
    return processes.identity_of(pid) is None


def serve(asked: Launch, **environment: str) -> tuple["subprocess.Popen[str]", Handle]:
    """Another server process that has started this launch."""
    fields = {name: str(getattr(asked, name)) for name in ("id", "folder", "cwd", "log", "python")}
    text = json.dumps({**fields, "argv": asked.argv, "env": dict(asked.env), "fence": asked.fence})
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER, text],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    assert server.stdout is not None
    return server, Handle.from_record(json.loads(server.stdout.readline()))


def kill(server: "subprocess.Popen[str]") -> None:
    """SIGKILL, as the out-of-memory killer or a person would do it."""
    server.kill()
    server.wait()
    assert server.stdout is not None
    server.stdout.close()
