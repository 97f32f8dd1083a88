"""Naming a process for good, and ending what a step left behind.

The functions about the process table live in `worker.py`, which must be one file; here they get types that say what
has been checked.
"""

import functools
import os
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from penstock.compute import worker


@dataclass(frozen=True)
class ProcessIdentity:
    """One process, for good: a pid is used again, together with its start time and the boot it is not."""

    pid: int
    start_time: str
    boot_id: str


@functools.cache
def boot_id() -> str:
    """What changes when the machine restarts. Asked once: this process does not outlive the boot."""
    return worker.boot_id()


def identity_of(pid: int) -> ProcessIdentity | None:
    """The identity of the process that has this pid now; None where there is none, or only a zombie."""
    process = worker.find_process(pid)
    if process is None or process.zombie:
        return None
    return ProcessIdentity(pid, process.start_time, boot_id())


def is_running(identity: ProcessIdentity) -> bool:
    """Whether this very process still runs. One that reused its pid does not count, nor does a zombie."""
    process = worker.find_process(identity.pid) if identity.pid > 0 else None
    if process is None or process.zombie or process.start_time != identity.start_time:
        return False
    return boot_id() == identity.boot_id


def send_signal(identity: ProcessIdentity, number: int) -> bool:
    """Send a signal to this very process; False where it is gone."""
    if not hasattr(os, "pidfd_open"):
        return is_running(identity) and _deliver(lambda: os.kill(identity.pid, number))
    try:
        descriptor = os.pidfd_open(identity.pid)
    except OSError:
        return False
    try:
        # Checked after opening: from here on the descriptor, unlike the pid, cannot mean anyone else.
        return is_running(identity) and _deliver(lambda: signal.pidfd_send_signal(descriptor, number))
    finally:
        os.close(descriptor)


def _deliver(send: Callable[[], None]) -> bool:
    try:
        send()
    except ProcessLookupError:
        return False
    return True


def end_step_processes(
    marker: str, pipe: int = 0, roots: Iterable[ProcessIdentity] = (), *, seconds: float = 5.0
) -> tuple[int, ...]:
    """Kill whatever belongs to a step whose small parent is gone; the pids that could not be ended.

    They are known by the marker in their environment, by the pipe of the step's log, or as descendants of those or
    of `roots`. Repeated until nobody is left, because a process may fork while we look.
    """
    deadline = time.monotonic() + seconds
    known = tuple(roots)
    while True:
        found = _step_processes(marker, pipe, known)
        if not found or time.monotonic() > deadline:
            return tuple(sorted(process.pid for process in found))
        for process in found:
            try:
                send_signal(ProcessIdentity(process.pid, process.start_time, boot_id()), signal.SIGKILL)
            except PermissionError:
                continue  # another user's (sudo): it stays in the answer
        time.sleep(0.01)


def _step_processes(marker: str, pipe: int, roots: tuple[ProcessIdentity, ...]) -> list[worker.Process]:
    table = worker.all_processes()
    found = {process.pid: process for process in worker.marked_processes(marker, pipe, table)}
    alive = {root.pid for root in roots if is_running(root)}
    found.update({process.pid: process for process in table if process.pid in alive})
    found.update({process.pid: process for process in worker.descendants_of(set(found), table)})
    found.pop(os.getpid(), None)
    return [process for process in found.values() if not process.zombie]
