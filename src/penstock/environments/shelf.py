"""What is built and on disk: found by digest, counted, held by who uses it, removed."""

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from penstock.environments.building import read_built, remove_tree
from penstock.environments.files import disk_errors_named, locked
from penstock.environments.locking import versions_in
from penstock.environments.uses import Uses
from penstock.environments.uv import Uv, UvFailed
from penstock.errors import Conflict, NotFound, PenstockError

_NAME_LENGTH = 32
"""Folders are named by this much of the digest: scripts hold the path in their first line, which must stay short."""

_SCRATCH = (".lock-", ".trial-")
"""How the folders begin in which packages are resolved; each goes with who made it, unless that is killed."""
_SCRATCH_LIVES = 24 * 3600.0
"""Seconds; resolving takes minutes at most."""


@dataclass(frozen=True)
class InstalledEnvironment:
    """One built environment. `bytes` is what its files take; those that the cache shares are freed with the cache.

    `last_used` is epoch seconds; `used_by` are the folders, a job's or a deployment's, that hold it.
    """

    digest: str
    python_version: str
    packages: int
    bytes: int
    last_used: float
    used_by: tuple[Path, ...]


class Shelf:
    """The built environments of one folder. Every method may be called from any thread and process."""

    def __init__(self, folder: Path, uv: Uv) -> None:
        self._folder = folder
        self._uv = uv
        self.uses = Uses(folder / "uses")

    def prefix(self, digest: str) -> Path:
        """Where the environment of a digest is, or will be."""
        return self._folder / "built" / name_of(digest)

    def lock_file(self, digest: str) -> Path:
        """What is locked while it is built, removed or taken into use."""
        return self._folder / "locks" / name_of(digest)

    @property
    def conda_cache(self) -> Path:
        """Where downloaded conda packages lie, in a folder per program."""
        return self._folder / "conda-cache"

    @contextmanager
    def conda_cache_in_use(self) -> Iterator[int]:
        """Nobody empties the cache of conda packages meanwhile; yields a descriptor that children may inherit."""
        with locked(self._folder / "locks" / "conda-cache", shared=True) as descriptor:
            with disk_errors_named(self._folder):
                # conda notes addresses there as it was given them, with what they hold.
                self.conda_cache.mkdir(mode=0o700, exist_ok=True)
            yield descriptor

    def hold(self, digest: str, by: Path) -> None:
        """Keep an environment from being removed as long as the folder `by` exists: for uses without an overlay."""
        with locked(self.lock_file(digest), shared=True):
            if read_built(self.prefix(digest)) is None:
                raise NotFound(
                    f"there is no environment {digest[:12]}", hint="ask for it with `ensure` first"
                )
            self.uses.hold(name_of(digest), by.absolute())

    def installed(self) -> list[InstalledEnvironment]:
        """Every built environment, the longest unused first."""
        found = [self._installed(prefix) for prefix in self._prefixes()]
        return sorted((one for one in found if one is not None), key=lambda one: (one.last_used, one.digest))

    def packages(self, digest: str) -> dict[str, str] | None:
        """Version by package name of a built environment; None where there is none of this digest."""
        built = read_built(self.prefix(digest))
        return None if built is None else versions_in(built.lock)

    def remove(self, digest: str) -> int:
        """Remove an environment and return its size in bytes. Raises Conflict while something uses or builds it."""

        def refuse() -> None:
            raise Conflict(
                f"environment {digest[:12]} is being built or taken into use", hint="try again later"
            )

        prefix = self.prefix(digest)
        with locked(self.lock_file(digest), when_taken=refuse):
            built = read_built(prefix)
            if built is None and not prefix.exists():
                raise NotFound(f"there is no environment {digest[:12]}")
            holders = self.uses.holders(prefix.name)
            if holders and built is not None:
                raise Conflict(
                    f"environment {digest[:12]} is in use",
                    details=[f"used by {holder}" for holder in holders],
                    hint="wait for the job to end, or cancel it",
                )
            remove_tree(prefix)
            self.uses.forget(prefix.name)
        return built.bytes if built is not None else 0

    def remove_unfinished(self) -> int:
        """Remove what killed builds left behind and nobody asked for since; returns how many folders went.

        What a killed resolver left a day ago, too.
        """
        removed = 0
        for left in [each for kind in _SCRATCH for each in self._folder.glob(f"{kind}*")]:
            with suppress(OSError):  # it has just gone
                if time.time() - left.stat().st_mtime > _SCRATCH_LIVES:
                    shutil.rmtree(left, ignore_errors=True)
                    removed += 1
        for prefix in self._prefixes():
            if read_built(prefix) is None:
                try:
                    self.remove(prefix.name)
                    removed += 1
                except (Conflict, NotFound):
                    continue  # it is being built right now, or another process removed it
        return removed

    def sizes(self) -> dict[str, int]:
        """Bytes on disk of `environments` and of `cache`; a file that both share counts for the environments."""
        seen: set[tuple[int, int]] = set()
        return {
            "environments": _disk_use(self._folder / "built", seen),
            "cache": (_disk_use(self._uv.cache, seen) if self._owns_cache() else 0)
            + _disk_use(self.conda_cache, seen),
        }

    def clear_cache(self) -> int:
        """Empty the cache of downloads and return the bytes on disk that this freed. A user's own cache is left alone."""
        before = sum(self.sizes().values())
        with locked(self._folder / "locks" / "conda-cache"):
            remove_tree(self.conda_cache)
        self._clear_uv_cache()
        return before - sum(self.sizes().values())

    def _clear_uv_cache(self) -> None:
        if not self._owns_cache() or not self._uv.cache.is_dir():
            return
        try:
            self._uv.run(["cache", "clean"], say=lambda _: None)
        except UvFailed as failure:
            raise PenstockError(
                "the cache of downloads cannot be emptied", details=failure.text.splitlines()
            ) from failure

    def _installed(self, prefix: Path) -> InstalledEnvironment | None:
        built = read_built(prefix)
        if built is None:
            return None
        try:
            last = self.uses.last(prefix.name) or prefix.stat().st_mtime
        except FileNotFoundError:
            return None  # removed a moment ago
        return InstalledEnvironment(
            digest=built.digest,
            python_version=built.python_version,
            packages=sum(1 for line in built.lock.splitlines() if line and line[0] not in "-#"),
            bytes=built.bytes,
            last_used=last,
            used_by=self.uses.holders(prefix.name),
        )

    def _prefixes(self) -> list[Path]:
        try:
            return sorted(path for path in (self._folder / "built").iterdir() if path.is_dir())
        except FileNotFoundError:
            return []

    def _owns_cache(self) -> bool:
        return self._uv.cache.is_relative_to(self._folder)


def name_of(digest: str) -> str:
    """The name of its folders and files. NotFound for what is no digest."""
    if not re.fullmatch(r"[0-9a-f]{32,64}", digest):
        raise NotFound(f"`{digest}` is no digest of an environment", hint="it has 64 hexadecimal digits")
    return digest[:_NAME_LENGTH]


def _disk_use(folder: Path, seen: set[tuple[int, int]]) -> int:
    """Bytes on disk below the folder, each file once, adding to `seen`."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                status = Path(parent, name).lstat()
            except FileNotFoundError:
                continue  # a build goes on meanwhile
            if (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                total += status.st_blocks * 512
    return total
