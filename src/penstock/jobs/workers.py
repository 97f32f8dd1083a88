"""Threads for what takes long: preparing steps, starting their processes, taking stock of those that ended.

Two pools: builds of minutes must not hold up the start or the end of another step.
"""

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Generic, TypeVar

from penstock.errors import PenstockError

_log = logging.getLogger(__name__)

Key = tuple[str, str]  # workspace, job name
T = TypeVar("T")


@dataclass(frozen=True)
class Report(Generic[T]):
    """What came of the work for a job: what it returned, or the error that ended it."""

    key: Key
    came_of_it: T | PenstockError


class Workers(Generic[T]):
    """Does one piece of work per job at a time, and reports. One thread gives work and reads reports.

    `news` is set whenever there is a report.
    """

    def __init__(self, preparers: Executor, finishers: Executor) -> None:
        self.news = threading.Event()
        self._preparers = preparers
        self._finishers = finishers
        self._reports: queue.SimpleQueue[Report[T]] = queue.SimpleQueue()
        self._busy: set[Key] = set()
        self._open = True
        self._opening = threading.Lock()

    def prepare(self, key: Key, work: Callable[[], T]) -> None:
        """Work that may take minutes. Nothing happens where the job is being worked on."""
        self._submit(self._preparers, key, work)

    def finish(self, key: Key, work: Callable[[], T]) -> None:
        """Work that takes a moment. Nothing happens where the job is being worked on."""
        self._submit(self._finishers, key, work)

    def tidy(self, work: Callable[[], object]) -> None:
        """Work that nobody waits for; what goes wrong is logged."""

        def guarded() -> None:
            try:
                work()
            except Exception:
                _log.exception("tidying up after a job")

        self._give(self._finishers, guarded)

    def is_busy(self, key: Key) -> bool:
        """Whether a report about the job is still to come."""
        return key in self._busy

    @property
    def busy(self) -> int:
        """How many jobs are worked on."""
        return len(self._busy)

    def reports(self) -> Iterator[Report[T]]:
        """The reports that are there."""
        while not self._reports.empty():
            report = self._reports.get()
            self._busy.discard(report.key)
            yield report

    def has_reports(self) -> bool:
        return not self._reports.empty()

    def close(self) -> None:
        """Begin nothing more. What has begun is not waited for: the next server does it again."""
        with self._opening:
            self._open = False
            for pool in (self._preparers, self._finishers):
                pool.shutdown(wait=False, cancel_futures=True)

    def _submit(self, pool: Executor, key: Key, work: Callable[[], T]) -> None:
        if key in self._busy:
            return

        def guarded() -> None:
            came_of_it: T | PenstockError
            try:
                came_of_it = work()
            except PenstockError as error:
                came_of_it = error
            except OSError as error:  # the disk, or what a script left on it: no defect of ours
                _log.warning("job %s in workspace %s", key[1], key[0], exc_info=error)
                came_of_it = PenstockError(
                    str(error), hint="see `penstock server logs` for what was being done"
                )
            except Exception as error:  # a defect of ours must end the job, not the engine
                _log.exception("job %s in workspace %s", key[1], key[0])
                came_of_it = internal_error(error)
            self._reports.put(Report(key, came_of_it))
            self.news.set()

        self._busy.add(key)
        self._give(pool, guarded)

    def _give(self, pool: Executor, work: Callable[[], None]) -> None:
        with self._opening:
            if (
                self._open
            ):  # else the server is leaving, and the next one finds in the database what is to be done
                pool.submit(work)


def internal_error(error: Exception) -> PenstockError:
    """A defect of ours, as the error that ends a job."""
    return PenstockError(
        f"an internal error ended the job: {type(error).__name__}: {error}",
        hint="see `penstock server logs`; please report it",
    )
