"""Whatever is done to jobs in whatever order: what has ended stays ended, and the log has no gap."""

import tempfile
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from penstock.errors import AlreadyExists, Conflict
from penstock.jobs import statuses
from penstock.store.database import Database, open_database
from penstock.store.records.job import TERMINAL, JobRecord
from penstock.testing.records import a_job, a_workspace

_OPEN = ("NotStarted", "Preparing", "Queued", "Starting", "Running", "Finalizing", "CancelRequested")
_STATUSES = st.sampled_from([*_OPEN, *sorted(TERMINAL)])
_WORKSPACES = st.sampled_from(["demo", "other"])
_FENCES = st.one_of(st.none(), st.integers(0, 6))


@cache
def _empty_database() -> bytes:
    """The file of a database with two workspaces: migrated once, copied for each example."""
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(Path(folder) / "x.db")
        with database.transaction() as tx:
            for workspace in ("demo", "other"):
                tx.workspaces.create(a_workspace(workspace))
        database.close()
        return (Path(folder) / "x.db").read_bytes()


class _Undone(Exception):
    """Makes a transaction roll back."""


class JobMachine(RuleBasedStateMachine):
    """The repository beside a plain dictionary that obeys the same rules."""

    keys = Bundle("keys")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        (Path(self.folder.name) / "x.db").write_bytes(_empty_database())
        self.database: Database = open_database(Path(self.folder.name) / "x.db")
        self.jobs: dict[tuple[str, str], JobRecord] = {}
        self.counts = {"demo": 0, "other": 0}

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()

    @rule(target=keys, workspace=_WORKSPACES, number=st.integers(0, 5), status=_STATUSES)
    def insert(self, workspace: str, number: int, status: str) -> Any:
        record = a_job(f"job-{number}", workspace=workspace, status=status, created_at=float(len(self.jobs)))
        key = (workspace, record.name)
        if key in self.jobs:
            with pytest.raises(AlreadyExists), self.database.transaction() as tx:
                tx.jobs.insert(record)
            return multiple()
        with self.database.transaction() as tx:
            tx.jobs.insert(record)
            tx.events.append(workspace, 1.0, "job.status", f"job/{record.name}", {"status": status})
        self.jobs[key] = record
        self.counts[workspace] += 1
        return key

    @rule(key=keys, status=_STATUSES, fence=_FENCES)
    def update(self, key: tuple[str, str], status: str, fence: int | None) -> None:
        before = self.jobs[key]
        refused = (before.status in TERMINAL and status != before.status) or (
            fence is not None and fence < before.fence
        )
        if refused:
            with pytest.raises(Conflict):
                self._tell_and_change(key, fence, status)
            return
        with self.database.transaction() as tx:
            after = tx.jobs.update(*key, fence=fence, status=status, display_name=status)
            tx.events.append(key[0], 2.0, "job.status", f"job/{key[1]}", {"status": status})
        self.jobs[key] = replace(
            before, status=status, display_name=status, fence=max(before.fence, fence or 0)
        )
        self.counts[key[0]] += 1
        assert after == self.jobs[key]

    def _tell_and_change(self, key: tuple[str, str], fence: int | None, status: str) -> None:
        """The event is written first: it has to go with the change that is refused."""
        with self.database.transaction() as tx:
            tx.events.append(key[0], 2.0, "job.status", f"job/{key[1]}", {"status": status})
            tx.jobs.update(*key, fence=fence, status=status)

    @rule(key=keys)
    def take_over(self, key: tuple[str, str]) -> None:
        with self.database.transaction() as tx:
            self.jobs[key] = tx.jobs.take_over(*key)

    @rule(key=keys, status=_STATUSES)
    def change_and_roll_back(self, key: tuple[str, str], status: str) -> None:
        def change() -> None:
            with self.database.transaction() as tx:
                tx.events.append(key[0], 3.0, "job.status", f"job/{key[1]}", {})
                if self.jobs[key].status not in TERMINAL:
                    tx.jobs.update(*key, status=status)
                raise _Undone

        with pytest.raises(_Undone):
            change()

    @rule(key=consumes(keys))
    def describe(self, key: tuple[str, str]) -> None:
        """What describes a job may change at any time; afterwards this job is left alone."""
        with self.database.transaction() as tx:
            self.jobs[key] = tx.jobs.update(*key, description="described", tags={"a": "b"})

    @rule()
    def open_again(self) -> None:
        self.database.close()
        self.database = open_database(Path(self.folder.name) / "x.db")

    @invariant()
    def the_repository_is_the_dictionary(self) -> None:
        with self.database.reading() as tx:
            found = {(job.workspace, job.name): job for name in self.counts for job in tx.jobs.list(name)}
            open_roots = {(job.workspace, job.name) for job in tx.jobs.open_roots()}
        assert {key: asdict(job) for key, job in found.items()} == {
            key: asdict(job) for key, job in self.jobs.items()
        }
        assert open_roots == {key for key, job in self.jobs.items() if job.status not in TERMINAL}

    @invariant()
    def the_log_is_gapless(self) -> None:
        with self.database.reading() as tx:
            for workspace, count in self.counts.items():
                events = tx.events.after(workspace, 0, 100_000)
                assert [event.sequence for event in events] == list(range(1, count + 1))


TestReliability23JobsEndOnce = JobMachine.TestCase
TestReliability23JobsEndOnce.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)


def test_what_ends_for_the_engine_ends_for_the_store() -> None:
    """The engine's terminal statuses are terminal here, and none of its open ones is."""
    assert statuses.TERMINAL <= TERMINAL
    assert not statuses.OPEN & TERMINAL
