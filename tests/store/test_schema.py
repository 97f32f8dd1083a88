"""Bringing a database to the present schema: once, safely, and never backwards."""

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from penstock.errors import PenstockError, ServerUnavailable, StorageFull
from penstock.store import schema
from penstock.store.database import open_database
from penstock.store.records.tables import metadata
from penstock.testing.records import a_registry, a_workspace, an_asset
from tests.store.conftest import SmallDisk

PRESENT, PRESENT_MIGRATIONS = schema.HEAD, schema.MIGRATIONS

# A step after the present one, as the next version of Penstock would bring it.
_NEXT = """
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "workspaces_have_owners", {head!r}, None, None
def upgrade() -> None:
    with op.batch_alter_table("penstock_workspaces") as batch:
        batch.add_column(sa.Column("owner", sa.String()))
    {more}
"""


# The file goes back to what the version before registries wrote, with an asset in it.
_BEFORE_REGISTRIES = """
DROP TABLE penstock_datastores;
DROP TABLE penstock_assets;
DROP TABLE penstock_scopes;
DROP TABLE penstock_registries;
CREATE TABLE penstock_assets (
    workspace VARCHAR NOT NULL, kind VARCHAR NOT NULL, name VARCHAR NOT NULL, version VARCHAR NOT NULL,
    spec JSON NOT NULL, digest VARCHAR NOT NULL, description TEXT, tags JSON NOT NULL, properties JSON NOT NULL,
    archived BOOLEAN NOT NULL, archived_whole BOOLEAN DEFAULT 0 NOT NULL,
    anonymous BOOLEAN NOT NULL, created_at DOUBLE NOT NULL, created_by VARCHAR NOT NULL,
    modified_at DOUBLE NOT NULL, sequence INTEGER NOT NULL,
    CONSTRAINT penstock_assets_pk PRIMARY KEY (workspace, kind, name, version),
    CONSTRAINT penstock_assets_workspace_fk FOREIGN KEY(workspace) REFERENCES penstock_workspaces (name) ON DELETE CASCADE,
    CONSTRAINT penstock_assets_workspace_sequence_key UNIQUE (workspace, sequence)
);
CREATE INDEX penstock_assets_workspace_kind_name_sequence_idx ON penstock_assets (workspace, kind, name, sequence);
INSERT INTO penstock_assets VALUES ('demo', 'data', 'd', '1', '{}', 'x', NULL, '{}', '{}', 0, 0, 0, 1.0, 'me', 1.0, 1);
UPDATE penstock_alembic SET version_num = 'archived_jobs_and_names';
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database of this version, with a workspace in it."""
    database = open_database(tmp_path / "penstock.db")
    with database.transaction() as tx:
        tx.workspaces.create(a_workspace())
    database.close()
    return tmp_path / "penstock.db"


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Penstock as it will be after its next migration; gives the file of that migration."""
    folder = tmp_path / "next-migrations"
    (folder / "versions").mkdir(parents=True)
    for source in (schema.MIGRATIONS / "env.py", *(schema.MIGRATIONS / "versions").glob("[a-z]*.py")):
        (folder / source.relative_to(schema.MIGRATIONS)).write_bytes(source.read_bytes())
    step = folder / "versions" / "workspaces_have_owners.py"
    step.write_text(_NEXT.format(head=PRESENT, more=""))
    monkeypatch.setattr(schema, "MIGRATIONS", folder)
    monkeypatch.setattr(schema, "HEAD", "workspaces_have_owners")
    return step


def columns(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[1] for row in connection.execute("PRAGMA table_info(penstock_workspaces)")]


def names(path: Path) -> list[tuple[str]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT name FROM penstock_workspaces").fetchall()


def test_the_migrations_make_the_tables_that_the_code_uses(path: Path) -> None:
    """Whoever changes `records/tables.py` without a migration hears of it here."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": schema.VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_assets_of_before_there_were_registries_are_kept(path: Path) -> None:
    """They belong to their workspace, and go with it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(_BEFORE_REGISTRIES)

    database = open_database(path)

    with database.transaction() as tx:
        assert [asset.version for asset in tx.assets.every("demo", "data")] == ["1"]
        tx.registries.create(a_registry())
        tx.assets.create(an_asset(workspace="registry:shared"))
        tx.workspaces.delete("demo")
        assert tx.assets.every("demo", "data") == ()
        assert len(tx.assets.every("registry:shared", "data")) == 1
    database.close()


def test_the_head_that_the_code_says_is_the_head_that_alembic_finds() -> None:
    """One line of steps, no branches, and names that fit into Alembic's column."""
    scripts = ScriptDirectory(str(schema.MIGRATIONS))

    assert scripts.get_heads() == [schema.HEAD]
    for step in scripts.walk_revisions():
        assert len(step.revision) <= 32
        assert Path(step.path).stem == step.revision
        assert step.doc


def test_every_table_is_known_as_ours() -> None:
    """MLflow's tables may live in the same database, and it has `jobs` and `workspaces` too."""
    assert all(name.startswith("penstock_") for name in (*metadata.tables, schema.VERSION_TABLE))


def test_opening_the_present_schema_loads_no_migrations(path: Path) -> None:
    """A start that has nothing to do is quick, and leaves no backup."""
    script = (
        "import sys; from pathlib import Path; from penstock.store.database import open_database; "
        "open_database(Path(sys.argv[1])).close(); print('alembic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "False"
    assert list(path.parent.glob("*.before-*")) == []


def test_an_existing_database_is_copied_before_it_changes(path: Path, next_version: Path) -> None:
    """The copy is a whole database of the earlier version; the data is in both."""
    open_database(path).close()

    backup = path.with_name("penstock.db.before-workspaces_have_owners")
    assert "owner" in columns(path)
    assert "owner" not in columns(backup)
    assert names(path) == names(backup) == [("demo",)]
    assert oct(backup.stat().st_mode & 0o777) == "0o600"
    assert schema.schema_of(path) == "workspaces_have_owners"


def test_an_earlier_backup_is_never_overwritten(path: Path, next_version: Path) -> None:
    """Somebody may have put it back, or may want to."""
    backup = path.with_name("penstock.db.before-workspaces_have_owners")
    backup.write_text("precious")

    open_database(path).close()

    assert backup.read_text() == "precious"
    assert names(backup.with_name(backup.name + "-2")) == [("demo",)]


def test_a_new_database_needs_no_backup(tmp_path: Path, next_version: Path) -> None:
    """There is nothing in it."""
    open_database(tmp_path / "new.db").close()

    assert list(tmp_path.glob("*.before-*")) == []


def test_a_migration_that_breaks_leaves_the_file_as_it_was(path: Path, next_version: Path) -> None:
    """All steps are one transaction; the error names the backup, and the earlier version goes on."""
    next_version.write_text(_NEXT.format(head=PRESENT, more="op.execute('UPDATE absent SET x = 1')"))

    with pytest.raises(PenstockError, match="it is as it was") as caught:
        open_database(path)

    assert "no such table: absent" in caught.value.details[0]
    assert "penstock.db.before-" in caught.value.details[1]
    assert caught.value.__cause__ is not None
    assert "owner" not in columns(path)
    assert schema.schema_of(path) == PRESENT


def test_a_migration_that_loses_a_reference_is_undone(path: Path, next_version: Path) -> None:
    """Foreign keys are off while tables are copied, so they are checked at the end."""
    lost = "op.execute(\"INSERT INTO penstock_computes VALUES ('absent', 'c', 'local', '{}', 1, 1)\")"
    next_version.write_text(_NEXT.format(head=PRESENT, more=lost))

    with pytest.raises(PenstockError, match="it is as it was") as caught:
        open_database(path)

    assert "rows that refer to nothing" in caught.value.details[0]
    assert "owner" not in columns(path)


def test_a_database_of_a_newer_version_is_refused(
    path: Path, next_version: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is touched; the error says both schemas, and where the backup is."""
    open_database(path).close()
    monkeypatch.setattr(schema, "HEAD", PRESENT)
    monkeypatch.setattr(schema, "MIGRATIONS", PRESENT_MIGRATIONS)
    before = path.read_bytes()

    with pytest.raises(ServerUnavailable, match="was written by a newer Penstock") as caught:
        open_database(path)

    said = " ".join(caught.value.details)
    assert "its schema: workspaces_have_owners" in said
    assert PRESENT in said
    assert "penstock.db.before-workspaces_have_owners" in said
    assert caught.value.hint is not None
    assert path.read_bytes() == before


def test_other_tables_in_the_file_stay(tmp_path: Path) -> None:
    """A database that holds something else, MLflow's version table among it, is backed up and only added to."""
    path = tmp_path / "shared.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE alembic_version (version_num VARCHAR(32)); INSERT INTO alembic_version VALUES ('mlflow1');"
            "CREATE TABLE jobs (id INTEGER); INSERT INTO jobs VALUES (7);"
        )

    open_database(path).close()

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT id FROM jobs").fetchall() == [(7,)]
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("mlflow1",)]
    assert len(list(tmp_path.glob("shared.db.before-*"))) == 1


def test_threads_that_open_a_new_database_at_once_all_succeed(tmp_path: Path) -> None:
    """One migrates, the others wait."""
    failures: list[BaseException] = []
    together = threading.Barrier(4)

    def start() -> None:
        together.wait()
        try:
            open_database(tmp_path / "x.db").close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []


def test_two_servers_that_open_a_new_database_at_once_both_succeed(tmp_path: Path) -> None:
    """Two processes, one of which migrates."""
    script = (
        "import sys; from pathlib import Path; from penstock.store.database import open_database\n"
        "database = open_database(Path(sys.argv[1]))\n"
        "with database.transaction() as tx: print(tx.events.append('demo', 1.0, 'x', 'y', {}).sequence)"
    )
    servers = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / "x.db")], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = sorted(server.communicate(timeout=60)[0].strip() for server in servers)

    assert said == ["1", "2"]


def test_a_migration_that_never_ends_does_not_hang_the_next_server(tmp_path: Path) -> None:
    """It is told who has the lock."""
    script = (
        "import fcntl, sys; lock = open(sys.argv[1], 'w'); fcntl.flock(lock, fcntl.LOCK_EX); print('mine', flush=True); "
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "x.db.migrating")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdout is not None
        assert other.stdout.readline() == "mine\n"
        with pytest.raises(ServerUnavailable, match="locked") as caught:
            open_database(tmp_path / "x.db", patience=0.1)
        other.communicate("")

    assert "another server has been migrating it" in caught.value.details[0]
    open_database(tmp_path / "x.db", patience=0.1).close()


def test_no_room_for_the_backup_means_no_migration(small_disk: SmallDisk, next_version: Path) -> None:
    """Half a backup is none: nothing of it stays, and the database is as it was."""
    path = small_disk.path / "penstock.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "HEAD", PRESENT)
        patch.setattr(schema, "MIGRATIONS", PRESENT_MIGRATIONS)
        database = open_database(path)
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace(tags={"text": "x" * 200_000}))
        database.close()
    small_disk.fill(leave=100_000)

    with pytest.raises(StorageFull):
        open_database(path)

    assert "owner" not in columns(path)
    assert [each.name for each in small_disk.path.iterdir() if "before" in each.name] == []
