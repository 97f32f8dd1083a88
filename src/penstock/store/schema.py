"""Bringing a database file to the schema that this version of Penstock reads and writes.

Two servers may open one file at once: whoever comes second waits for the first. A file that a newer Penstock wrote is
refused before anything is touched. A file that is about to change is copied beside itself first.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from penstock.errors import PenstockError, ServerUnavailable
from penstock.store.failures import busy, database_told_plainly

VERSION_TABLE: Final = "penstock_alembic"
# The last step of `migrations/versions/`. Said here too, so that a start that has nothing to migrate need not load
# Alembic (0.4 s); a test compares the two.
HEAD: Final = "datastores_have_names"
MIGRATIONS: Final = Path(__file__).parent / "migrations"


def bring_up_to_date(path: Path, migrating: Callable[[], Engine], patience: float) -> None:
    """The database file at `path` exists and has the present schema when this returns.

    `migrating` makes an engine without enforced foreign keys: a step may have to copy a table that others refer to.
    """
    with database_told_plainly(path):
        if schema_of(path) == HEAD:
            return
        with _alone(path.with_name(path.name + ".migrating"), patience):
            present = schema_of(path)
            if present == HEAD:  # the other server did it while we waited
                return
            _refuse_unknown(path, present)
            _create(path)
            backup = _back_up(path) if _has_tables(path) else None
            _upgrade(path, migrating(), backup)


def schema_of(path: Path) -> str | None:
    """The name of the last migration that the file went through; None for an empty or absent file."""
    if not path.exists() or path.stat().st_size == 0:
        return None
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute(
            "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (VERSION_TABLE,)
        ).fetchone()
        row = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone() if found else None  # noqa: S608
    return None if row is None else str(row[0])


@contextmanager
def _alone(lock: Path, patience: float) -> Iterator[None]:
    """One migration at a time, of all processes. The kernel frees the lock of a process that dies."""
    descriptor = os.open(lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise busy(lock, "another server has been migrating it for too long") from None
                time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


def _refuse_unknown(path: Path, present: str | None) -> None:
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    if present is None:
        return
    try:
        ScriptDirectory(str(MIGRATIONS)).get_revision(present)
    except CommandError as error:
        backups = sorted(str(each) for each in path.parent.glob(f"{path.name}.before-*"))
        raise ServerUnavailable(
            f"the database {path} was written by a newer Penstock",
            details=(
                f"its schema: {present}",
                f"the newest that this version knows: {HEAD}",
                *(f"a backup from before an upgrade: {each}" for each in backups),
            ),
            hint="upgrade Penstock, or use another folder with PENSTOCK_HOME; nothing was changed",
        ) from error


def _create(path: Path) -> None:
    """An empty file that only its owner may read: it will name people, paths and parameters."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))


def _has_tables(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None


def _back_up(path: Path) -> Path:
    """A whole copy of the file beside it, which a person can put back. Kept until they remove it."""
    backup = path.with_name(f"{path.name}.before-{HEAD}")
    count = 1
    while backup.exists():
        count += 1
        backup = path.with_name(f"{path.name}.before-{HEAD}-{count}")
    unfinished = backup.with_name(backup.name + ".part")
    try:
        _create(unfinished)
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(unfinished)) as target:
            source.backup(target)
        with unfinished.open("rb") as stream:
            os.fsync(stream.fileno())
        unfinished.rename(backup)
    finally:
        unfinished.unlink(missing_ok=True)
    return backup


def _upgrade(path: Path, engine: Engine, backup: Path | None) -> None:
    """All steps in one transaction: after a failure the file is what it was."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    try:
        with database_told_plainly(path), engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            _refuse_broken_references(connection)
    except SQLAlchemyError as error:
        raise PenstockError(
            f"the database {path} could not be brought to the schema of this version; it is as it was",
            details=(str(getattr(error, "orig", error)), *((f"a copy of it: {backup}",) if backup else ())),
            hint="go on with the earlier version of Penstock, and report this",
        ) from error
    finally:
        engine.dispose()


def _refuse_broken_references(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        raise IntegrityError(
            "PRAGMA foreign_key_check", None, RuntimeError(f"rows that refer to nothing: {broken[:3]}")
        )
