"""Who uses an environment, and when it was last asked for: so that cleaning up takes nothing from under a job.

A use is a folder on disk: as long as it exists, the environment is in use. That outlives a restart of the server, and
needs no word at the end: a job's overlay is removed with the job's run folder.
"""

import contextlib
import shutil
import uuid
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
        """The environment is in use as long as the folder `by`, which exists now, exists."""
        # A name of its own for each hold: whoever strikes out an ended one cannot hit the next one of the same folder.
        write_atomically(self.folder / name / uuid.uuid4().hex, str(by))
        self.holders(name)  # so that ended ones do not pile up

    def holders(self, name: str) -> tuple[Path, ...]:
        """The folders that use the environment and still exist. Those that do not are struck out."""
        try:
            entries = list((self.folder / name).iterdir())
        except FileNotFoundError:
            return ()
        holders = set()
        for marker in entries:
            if marker.name == _LAST or marker.name.startswith("."):
                continue
            with contextlib.suppress(FileNotFoundError):  # struck out by another process a moment ago
                by = Path(marker.read_text("utf-8"))
                if by.exists():
                    holders.add(by)
                else:
                    marker.unlink()
        return tuple(sorted(holders))

    def last(self, name: str) -> float | None:
        """When the environment was last asked for: epoch seconds."""
        try:
            return (self.folder / name / _LAST).stat().st_mtime
        except FileNotFoundError:
            return None

    def forget(self, name: str) -> None:
        """Strike out the environment's page."""
        shutil.rmtree(
            self.folder / name, ignore_errors=True
        )  # no page, or one that another process writes to: fine
