"""One-time links: how a browser, which has no token, gets a session. Kept in memory, good for five minutes, once."""

import secrets
import threading
from dataclasses import dataclass

from penstock.errors import NotAuthenticated
from penstock.identity.tokens import Caller

# Seconds. Long enough to switch to the browser, short enough that a link in a shell's history is dead.
LIFETIME = 300.0
# Links that wait at the same time; the oldest goes first. A script in a loop must not fill the memory.
_MOST_WAITING = 1000


@dataclass(frozen=True)
class Link:
    """What a link stands for: who the browser will be, and the local path that it goes to."""

    caller: Caller
    target: str
    expires_at: float


class Links:
    """The links that wait to be followed. Safe to use from several threads; they end with the process."""

    def __init__(self, lifetime: float = LIFETIME) -> None:
        self._lifetime = lifetime
        self._lock = threading.Lock()
        self._waiting: dict[str, Link] = {}

    def issue(self, caller: Caller, target: str, now: float) -> str:
        """A code that `redeem` takes once. `target` is a path on this server, with query and fragment if wanted."""
        if not is_local_path(target):
            raise ValueError(f"{target!r} is not a path on this server")
        code = secrets.token_urlsafe(32)
        with self._lock:
            self._waiting = {key: link for key, link in self._waiting.items() if link.expires_at > now}
            while len(self._waiting) >= _MOST_WAITING:
                del self._waiting[next(iter(self._waiting))]
            self._waiting[code] = Link(caller, target, now + self._lifetime)
        return code

    def redeem(self, code: str, now: float) -> Link:
        """The link behind the code, which is used up by this; NotAuthenticated if there is none (any more)."""
        with self._lock:
            link = self._waiting.pop(code, None)
        if link is None or link.expires_at <= now:
            raise NotAuthenticated(
                "this link was used already, is older than five minutes, or was never issued",
                hint="run the `penstock … --web` command again for a new one",
            )
        return link


def is_local_path(target: str) -> bool:
    """Whether a browser that is sent to `target` stays on this server."""
    # `//host` and `/\host` are other hosts to a browser, and it drops tabs and newlines before it looks.
    return (
        target.startswith("/")
        and not target.startswith(("//", "/\\"))
        and "\\" not in target
        and all(" " < character < "\x7f" for character in target)
    )
