"""What runs in the background of a server: the job engine, and the watch that ends an unused server."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from penstock.jobs.execution import Engine
from penstock.server.platform import Platform

_log = logging.getLogger(__name__)

# Seconds between looks at whether anybody uses the server.
_LONGEST_LOOK = 15.0


def run_engine(engine: Engine, stop: threading.Event) -> None:
    """The engine's thread. A defect in it is logged and the engine starts over from what the database says."""
    while not stop.is_set():
        try:
            engine.run_forever(stop)
        except Exception:
            _log.exception("the job engine failed; it starts over")
            stop.wait(1.0)


class IdleWatch:
    """Ends a server that nobody has asked anything for `limit` seconds and that has no open job. 0: never."""

    def __init__(self, platform: Platform, limit: float) -> None:
        self._platform = platform
        self._limit = limit
        self._last = platform.clock()

    def watching(
        self, app: Callable[[Any, Any, Any], Awaitable[None]]
    ) -> Callable[[Any, Any, Any], Awaitable[None]]:
        """The same application; its requests count as use."""

        async def watched(scope: Any, receive: Any, send: Any) -> None:
            self._last = self._platform.clock()
            try:
                await app(scope, receive, send)
            finally:
                self._last = self._platform.clock()

        return watched

    def is_idle(self, now: float) -> bool:
        """Whether nothing has happened for long enough."""
        if not self._limit or now - self._last < self._limit:
            return False
        with self._platform.database.reading() as tx:
            return not tx.jobs.open_roots()

    async def until_idle(self, leave: Callable[[], None]) -> None:
        """Look from time to time; call `leave` once the server is idle."""
        while self._limit:
            await asyncio.sleep(min(_LONGEST_LOOK, self._limit / 4))
            if await asyncio.to_thread(self.is_idle, self._platform.clock()):
                _log.info("nobody has used the server for %g minutes", self._limit / 60)
                leave()
                return
