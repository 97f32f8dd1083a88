"""Laying a snapshot out as a file or folder that a step can use.

Every byte is verified on its way, and always copied: a script that writes to its input, even as root, must not reach the
artifact that others have too. What cannot be laid out as a whole is not there at all.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from penstock.errors import Conflict, InvalidDocument, PenstockError, Problem
from penstock.resources.snapshots import Snapshot, SnapshotFile
from penstock.store import beneath
from penstock.store.artifacts.interface import ArtifactStore
from penstock.store.copying import copy_verified
from penstock.store.failures import disk_told_plainly
from penstock.store.laid_out import FILE_MODE, FOLDER_MODE, LaidOut, same_content

# A manifest is read as a whole. One entry has some hundred bytes: this is about half a million files.
_LARGEST_MANIFEST = 64 * 1024 * 1024


class Checkouts:
    """Lays out the snapshots of one artifact store. `folder` holds its books: locks, and what was laid out where.

    Threads and processes may use one `folder` at once; who wants what another is just laying out waits for it.
    """

    def __init__(self, folder: Path, artifacts: ArtifactStore) -> None:
        self._folder = folder
        self._artifacts = artifacts

    def checkout(self, digest: str, into: Path, *, writable: bool) -> Path:
        """Lay the snapshot with that manifest digest out as `into`: the folder itself, or the single file itself.

        `writable=False` is for many readers: modes 0444 and 0555. Called again, it sees that nothing has changed there
        since, and mends what has. `writable=True` is a private copy with normal modes; Conflict where `into` exists
        already and is no empty folder. Raises DamagedArtifact naming the file whose bytes are not what they were,
        NotFound where an artifact is absent, InvalidDocument for a manifest that nobody well-meaning wrote, StorageFull.
        """
        with disk_told_plainly(into):
            if writable:
                self._private(digest, into)
            else:
                self._shared(digest, into)
        return into

    def load(self, digest: str) -> Snapshot:
        """The snapshot whose manifest has this digest. Its name is empty: a manifest holds none."""
        with self._artifacts.open(digest) as stream:
            pieces, size = [], 0
            while piece := stream.read(1024 * 1024):
                pieces.append(piece)
                size += len(piece)
                if size > _LARGEST_MANIFEST:
                    raise InvalidDocument([Problem("", f"artifact {digest} is too large to be a manifest")])
        return Snapshot.from_manifest(b"".join(pieces), "")

    def forget_removed(self) -> None:
        """Drop the notes about places that somebody has removed since."""
        for note in LaidOut.all_in(self._folder):
            if not os.path.lexists(note.place):
                note.forget()

    def _private(self, digest: str, into: Path) -> None:
        snapshot = self.load(digest)
        with self._alone_at(into):
            if _is_taken(into) or (into.is_dir() and not snapshot.is_folder):
                raise Conflict(
                    f"{into} exists already",
                    hint="lay the snapshot out where nothing is, or in an empty folder",
                )
            self._build(snapshot, into, writable=True)

    def _shared(self, digest: str, into: Path) -> None:
        note = LaidOut(self._folder, into, digest)
        if note.still_holds():
            return
        snapshot = self.load(digest)
        with self._alone_at(into):
            if note.still_holds():  # another one has just laid it out
                return
            if os.path.lexists(into):
                if same_content(into, snapshot):  # only touched: a backup made links, or our note got lost
                    note.write()
                    return
                if _is_taken(into) and not note.is_ours():
                    raise Conflict(
                        f"{into} exists already, with other content", hint="remove it, then try again"
                    )
            note.claim()
            if os.path.lexists(into):
                beneath.remove_tree(into)
            self._build(snapshot, into, writable=False)
            note.write()

    def _build(self, snapshot: Snapshot, into: Path, *, writable: bool) -> None:
        """Build it beside `into`, then give it its name. A leftover of one who was killed here goes first."""
        unfinished = into.with_name(f".{hashlib.sha256(os.fsencode(into.name)).hexdigest()[:16]}.unfinished")
        beneath.remove_tree(unfinished)
        try:
            if snapshot.is_folder:
                unfinished.mkdir()
                with beneath.folder(unfinished) as root:
                    for file in snapshot.files:
                        *parents, name = file.path.split("/")
                        with beneath.folder_beneath(root, parents, make_mode=0o777) as outer:
                            self._lay_file(snapshot, file, name, outer, writable)
                if not writable:
                    for _, _, _, descriptor in os.fwalk(unfinished, topdown=False, follow_symlinks=False):
                        os.fchmod(descriptor, FOLDER_MODE)
            else:
                with beneath.folder(into.parent) as outer:
                    self._lay_file(snapshot, snapshot.files[0], unfinished.name, outer, writable)
            unfinished.rename(into)
        except BaseException:
            beneath.remove_tree(unfinished)
            raise

    def _lay_file(
        self, snapshot: Snapshot, file: SnapshotFile, name: str, outer: int, writable: bool
    ) -> None:
        shown = f"file `{file.path}` of snapshot {snapshot.digest}"
        if not file.path:
            shown = f"the file of snapshot {snapshot.digest}"
        mode = 0o777 if file.executable else 0o666  # less what the umask takes
        try:
            target = beneath.create_file(name, outer, mode)
        except FileExistsError as error:
            raise PenstockError(
                f"{shown} cannot be laid out: this file system does not tell its name from another one's",
                hint="rename one of the two: their names differ in case or in accents only",
            ) from error
        try:
            copy_verified(self._artifacts, file.digest, target, file.size, shown)
            if not writable:
                os.fchmod(target, FOLDER_MODE if file.executable else FILE_MODE)
        finally:
            os.close(target)

    @contextmanager
    def _alone_at(self, into: Path) -> Iterator[None]:
        """One at a time per place. 256 lock files serve all places; the kernel frees the lock of one who dies."""
        into.parent.mkdir(parents=True, exist_ok=True)
        locks = self._folder / "locks"
        locks.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = hashlib.sha256(os.fsencode(into.absolute())).hexdigest()[:2]
        lock = os.open(locks / name, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _is_taken(place: Path) -> bool:
    """Whether something is there that a folder or file could not take the place of without a loss."""
    if not os.path.lexists(place):
        return False
    return place.is_symlink() or not place.is_dir() or any(place.iterdir())
