"""What a disk or a database engine says when it cannot go on, told as an error that a person can mend."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import StatementError

from penstock.errors import Conflict, PenstockError, ServerUnavailable, StorageFull

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NOT_WRITABLE = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_MAKE_ROOM = "free some space (`penstock du` shows what takes it, `penstock gc` removes what nothing needs), then try again"
# SQLite reports a full disk as a plain I/O error where it could not grow its shared-memory file. Less than this
# many free bytes, and we believe that space is what it lacked: 64 KiB is two of that file's regions.
_HARDLY_ANY = 65_536


@contextmanager
def disk_told_plainly(place: Path) -> Iterator[None]:
    """What a disk says about `place` leaves as a PenstockError; the original one is its cause."""
    try:
        yield
    except OSError as error:
        plain = _of_disk(error, place)
        if plain is None:
            raise
        raise plain from error


@contextmanager
def database_told_plainly(place: Path) -> Iterator[None]:
    """What SQLite says about the file `place` leaves as a PenstockError. An OSError of the block's own work passes."""
    try:
        yield
    except (StatementError, sqlite3.Error) as error:
        plain = _of_value(error) or _of_database(getattr(error, "orig", error), place)
        if plain is None:
            raise
        raise plain from error


def _of_disk(error: OSError, place: Path) -> PenstockError | None:
    where = f"looked at: {place}"
    if error.errno in _FULL:
        return storage_full(place)
    if error.errno in _NOT_WRITABLE:
        return ServerUnavailable(
            f"{place} cannot be used: {error.strerror}",
            details=(where,),
            hint="let this user read and write it, or choose another folder with PENSTOCK_HOME",
        )
    if error.errno == errno.EIO:
        return ServerUnavailable(f"the disk under {place} failed: {error.strerror}", details=(where,))
    return None


def storage_full(place: Path) -> StorageFull:
    """No space is left under `place`."""
    return StorageFull(f"no space is left for {place}", details=_space(place), hint=_MAKE_ROOM)


def _of_database(error: BaseException | None, place: Path) -> PenstockError | None:
    """By SQLite's result code; None where it is our own mistake (wrong SQL, a broken constraint), which must be seen."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return None
    said = f"SQLite says: {error}"
    if code == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
        return Conflict("a record refers to a workspace or a job that does not exist", details=(said,))
    match code & 0xFF:  # the low byte is the kind, the rest says more
        case sqlite3.SQLITE_FULL:
            return storage_full(place)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return busy(place, said)
        case sqlite3.SQLITE_READONLY:
            return ServerUnavailable(
                f"the database {place} cannot be written: it, or its disk, is read-only",
                details=(said,),
                hint="make the file and its folder writable for this user, or choose another PENSTOCK_HOME",
            )
        case sqlite3.SQLITE_CANTOPEN:
            return ServerUnavailable(
                f"the database {place} cannot be opened",
                details=(said,),
                hint="see that its folder exists and that this user may read and write it, or choose another PENSTOCK_HOME",
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return ServerUnavailable(
                f"the database {place} is damaged, or is no database",
                details=(said,),
                hint="move it away and put a backup in its place: Penstock leaves one beside it before every upgrade",
            )
        case sqlite3.SQLITE_IOERR:
            if _free_bytes(place) < _HARDLY_ANY:
                return storage_full(place)
            return ServerUnavailable(f"the disk under the database {place} failed", details=(said,))
    return None


def busy(place: Path, said: str) -> ServerUnavailable:
    """Somebody else held the database's lock for longer than we wait."""
    return ServerUnavailable(
        f"the database {place} is locked by another program",
        details=(said,),
        hint="close what has it open (a database browser, a backup), then try again",
    )


def _of_value(error: Exception) -> PenstockError | None:
    """JSON knows no NaN and no infinity."""
    if isinstance(error, StatementError) and isinstance(error.orig, ValueError):
        return PenstockError(
            f"a value cannot be kept: {error.orig}", hint="use a finite number, or a text, in its place"
        )
    return None


def _free_bytes(place: Path) -> int:
    try:
        room = os.statvfs(place if place.exists() else place.parent)
    except OSError:
        return _HARDLY_ANY  # unknown, so the error stays what SQLite called it
    return room.f_bavail * room.f_frsize


def _space(place: Path) -> tuple[str, ...]:
    try:
        room = os.statvfs(place if place.exists() else place.parent)
    except OSError:
        return ()
    free, whole = room.f_bavail * room.f_frsize, room.f_blocks * room.f_frsize
    return (f"{free // 1024} KiB of {whole // 1024} KiB are free on its file system",)
