"""Work that nobody waits for: one piece after the other, on a thread that leaves with the server.

What is given up here is done again by the next server: a piece of work finds out by itself whether it is still to be done.
"""

import logging
import queue
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)

IsWanted = Callable[[], bool]
Work = Callable[[IsWanted], None]

_LONGEST_END = 10.0
"""Seconds that the last piece of work may take to notice that the server leaves."""


class Background:
    """Takes work by name: what waits under a name already is not taken a second time. The thread starts with the first."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[tuple[str, Work] | None] = queue.SimpleQueue()
        self._waiting: dict[str, threading.Event] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._leaving = False

    def add(self, name: str, work: Work) -> threading.Event:
        """Have it done, some time. The event says when it was, or was given up."""
        with self._lock:
            if name in self._waiting:
                return self._waiting[name]
            done = self._waiting[name] = threading.Event()
            if self._leaving:
                done.set()
                return done
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="background", daemon=True)
                self._thread.start()
            self._queue.put((name, work))
        return done

    def stop(self) -> None:
        """Give up what is not done, and return when nothing runs any more."""
        with self._lock:
            self._leaving = True
        self._queue.put(None)
        if self._thread is not None:
            self._thread.join(_LONGEST_END)

    def _run(self) -> None:
        while (found := self._queue.get()) is not None:
            name, work = found
            try:
                if not self._leaving:
                    work(lambda: not self._leaving)
            except Exception:
                _log.exception("%s failed", name)
            finally:
                with self._lock:
                    self._waiting.pop(name).set()
