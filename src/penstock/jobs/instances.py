"""Who holds an instance of which compute, and who waits for one."""

from collections.abc import Callable

Key = tuple[str, str]  # workspace, job name
Compute = tuple[str, str]  # workspace, compute name


class Instances:
    """Grants instances in the order in which they were asked for, compute by compute.

    `size_of` says how many a compute has; it is asked only after something has changed, because it costs a query.
    One thread uses this; `resized` may come from any.
    """

    def __init__(self, size_of: Callable[[str, str], int]) -> None:
        self._size_of = size_of
        self._waiting: dict[Key, Compute] = {}
        self._held: dict[Key, Compute] = {}
        self._changed = False

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def ask(self, key: Key, compute: Compute) -> None:
        """Stand in line."""
        self._waiting[key] = compute
        self._changed = True

    def hold(self, key: Key, compute: Compute) -> None:
        """It has one already: its process was found running."""
        self._waiting.pop(key, None)
        self._held[key] = compute

    def release(self, key: Key) -> None:
        """Give back what was held, or leave the line."""
        self._waiting.pop(key, None)
        self._changed |= self._held.pop(key, None) is not None

    def resized(self) -> None:
        """A compute has another size now."""
        self._changed = True

    def clear(self) -> None:
        """Nobody holds and nobody waits."""
        self._waiting.clear()
        self._held.clear()

    def granted(self) -> list[Key]:
        """Who gets one now; they hold it from now on."""
        if not self._changed:
            return []
        self._changed = False
        free = {
            compute: self._size_of(*compute) - sum(held == compute for held in self._held.values())
            for compute in dict.fromkeys(self._waiting.values())
        }
        lucky = []
        for key, compute in self._waiting.items():
            if free[compute] > 0:
                free[compute] -= 1
                lucky.append(key)
        for key in lucky:
            self._held[key] = self._waiting.pop(key)
        return lucky
