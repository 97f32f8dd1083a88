"""Who uses an environment, and when it was last asked for: so that cleaning up takes nothing from under a job.

A use is a folder on disk: as long as it exists, the environment is in use. That outlives a restart of the server, and
needs no word at the end: a job's overlay is removed with the job's run folder.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from penstock.environments.files import disk_errors_named, write_atomically

_LAST = "last"


@dataclass(frozen=True)
class Uses:
    """The book of uses: a folder with one small file per use, by environment."""

    folder: Path

    def note(self, name: str) -> None:
        """The environment was asked for now."""
        last = self.folder / name / _LAST
        with disk_errors_named(self.folder):
            last.parent.mkdir(parents=True, exist_ok=True)
            last.touch()

    def hold(self, name: str, by: Path) -> None:
        """The environment is in use as long as the folder `by` exists."""
        marker = hashlib.sha256(os.fsencode(by)).hexdigest()[:32]
        write_atomically(self.folder / name / marker, str(by))

    def holders(self, name: str) -> tuple[Path, ...]:
        """The folders that use the environment and still exist."""
        try:
            markers = [entry for entry in (self.folder / name).iterdir() if entry.name != _LAST]
        except FileNotFoundError:
            return ()
        named = [Path(marker.read_text("utf-8")) for marker in markers if not marker.name.startswith(".")]
        return tuple(sorted(path for path in named if path.exists()))

    def last(self, name: str) -> float | None:
        """When the environment was last asked for: epoch seconds."""
        try:
            return (self.folder / name / _LAST).stat().st_mtime
        except FileNotFoundError:
            return None

    def forget(self, name: str) -> None:
        """Strike out the environment's page."""
        folder = self.folder / name
        if folder.is_dir():
            for entry in folder.iterdir():
                entry.unlink(missing_ok=True)
            folder.rmdir()
