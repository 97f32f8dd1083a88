"""The database that remembers everything but bytes: opened once per server, used from all its threads.

SQLite in WAL mode: readers never wait, one writer writes. Two promises rest on how it is set up:

- A writer takes the lock when it begins (`BEGIN IMMEDIATE`), so what it has read stays true until it commits: the next
  number of a log, a job's status, a free name. No statement in the middle of a transaction can find the lock taken.
- `synchronous=FULL`: a commit returns when its bytes are on the disk. For a `kill -9` of the server NORMAL would do
  (the kernel keeps what was written), but after a power cut it may forget the last commits, and the server has already
  answered, started processes and told MLflow by then. FULL costs one fsync per commit (0.4 ms here instead of 0.03; macOS trusts the drive's own cache);
  we commit per change of a status, never per line of a log or metric.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.pool import NullPool, QueuePool

from penstock.errors import ServerUnavailable, UsageError
from penstock.store.failures import busy, database_told_plainly, disk_told_plainly
from penstock.store.schema import bring_up_to_date
from penstock.store.transaction import Transaction

# Seconds that a writer waits for its turn. Ours are short; only another program can hold the lock for so long.
PATIENCE = 30.0


class StatementCount:
    """The statements that were sent while it was counting, without BEGIN and COMMIT."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    @property
    def count(self) -> int:
        return len(self.statements)


class Database:
    """All records of one server. Any number of threads may use it; it must not be taken across a fork."""

    def __init__(self, path: Path, writer: Engine, readers: Engine, patience: float) -> None:
        self.path = path
        self._writer = writer
        self._readers = readers
        self._patience = patience
        # Our own writers queue here: SQLite's wait for its lock polls, and serves whoever asks at the right moment.
        self._turn = threading.Lock()
        self._writing = threading.local()
        self._counts: tuple[StatementCount, ...] = ()
        self._closed = False
        for engine in (writer, readers):
            event.listen(engine, "before_cursor_execute", self._count)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Reads and writes as one: all is kept when the block ends, nothing when it raises.

        Keep it short: no other thread writes meanwhile. Raises StorageFull, or ServerUnavailable where the file is locked
        by another program or cannot be written.
        """
        if getattr(self._writing, "now", False):
            raise RuntimeError(
                "this thread is in a transaction already; pass it on instead of opening another"
            )
        if not self._turn.acquire(timeout=self._patience):
            raise busy(self.path, "another thread of this server has been writing for too long")
        try:
            self._writing.now = True
            with self._on(self._writer) as connection:
                yield Transaction(connection)
        finally:
            self._writing.now = False
            self._turn.release()

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Everything that is read in the block is of one moment. Never waits for a writer; writing in it is refused."""
        with self._on(self._readers) as connection:
            try:
                yield Transaction(connection)
            except OperationalError as error:
                # Exactly this code: a disk that is read-only says more (SQLITE_READONLY_DIRECTORY …) to a reader.
                if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY:
                    raise RuntimeError("a `reading` block cannot write; use `transaction`") from error
                raise

    @contextmanager
    def count_statements(self) -> Iterator[StatementCount]:
        """For tests: counts what all threads send while the block runs, so that a list is known not to ask per row."""
        counting = StatementCount()
        self._counts += (counting,)
        try:
            yield counting
        finally:
            self._counts = tuple(each for each in self._counts if each is not counting)

    def close(self) -> None:
        """Let the present writer end, then give the file back. Closing twice is fine."""
        with self._turn:
            self._closed = True
            self._readers.dispose()
            self._writer.dispose()

    @contextmanager
    def _on(self, engine: Engine) -> Iterator[Connection]:
        if self._closed:
            raise ServerUnavailable("the database is closed: the server is going down")
        with database_told_plainly(self.path), engine.begin() as connection:
            yield connection

    def _count(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if self._counts and not statement.startswith("BEGIN"):
            for counting in self._counts:
                counting.statements.append(statement)


def open_database(url_or_path: str | Path, *, patience: float = PATIENCE) -> Database:
    """The database at a path or `sqlite:///…` URL: created, or migrated, where it has to be.

    Raises ServerUnavailable where a newer Penstock wrote it, and for a file that cannot be used; StorageFull where there
    is no room. `patience` is how many seconds a writer waits for another program's lock.
    """
    path = _path_of(url_or_path)
    url = URL.create("sqlite", database=str(path))
    with disk_told_plainly(path), database_told_plainly(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        bring_up_to_date(path, partial(_engine, url, patience, "BEGIN IMMEDIATE", migrating=True), patience)
        _use_wal(path, url, patience)
    return Database(
        path,
        _engine(url, patience, "BEGIN IMMEDIATE"),
        _engine(url, patience, "BEGIN", read_only=True),
        patience,
    )


def _path_of(url_or_path: str | Path) -> Path:
    if isinstance(url_or_path, Path) or "://" not in url_or_path:
        return Path(url_or_path).absolute()
    try:
        url = make_url(url_or_path)
    except ArgumentError as error:
        raise UsageError(
            f"`{url_or_path}` is not the URL of a database", hint="use sqlite:///<path>"
        ) from error
    if url.get_backend_name() != "sqlite":
        raise UsageError(
            f"a database of type `{url.get_backend_name()}` is not supported yet", hint="use sqlite:///<path>"
        )
    if not url.database or url.database == ":memory:" or url.query:
        raise UsageError("the database needs a file of its own", hint="use sqlite:///<path>, without options")
    return Path(url.database).absolute()


def _use_wal(path: Path, url: URL, patience: float) -> None:
    """The mode is kept in the file. Some network file systems cannot do it, and would lose data silently otherwise."""
    engine = _engine(url, patience, None)
    try:
        with engine.connect() as connection:
            mode = connection.exec_driver_sql("PRAGMA journal_mode=WAL").scalar()
    finally:
        engine.dispose()
    if mode != "wal":
        raise ServerUnavailable(
            f"the database {path} cannot be kept there: the file system lacks what its log needs",
            details=(f"SQLite's journal mode stays `{mode}`, we need `wal`",),
            hint="choose a folder on a local disk with PENSTOCK_HOME",
        )


def _engine(
    url: URL, patience: float, begin: str | None, *, read_only: bool = False, migrating: bool = False
) -> Engine:
    once = migrating or begin is None
    engine = create_engine(
        url,
        poolclass=NullPool if once else QueuePool,
        connect_args={"timeout": patience, "check_same_thread": False},
        json_serializer=partial(json.dumps, ensure_ascii=False, separators=(",", ":"), allow_nan=False),
        # Readers: as many as there are threads; those that are not needed any more are closed again.
        **({} if once else {"pool_size": 4 if read_only else 1, "max_overflow": -1}),
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself; `begin` below does
        for pragma in (
            f"foreign_keys={'OFF' if migrating else 'ON'}",
            "synchronous=FULL",
            f"query_only={'ON' if read_only else 'OFF'}",
            "journal_size_limit=67108864",  # after a burst of writes the log shrinks to 64 MiB again
        ):
            connection.execute(f"PRAGMA {pragma}")

    if begin is not None:

        @event.listens_for(engine, "begin")
        def take_the_lock(connection: Connection) -> None:
            connection.exec_driver_sql(begin)

    return engine
