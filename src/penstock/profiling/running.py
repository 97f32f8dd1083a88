"""Asking the child process: one process per question, ended when nobody wants its answer any more."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from penstock.errors import PenstockError, error_from_record
from penstock.provided.mltable.paths import MAP_VARIABLE

# Any in this module: JSON.

_AT_ONCE = 2
"""Children at once on one server: each takes all processors, and a few hundred megabytes."""
_LOOK_AGAIN = 0.1
"""Seconds after which it is asked again whether the answer is still wanted."""
_LAST_WORDS = 2000


@dataclass(frozen=True)
class Question:
    """What the child is asked: `task` is one of `child.TASKS`, `path` and `kind` name the data, `options` are the task's.

    `places` is the file that tells an MLTable's addresses (`provided/mltable/paths.py`).
    """

    task: str
    path: Path
    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)
    places: Path | None = None


@dataclass(frozen=True)
class _Child:
    process: "subprocess.Popen[str]"
    words: IO[bytes]


_places = threading.Semaphore(_AT_ONCE)


def ask(
    question: Question,
    *,
    progress: Callable[[int], None] = lambda rows: None,
    is_wanted: Callable[[], bool] = lambda: True,
) -> Any:
    """The child's answer, or its error. `progress` is told the rows that were read; once `is_wanted` says no the child is ended."""
    while not _places.acquire(timeout=_LOOK_AGAIN):
        if not is_wanted():
            raise _unwanted()
    try:
        with _child(question) as (child, lines):
            while True:
                try:
                    line = lines.get(timeout=_LOOK_AGAIN)
                except queue.Empty:
                    if not is_wanted():
                        raise _unwanted() from None
                    continue
                if line is None:
                    raise _died(question, child)
                said = json.loads(line)
                if "rows" in said:
                    progress(said["rows"])
                elif "error" in said:
                    raise error_from_record(said["error"])
                else:
                    return said["result"]
    finally:
        _places.release()


@contextmanager
def _child(question: Question) -> "Iterator[tuple[_Child, queue.Queue[str | None]]]":
    """The running child and the lines it writes, None after the last one. It is gone when this is left."""
    environment = dict(os.environ)
    if question.places is not None:
        environment[MAP_VARIABLE] = str(question.places)
    with (
        tempfile.TemporaryFile() as words,  # a pipe that nobody empties would hold the child up
        subprocess.Popen(
            [sys.executable, "-m", "penstock.profiling.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=words,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=environment,
            start_new_session=True,  # Ctrl-C on a server in a terminal is the server's to deal with
        ) as child,
    ):
        lines: queue.Queue[str | None] = queue.Queue()
        reader = threading.Thread(target=_read, args=(child, lines), daemon=True)
        reader.start()
        try:
            _tell(child, question)
            yield _Child(child, words), lines
        finally:
            child.kill()
            reader.join()


def _tell(child: "subprocess.Popen[str]", question: Question) -> None:
    """The request on its line; standard input stays open."""
    assert child.stdin is not None
    request = {
        "task": question.task,
        "path": str(question.path),
        "kind": question.kind,
        "options": dict(question.options),
    }
    with contextlib.suppress(BrokenPipeError):  # it died at its start, which is told by its exit code
        child.stdin.write(json.dumps(request) + "\n")
        child.stdin.flush()


def _read(child: "subprocess.Popen[str]", lines: "queue.Queue[str | None]") -> None:
    assert child.stdout is not None
    for line in child.stdout:
        lines.put(line)
    lines.put(None)


def _died(question: Question, child: _Child) -> PenstockError:
    """A child that ended without an answer: killed for its memory, or a defect."""
    code = child.process.wait()
    child.words.seek(max(0, child.words.seek(0, os.SEEK_END) - _LAST_WORDS))
    last = child.words.read().decode("utf-8", "replace").strip().splitlines()[-3:]
    why = f"it was ended by signal {-code}" if code < 0 else f"it ended with exit code {code}"
    return PenstockError(
        f"{question.path} could not be read to its end: the process that reads it stopped",
        details=(why, *last),
        hint="is there enough memory?",
    )


def _unwanted() -> PenstockError:
    return PenstockError("nobody waits for the answer any more")
