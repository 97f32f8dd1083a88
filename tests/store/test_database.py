"""The database file: opened once, used from everywhere, and clear about what is wrong with it."""

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from penstock.errors import PenstockError, ServerUnavailable, StorageFull, UsageError
from penstock.store.database import Database, open_database
from penstock.testing.records import a_job, a_workspace
from tests.store.conftest import SmallDisk


def pragma(database: Database, name: str) -> object:
    with database.reading() as tx:
        return tx.jobs._connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_what_was_written_is_there_after_opening_again(tmp_path: Path) -> None:
    """By path or by URL, with folders that did not exist."""
    path = tmp_path / "a folder" / "with 100% ünïcode?#" / "penstock.db"
    first = open_database(path)
    with first.transaction() as tx:
        tx.workspaces.create(a_workspace())
    first.close()

    again = open_database(path)

    with again.reading() as tx:
        assert tx.workspaces.get("demo") == a_workspace()
    again.close()


def test_a_url_names_the_file(tmp_path: Path) -> None:
    """The way in which other programs name it."""
    database = open_database(f"sqlite:///{tmp_path / 'x.db'}")
    database.close()

    assert database.path == tmp_path / "x.db"
    assert (tmp_path / "x.db").exists()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://host/db", "type `postgresql` is not supported yet"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("sqlite:///x.db?mode=ro", "needs a file"),
        ("://", "is not the URL"),
    ],
)
def test_what_is_no_database_of_ours_is_refused(url: str, says: str) -> None:
    """Before anything is made."""
    with pytest.raises(UsageError, match=says):
        open_database(url)


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    """It names people, paths and parameters."""
    database = open_database(tmp_path / "new" / "x.db")
    with database.transaction() as tx:
        tx.workspaces.create(a_workspace())

    for path in (tmp_path / "new" / "x.db", tmp_path / "new" / "x.db-wal"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    database.close()


def test_commits_are_on_the_disk_and_references_hold(database: Database) -> None:
    """The settings that the promises rest on: a log that readers do not wait for, an fsync per commit, foreign keys."""
    assert pragma(database, "journal_mode") == "wal"
    assert pragma(database, "synchronous") == 2
    assert pragma(database, "foreign_keys") == 1
    assert pragma(database, "busy_timeout") == 30_000


def test_closing_leaves_one_whole_file(tmp_path: Path) -> None:
    """No log beside it that somebody forgets to copy; closing twice is fine, and a closed one says so."""
    database = open_database(tmp_path / "x.db")
    with database.transaction() as tx:
        tx.workspaces.create(a_workspace())

    database.close()
    database.close()

    assert not (tmp_path / "x.db-wal").exists()
    with pytest.raises(ServerUnavailable, match="is closed"), database.reading():
        pass
    with pytest.raises(ServerUnavailable, match="is closed"), database.transaction():
        pass


def test_closing_waits_for_the_present_writer(tmp_path: Path) -> None:
    """What is being written is written."""
    database = open_database(tmp_path / "x.db")
    begun, may_end = threading.Event(), threading.Event()

    def write() -> None:
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            begun.set()
            may_end.wait(30)

    writer = threading.Thread(target=write)
    writer.start()
    begun.wait(30)
    closer = threading.Thread(target=database.close)
    closer.start()
    assert closer.is_alive()
    may_end.set()
    writer.join()
    closer.join()

    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        assert connection.execute("SELECT name FROM penstock_workspaces").fetchall() == [("demo",)]


def test_a_lock_of_another_program_is_waited_for(tmp_path: Path) -> None:
    """And when it stays, the error says what to close; afterwards all goes on."""
    database = open_database(tmp_path / "x.db", patience=0.2)
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with (
            pytest.raises(ServerUnavailable, match="is locked by another program") as caught,
            database.transaction(),
        ):
            pass
        with database.reading() as tx:  # readers never wait
            assert tx.workspaces.list() == ()
        other.execute("ROLLBACK")

    assert isinstance(caught.value.__cause__, Exception)
    assert "locked" in str(caught.value.__cause__)
    with database.transaction() as tx:
        tx.workspaces.create(a_workspace())
    database.close()


def test_a_thread_that_writes_for_too_long_does_not_hang_the_others(tmp_path: Path) -> None:
    """They are told."""
    database = open_database(tmp_path / "x.db", patience=0.2)
    said: list[str] = []

    def write() -> None:
        try:
            with database.transaction():
                pass
        except ServerUnavailable as error:
            said.append(" ".join(error.details))

    with database.transaction():
        other = threading.Thread(target=write)
        other.start()
        other.join()

    assert said == ["another thread of this server has been writing for too long"]
    database.close()


def test_two_servers_write_one_gapless_log(tmp_path: Path) -> None:
    """Two processes at once: each takes the lock when it begins, so what it has read stays true."""
    script = """
import sys
from pathlib import Path
from penstock.store.database import open_database
database = open_database(Path(sys.argv[1]))
sys.stdin.readline()
for number in range(100):
    with database.transaction() as tx:
        tx.events.append("demo", 1.0, "x", "y", {})
"""
    servers = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / "x.db")], stdin=subprocess.PIPE, bufsize=0
        )
        for _ in range(2)
    ]
    for server in servers:
        assert server.stdin is not None
        server.stdin.write(b"go\n")
    for server in servers:
        server.communicate(timeout=60)
        assert server.returncode == 0

    database = open_database(tmp_path / "x.db")
    with database.reading() as tx:
        assert [event.sequence for event in tx.events.after("demo", 0, 1000)] == list(range(1, 201))
    database.close()


def test_errors_of_the_block_itself_come_out_as_they_are(database: Database) -> None:
    """A file that the caller could not read is not the database's trouble."""
    with pytest.raises(PermissionError, match="theirs"), database.transaction():
        raise PermissionError(13, "theirs")


@pytest.mark.parametrize(
    "content",
    [
        b"this is a text, and no database at all, however long it is" * 100,
        b"SQLite format 3\0" + b"\xff" * 5000,
    ],
)
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    """It is left as it is."""
    (tmp_path / "x.db").write_bytes(content)

    with pytest.raises(ServerUnavailable, match=r"x\.db is damaged, or is no database") as caught:
        open_database(tmp_path / "x.db")

    assert caught.value.__cause__ is not None
    assert (tmp_path / "x.db").read_bytes() == content


def test_a_place_that_is_no_folder_is_named(tmp_path: Path) -> None:
    """Where the home cannot be made."""
    (tmp_path / "file").write_text("in the way")

    with pytest.raises((PenstockError, OSError), match="file"):
        open_database(tmp_path / "file" / "x.db")


def test_reliability_21_a_full_disk_is_said_and_survived(small_disk: SmallDisk) -> None:
    """Nothing half-written is left, everything that was answered is there, and with room the work goes on."""
    database = open_database(small_disk.path / "penstock.db")
    with database.transaction() as tx:
        tx.workspaces.create(a_workspace())
    small_disk.fill()
    answered: list[str] = []

    def write_until_full() -> None:
        for number in range(1000):
            with database.transaction() as tx:
                tx.jobs.insert(a_job(f"job-{number}", spec={"text": "x" * 4000}))
                tx.events.append("demo", 1.0, "job.status", f"job/job-{number}", {"text": "y" * 1000})
            answered.append(f"job-{number}")

    with pytest.raises(StorageFull, match="no space is left for") as caught:
        write_until_full()

    assert caught.value.__cause__ is not None
    assert caught.value.hint is not None
    assert "penstock gc" in caught.value.hint
    assert any("KiB are free" in detail for detail in caught.value.details)
    with database.reading() as tx:
        assert {job.name for job in tx.jobs.list("demo")} == set(answered)
    small_disk.empty()
    with database.transaction() as tx:
        tx.jobs.insert(a_job("after"))
        tx.events.append("demo", 1.0, "job.status", "job/after", {})
    with database.reading() as tx:
        sequences = [event.sequence for event in tx.events.after("demo", 0, 2000)]
        assert sequences == list(range(1, len(answered) + 2))
    database.close()


def test_reliability_21_a_full_disk_at_the_first_start_is_said(small_disk: SmallDisk) -> None:
    """And the start after it, with room, works."""
    small_disk.fill()

    with pytest.raises(StorageFull):
        open_database(small_disk.path / "penstock.db")

    small_disk.empty()
    open_database(small_disk.path / "penstock.db").close()


def test_reliability_21_a_disk_that_is_full_while_it_is_open_and_read(small_disk: SmallDisk) -> None:
    """A database that was closed well can be opened and read, or says that there is no space."""
    database = open_database(small_disk.path / "penstock.db")
    with database.transaction() as tx:
        tx.workspaces.create(a_workspace())
    database.close()
    small_disk.fill()

    try:
        database = open_database(small_disk.path / "penstock.db")
    except StorageFull:
        return
    try:
        with database.reading() as tx:
            assert tx.workspaces.list() == (a_workspace(),)
    except StorageFull:
        pass
    finally:
        database.close()


def test_reliability_21_a_read_only_disk_is_said(small_disk: SmallDisk) -> None:
    """With what to do about it, and the cause."""
    open_database(small_disk.path / "penstock.db").close()
    small_disk.write_protect()

    with pytest.raises(ServerUnavailable, match=r"penstock\.db cannot be (written|used|opened)") as caught:
        open_database(small_disk.path / "penstock.db")

    assert caught.value.__cause__ is not None
    assert caught.value.hint is not None
    assert "PENSTOCK_HOME" in caught.value.hint


def test_reliability_21_a_file_that_may_not_grow_breaks_nothing(tmp_path: Path) -> None:
    """The second way to run out of room: the kernel's limit on the size of a file, in a process of its own."""
    script = """
import resource, sys
from pathlib import Path
from penstock.errors import PenstockError
from penstock.store.database import open_database
from penstock.testing.records import a_job, a_workspace
database = open_database(Path(sys.argv[1]))
with database.transaction() as tx:
    tx.workspaces.create(a_workspace())
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
answered = 0
try:
    while True:
        with database.transaction() as tx:
            tx.jobs.insert(a_job(f"job-{answered}", spec={"text": "x" * 4000}))
            tx.events.append("demo", 1.0, "x", "y", {})
        answered += 1
except PenstockError as error:
    print(type(error).__name__, type(error.__cause__).__name__)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
with database.transaction() as tx:
    print(len(tx.jobs.list("demo")) == answered > 0, tx.events.append("demo", 1.0, "x", "y", {}).sequence == answered + 1)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "x.db")],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert done.stdout.split() == ["ServerUnavailable", "OperationalError", "True", "True"], done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere; the read-only disk shows the same")
def test_a_folder_without_permission_is_said(tmp_path: Path) -> None:
    """As the user who starts the server."""
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(ServerUnavailable):
            open_database(tmp_path / "x.db")
    finally:
        tmp_path.chmod(0o700)
