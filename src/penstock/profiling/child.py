"""The process in which tables are read, so that the server stays small and responsive: `python -m penstock.profiling.child`.

One request comes as a line of JSON on standard input, which stays open for as long as the answer is wanted. The answer is lines of JSON:
`{"rows": n}` while it goes on, then `{"result": …}` or `{"error": …}`.
"""

import contextlib
import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from penstock.errors import PenstockError

# Any in this module: JSON, and the options of open_table.
Task = Callable[[Path, str, Mapping[str, Any], Callable[[int], None]], Any]

_SHARE_OF_MEMORY = 0.75
"""Of the machine's memory: more than that the child may not ask for."""
_NICE = 5


def _profile(path: Path, kind: str, options: Mapping[str, Any], progress: Callable[[int], None]) -> Any:
    from penstock.profiling.profile import profile_table

    return profile_table(path, _kind(kind), progress=progress, **options)


def _facts(path: Path, kind: str, options: Mapping[str, Any], progress: Callable[[int], None]) -> Any:
    from penstock.profiling.facts import bytes_at, table_facts

    given = dict(options)
    known = bytes_at(path) if given.pop("bytes", False) else {}
    return {**known, **table_facts(path, _kind(kind), **given)}


def _check(path: Path, kind: str, options: Mapping[str, Any], progress: Callable[[int], None]) -> Any:
    from penstock.profiling.checking import check_table

    return check_table(path, _kind(kind), progress=progress, **options)


TASKS: dict[str, Task] = {"profile": _profile, "facts": _facts, "check": _check}


def _kind(text: str) -> Any:
    return text


def main() -> None:
    """Read the request, answer it, leave."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=_leave_with_the_server, daemon=True).start()
    _be_modest()

    def answer(**line: Any) -> None:
        answers.write(json.dumps(line) + "\n")
        answers.flush()

    try:
        task = TASKS[request["task"]]
        found = task(
            Path(request["path"]), request["kind"], request["options"], lambda rows: answer(rows=rows)
        )
        answer(result=found)
    except PenstockError as error:
        answer(error=error.as_record())
    except MemoryError:
        answer(error=PenstockError(f"{request['path']} needs more memory than there is").as_record())


def _leave_with_the_server() -> None:
    """Nobody waits for the answer once standard input is closed."""
    sys.stdin.read()
    os._exit(0)


def _be_modest() -> None:
    """The server and its jobs come first: for the processor, for memory, and where the system runs out of it."""
    with contextlib.suppress(OSError):
        os.nice(_NICE)
    with contextlib.suppress(OSError):  # not on macOS
        Path("/proc/self/oom_score_adj").write_text("800")
    with contextlib.suppress(OSError, ValueError, AttributeError, ImportError):
        import resource

        most = int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * _SHARE_OF_MEMORY)
        resource.setrlimit(resource.RLIMIT_DATA, (most, resource.getrlimit(resource.RLIMIT_DATA)[1]))


if __name__ == "__main__":
    main()
