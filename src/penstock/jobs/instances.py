"""Who holds instances of which compute, and who waits for some."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

Key = tuple[str, str]  # workspace, job name
Compute = tuple[str, str]  # workspace, compute name
Priority = Literal["low", "medium", "high"]

_FIRST_COMES: Final[tuple[Priority, ...]] = ("high", "medium", "low")


@dataclass(frozen=True)
class _Wish:
    compute: Compute
    count: int
    priority: Priority = "medium"


class Instances:
    """Grants instances compute by compute: the more urgent first, among equals in the order in which they were asked for.

    Who needs several waits for all of them, and who comes after waits too: else the small ones would for ever pass by a big
    one. Who needs more than its compute has (it was made smaller meanwhile) runs when nobody else does.

    `size_of` says how many a compute has; it is asked only after something has changed, because it costs a query.
    One thread uses this; `resized` may come from any.
    """

    def __init__(self, size_of: Callable[[str, str], int]) -> None:
        self._size_of = size_of
        self._waiting: dict[Key, _Wish] = {}
        self._held: dict[Key, _Wish] = {}
        self._changed = False

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def ask(self, key: Key, compute: Compute, count: int = 1, priority: Priority = "medium") -> None:
        """Stand in line for so many."""
        self._waiting[key] = _Wish(compute, count, priority)
        self._changed = True

    def hold(self, key: Key, compute: Compute, count: int = 1) -> None:
        """It has them already: its process was found running."""
        self._waiting.pop(key, None)
        self._held[key] = _Wish(compute, count)

    def release(self, key: Key) -> None:
        """Give back what was held, or leave the line."""
        self._changed |= self._waiting.pop(key, None) is not None
        self._changed |= self._held.pop(key, None) is not None

    def resized(self) -> None:
        """A compute has another size now."""
        self._changed = True

    def clear(self) -> None:
        """Nobody holds and nobody waits."""
        self._waiting.clear()
        self._held.clear()

    def granted(self) -> list[Key]:
        """Who gets theirs now; they hold them from now on."""
        if not self._changed:
            return []
        self._changed = False
        used: dict[Compute, int] = {}
        for wish in self._held.values():
            used[wish.compute] = used.get(wish.compute, 0) + wish.count
        sizes = {wish.compute: self._size_of(*wish.compute) for wish in self._waiting.values()}
        lucky, full = [], set[Compute]()
        for key, wish in sorted(self._waiting.items(), key=lambda item: _FIRST_COMES.index(item[1].priority)):
            in_use = used.get(wish.compute, 0)
            if wish.compute in full or (in_use and in_use + wish.count > sizes[wish.compute]):
                full.add(wish.compute)
                continue
            used[wish.compute] = in_use + wish.count
            lucky.append(key)
        for key in lucky:
            self._held[key] = self._waiting.pop(key)
        return lucky
