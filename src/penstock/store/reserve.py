"""Room that is kept free for the last words: a full disk must not keep us from writing down that it is full."""

import contextlib
import shutil
from pathlib import Path

# Bytes. A status and its event take some kilobytes of the database's log; this is room for hundreds.
SIZE = 1024 * 1024
_PLENTY = 4  # times the size


class Reserve:
    """A file that takes up room until the room is needed. Safe to use from one thread."""

    def __init__(self, path: Path, size: int = SIZE) -> None:
        self._path = path
        self._size = size

    def take(self) -> bool:
        """Take up the room, if there is plenty; whether it is taken up now.

        Plenty, because room that was given back for a status must not be gone again before the status is written.
        """
        with contextlib.suppress(OSError):
            if self._path.exists() and self._path.stat().st_size == self._size:
                return True
            if shutil.disk_usage(self._path.parent).free < _PLENTY * self._size:
                return False
            # Written, not truncated to a length: a file with a hole takes up nothing.
            self._path.write_bytes(b"\0" * self._size)
            return True
        self.release()
        return False

    def release(self) -> bool:
        """Give the room back; whether there was any."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        return True
