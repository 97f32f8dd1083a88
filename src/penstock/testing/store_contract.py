"""What every database keeps. Subclass `StoreContract`, name the class `Test…`, give the fixture `database`.

class TestOurDatabase(StoreContract):
    @pytest.fixture
    def database(self) -> Iterator[Database]:
        ...
"""

import threading
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest

from penstock.errors import AlreadyExists, Conflict, NotFound, PenstockError
from penstock.store.database import Database
from penstock.store.records.job import TERMINAL
from penstock.store.transaction import Transaction
from penstock.testing.records import a_compute, a_job, a_workspace, an_asset

Ask = Callable[[Transaction], object]
_ODD = {"ключ": "значение", 'quote " and . [0]': "a'b", "deep": {"list": [1, 2.5, None, True], "empty": {}}}


class StoreContract:
    """The tests. `database` is open and empty; whoever gives it closes it."""

    # Transactions

    def test_all_of_a_transaction_is_kept_or_nothing(self, database: Database) -> None:
        """The state and the event that tells of it, together."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())

        def write_and_fail() -> None:
            with database.transaction() as tx:
                tx.jobs.insert(a_job())
                tx.events.append("demo", 1.0, "job.status", "job/job-1", {})
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            write_and_fail()

        with database.reading() as tx:
            assert tx.jobs.find("demo", "job-1") is None
            assert tx.events.last_sequence("demo") == 0

    def test_a_transaction_reads_what_it_has_written(self, database: Database) -> None:
        """And others do so when it has ended."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            assert tx.workspaces.find("demo") is not None
            with database.reading() as other:
                assert other.workspaces.find("demo") is None

        with database.reading() as tx:
            assert tx.workspaces.get("demo") == a_workspace()

    def test_what_is_read_is_of_one_moment(self, database: Database) -> None:
        """However much is written meanwhile."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())

        with database.reading() as reading:
            assert reading.events.last_sequence("demo") == 0
            with database.transaction() as tx:
                tx.events.append("demo", 1.0, "x", "y", {})
            assert reading.events.last_sequence("demo") == 0

        with database.reading() as reading:
            assert reading.events.last_sequence("demo") == 1

    def test_reading_cannot_write(self, database: Database) -> None:
        """It would do so without the writer's lock."""
        with pytest.raises(RuntimeError, match="use `transaction`"), database.reading() as tx:
            tx.workspaces.create(a_workspace())

    def test_one_thread_has_one_transaction(self, database: Database) -> None:
        """A second one inside would wait for the first for ever."""
        with (
            database.transaction(),
            pytest.raises(RuntimeError, match="in a transaction already"),
            database.transaction(),
        ):
            pass

    def test_a_value_that_json_does_not_know_is_refused(self, database: Database) -> None:
        """And nothing of the transaction is kept."""
        with pytest.raises(PenstockError, match="cannot be kept"), database.transaction() as tx:
            tx.workspaces.create(a_workspace(tags={"loss": float("nan")}))

        with database.reading() as tx:
            assert tx.workspaces.list() == ()

    # Workspaces

    def test_a_workspace_comes_back_as_it_was_made(self, database: Database) -> None:
        """Whatever characters it holds."""
        record = a_workspace(
            display_name="Démo ☃",
            tags=_ODD,
            properties={"a": 1},
            location="here",
            resource_group="rg",
            created_at=1.25,
        )
        with database.transaction() as tx:
            assert tx.workspaces.create(record) == record

        with database.reading() as tx:
            assert tx.workspaces.get("demo") == record
            assert tx.workspaces.list() == (record,)

    def test_a_workspace_changes_in_the_given_columns(self, database: Database) -> None:
        """The others stay; an unknown one is not found."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace(display_name="old", tags={"a": "b"}))

            changed = tx.workspaces.update("demo", display_name=None, description="new")

            assert changed == a_workspace(description="new", tags={"a": "b"})
            with pytest.raises(NotFound):
                tx.workspaces.update("absent", description="x")

    def test_a_workspace_takes_its_things_with_it_and_leaves_its_events(self, database: Database) -> None:
        """The log goes on counting if the workspace is made again."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            tx.workspaces.create(a_workspace("other"))
            for workspace in ("demo", "other"):
                tx.assets.create(an_asset(workspace=workspace))
                tx.computes.put(a_compute(workspace=workspace))
                tx.jobs.insert(a_job("root", workspace=workspace))
                tx.jobs.insert(a_job("step", workspace=workspace, parent="root"))
            tx.events.append("demo", 1.0, "workspace.changed", "workspace/demo", {})

            tx.workspaces.delete("demo")
            tx.workspaces.create(a_workspace())

            assert tx.assets.list("demo", "data") == ()
            assert tx.computes.list("demo") == ()
            assert tx.jobs.list("demo", every=True) == ()
            assert tx.events.append("demo", 2.0, "x", "y", {}).sequence == 2
            assert len(tx.jobs.list("other", every=True)) == 2

    def test_names_that_are_taken_are_refused(self, database: Database) -> None:
        """Workspaces, versions of assets, and jobs; each error names the thing."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            tx.assets.create(an_asset())
            tx.jobs.insert(a_job())
            with pytest.raises(AlreadyExists, match="`demo`"):
                tx.workspaces.create(a_workspace())
            with pytest.raises(AlreadyExists, match="`taxi:1`"):
                tx.assets.create(an_asset(digest="1" * 64))
            with pytest.raises(AlreadyExists, match="`job-1`"):
                tx.jobs.insert(a_job(type="pipeline"))
            tx.assets.create(an_asset(kind="model"))  # each kind has names of its own

    def test_a_record_needs_its_workspace(self, database: Database) -> None:
        """Nothing can be put into one that was deleted meanwhile."""
        writes: tuple[Ask, ...] = (
            lambda tx: tx.assets.create(an_asset()),
            lambda tx: tx.computes.put(a_compute()),
            lambda tx: tx.jobs.insert(a_job()),
        )
        for write in writes:
            with pytest.raises(Conflict, match="does not exist"), database.transaction() as tx:
                write(tx)

    @pytest.mark.parametrize(
        ("ask", "says", "shows"),
        [
            (lambda tx: tx.workspaces.get("dmeo"), "workspace `dmeo` was not found", "workspaces: demo"),
            (lambda tx: tx.workspaces.delete("dmeo"), "workspace `dmeo` was not found", "workspaces: demo"),
            (lambda tx: tx.computes.get("demo", "cpu-clutser"), "in workspace `demo`", "cpu-cluster"),
            (lambda tx: tx.computes.delete("demo", "cpu-clutser"), "in workspace `demo`", "cpu-cluster"),
            (lambda tx: tx.assets.get("demo", "data", "taxy", "1"), "data `taxy` was not found", "taxi"),
            (lambda tx: tx.assets.get("demo", "data", "taxi", "3"), "data `taxi:3` was not", "there: 2, 1"),
            (lambda tx: tx.assets.get_latest("demo", "data", "taxy"), "data `taxy` was not found", "taxi"),
            (lambda tx: tx.assets.delete("demo", "data", "taxi", "3"), "data `taxi:3` was not", "2, 1"),
            (lambda tx: tx.jobs.get("demo", "job-11"), "job `job-11` was not found", "job-1"),
            (lambda tx: tx.jobs.update("demo", "job-11", status="Running"), "job `job-11`", "job-1"),
        ],
    )  # fmt: skip
    def test_what_is_absent_is_named_with_what_there_is(
        self, database: Database, ask: Ask, says: str, shows: str
    ) -> None:
        """An error helps: what was asked for, where, and what there is instead."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            tx.computes.put(a_compute())
            tx.assets.create(an_asset())
            tx.assets.create(an_asset(version="2"))
            tx.jobs.insert(a_job())
            with pytest.raises(NotFound, match=says) as caught:
                ask(tx)

        assert shows in " ".join(caught.value.details)

    # Assets

    def test_an_asset_comes_back_with_its_place_in_the_order(self, database: Database) -> None:
        """Counted in the workspace, whatever is in the given record."""
        record = an_asset(spec=_ODD, tags={"a": "b"}, properties={"p": "q"}, description="d", sequence=77)
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())

            assert tx.assets.create(record) == replace(record, sequence=1)
            assert tx.assets.create(an_asset(kind="model")).sequence == 2
            assert tx.assets.get("demo", "data", "taxi", "1") == replace(record, sequence=1)

    def test_the_latest_version_is_the_one_made_last(self, database: Database) -> None:
        """Not the one with the highest number, and not one that is archived."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            for version in ("10", "3", "4"):
                tx.assets.create(an_asset(version=version))
            tx.assets.update_mutable("demo", "data", "taxi", "4", modified_at=2.0, archived=True)

            latest = tx.assets.find_latest("demo", "data", "taxi")

            assert latest is not None
            assert latest.version == "3"
            assert tx.assets.get_latest("demo", "data", "taxi") == latest
            assert tx.assets.find_latest("demo", "model", "taxi") is None

    def test_a_list_without_a_name_has_one_row_per_name(self, database: Database) -> None:
        """The latest of each, newest first; those made in passing are left out."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            for name, version in (("a", "1"), ("b", "1"), ("a", "2"), ("c", "1")):
                tx.assets.create(an_asset(name, version))
            tx.assets.create(an_asset("inline", anonymous=True))
            tx.assets.update_mutable("demo", "data", "a", "2", modified_at=2.0, archived=True)
            tx.assets.update_mutable("demo", "data", "c", "1", modified_at=2.0, archived=True)

            def listed(name: str | None = None, **filters: Any) -> list[str]:
                records = tx.assets.list("demo", "data", name, **filters)
                return [f"{each.name}:{each.version}" for each in records]

            assert listed() == ["b:1", "a:1"]
            assert listed(include_archived=True) == ["c:1", "a:2", "b:1"]
            assert listed(archived_only=True) == ["c:1", "a:2"]
            assert listed(include_archived=True, limit=2) == ["c:1", "a:2"]
            assert listed("a") == ["a:1"]
            assert listed("a", include_archived=True) == ["a:2", "a:1"]
            assert listed("a", archived_only=True) == ["a:2"]
            assert listed("inline") == ["inline:1"]
            assert [each.name for each in tx.assets.every("demo", "data")] == ["a", "b", "a", "c", "inline"]

    @pytest.mark.parametrize(
        ("versions", "following"),
        [((), "1"), (("1", "2"), "3"), (("10", "3"), "11"), (("v1", "2024-01-01"), "1"), (("007", "x"), "8"), (("²",), "1")],
    )  # fmt: skip
    def test_the_next_version_follows_the_highest_number(
        self, database: Database, versions: tuple[str, ...], following: str
    ) -> None:
        """Versions that are no whole numbers do not count; archived ones do."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            for version in versions:
                tx.assets.create(an_asset(version=version, archived=True))

            assert tx.assets.next_version("demo", "data", "taxi") == following

    def test_an_asset_changes_only_in_what_describes_it(self, database: Database) -> None:
        """Content, digest and order stay."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            before = tx.assets.create(an_asset(description="old", tags={"a": "b"}))

            after = tx.assets.update_mutable(
                "demo", "data", "taxi", "1", modified_at=5.0, description=None, tags={"c": "d"}
            )

            assert after == replace(before, modified_at=5.0, description=None, tags={"c": "d"})

    def test_a_deleted_version_leaves_the_others(self, database: Database) -> None:
        """And its name can be used again, for something that is newer than all others."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            tx.assets.create(an_asset(version="1"))
            tx.assets.create(an_asset(version="2"))

            tx.assets.delete("demo", "data", "taxi", "1")
            again = tx.assets.create(an_asset(version="1"))

            assert tx.assets.find_latest("demo", "data", "taxi") == again

    # Computes

    def test_putting_a_compute_again_replaces_it(self, database: Database) -> None:
        """Its time of creation stays."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            tx.computes.put(a_compute(spec={"max_instances": 1}))

            tx.computes.put(a_compute(spec={"max_instances": 4}, created_at=9.0, modified_at=9.0))

            expected = a_compute(spec={"max_instances": 4}, created_at=1.0, modified_at=9.0)
            assert tx.computes.list("demo") == (expected,)
            tx.computes.delete("demo", "cpu-cluster")
            assert tx.computes.find("demo", "cpu-cluster") is None

    # Jobs

    def test_a_job_comes_back_as_it_was_inserted(self, database: Database) -> None:
        """Every column, None and {} apart."""
        record = a_job(
            spec=_ODD, inputs={}, outputs={"o": {"path": "x"}}, error={"code": "UserError"}, worker={"pid": 7},
            started_at=2.5, ended_at=3.5, cancel_requested_at=3.0, mlflow_run="r", fence=4, position=2, compute="cpu",
        )  # fmt: skip
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            tx.jobs.insert(record)
            tx.jobs.insert(a_job("plain"))

        with database.reading() as tx:
            assert asdict(tx.jobs.get("demo", "job-1")) == asdict(record)
            assert tx.jobs.get("demo", "plain").worker is None

    def test_jobs_are_listed_newest_first_without_their_steps(self, database: Database) -> None:
        """Steps are listed under their parent, in their order."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            for number in range(5):
                tx.jobs.insert(a_job(f"job-{number}", created_at=float(number), compute="cpu"))
            for position, step in enumerate(("prep", "train", "evaluate")):
                tx.jobs.insert(
                    a_job(f"job-4-{step}", parent="job-4", position=position, created_at=50.0 - position)
                )

            assert [job.name for job in tx.jobs.list("demo")] == [
                f"job-{number}" for number in (4, 3, 2, 1, 0)
            ]
            assert [job.name for job in tx.jobs.list("demo", limit=2)] == ["job-4", "job-3"]
            steps = ["job-4-prep", "job-4-train", "job-4-evaluate"]
            assert [job.name for job in tx.jobs.children("demo", "job-4")] == steps
            assert [job.name for job in tx.jobs.list("demo", "job-4")] == steps
            assert len(tx.jobs.list("demo", every=True)) == 8
            assert tx.jobs.list("absent") == ()
            assert [job.name for job in tx.jobs.using_compute("demo", "cpu")] == [
                f"job-{n}" for n in range(5)
            ]
            assert tx.jobs.using_compute("demo", "cpu", ("Running",)) == ()

    @pytest.mark.parametrize(
        ("tag", "found"),
        [
            ("team", ["b", "a"]), ("team=red", ["a"]), ("team=", []), ("tea", []), ('o"d.d[0]', ["c"]),
            ('o"d.d[0]=x=y', ["c"]), ("team=%", []), ("Team", []), ("depth=3", ["c"]),
        ],
    )  # fmt: skip
    def test_jobs_are_found_by_tag(self, database: Database, tag: str, found: list[str]) -> None:
        """By its key, or by key and value, whatever characters they have."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            tx.jobs.insert(a_job("a", tags={"team": "red"}, created_at=1.0))
            tx.jobs.insert(a_job("b", tags={"team": "blue"}, created_at=2.0))
            tx.jobs.insert(a_job("c", tags={'o"d.d[0]': "x=y", "depth": "3"}, created_at=3.0))

            assert [job.name for job in tx.jobs.list("demo", tag=tag)] == found

    def test_open_roots_are_those_that_have_not_ended(self, database: Database) -> None:
        """Of all workspaces, oldest first, without steps."""
        with database.transaction() as tx:
            for workspace in ("demo", "other"):
                tx.workspaces.create(a_workspace(workspace))
            tx.jobs.insert(a_job("late", created_at=9.0, workspace="other", status="Running"))
            tx.jobs.insert(a_job("early", created_at=1.0))
            tx.jobs.insert(a_job("step", parent="early", status="Running"))
            for status in TERMINAL:
                tx.jobs.insert(a_job(status, status=status))
            assert [job.name for job in tx.jobs.open_roots()] == ["early", "late"]
            assert tx.jobs.count_by_status() == {"NotStarted": 1, "Running": 2}
            assert [job.name for job in tx.jobs.list("demo", statuses=("NotStarted", "Failed"))] == [
                "early",
                "Failed",
            ]

            tx.jobs.update("demo", "early", status="Completed")

            assert [job.name for job in tx.jobs.open_roots()] == ["late"]

    @pytest.mark.parametrize("ended", sorted(TERMINAL))
    def test_a_terminal_status_never_changes(self, database: Database, ended: str) -> None:
        """What describes the job may still change, and saying the same status again is no change."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            tx.jobs.insert(a_job(status="Running"))
            tx.jobs.update("demo", "job-1", status=ended)
            for status in ("Running", *(TERMINAL - {ended})):
                with pytest.raises(Conflict, match=f"has ended as {ended}"):
                    tx.jobs.update("demo", "job-1", status=status, error={"code": "late"})

            changed = tx.jobs.update("demo", "job-1", status=ended, tags={"a": "b"}, display_name="x")

            assert (changed.status, changed.tags, changed.display_name) == (ended, {"a": "b"}, "x")
            assert changed.error is None

    def test_an_older_owner_is_refused(self, database: Database) -> None:
        """A job belongs to whoever came last; the news of one who came earlier change nothing."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            tx.jobs.insert(a_job(status="Running"))
            assert tx.jobs.take_over("demo", "job-1").fence == 1
            assert tx.jobs.take_over("demo", "job-1").fence == 2
            with pytest.raises(Conflict, match="another owner") as caught:
                tx.jobs.update("demo", "job-1", fence=1, status="Failed")
            assert "fence: 2, the caller's is 1" in caught.value.details

            assert tx.jobs.update("demo", "job-1", fence=2, mlflow_run="r").fence == 2
            assert tx.jobs.update("demo", "job-1", fence=5, mlflow_run="s").fence == 5
            with pytest.raises(Conflict, match="another owner"):
                tx.jobs.update("demo", "job-1", fence=4, mlflow_run="t")

            assert tx.jobs.update("demo", "job-1", display_name="no owner needed").mlflow_run == "s"

    # Events

    def test_each_workspace_counts_its_events_without_a_gap(self, database: Database) -> None:
        """From one, whatever other workspaces do, and whatever was rolled back."""
        with database.transaction() as tx:
            first = [tx.events.append("demo", 1.0, "x", "y", {"n": n}).sequence for n in range(3)]
            other = tx.events.append("other", 1.0, "x", "y", {}).sequence

        def append_and_fail() -> None:
            with database.transaction() as tx:
                tx.events.append("demo", 1.0, "lost", "y", {})
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            append_and_fail()
        with database.transaction() as tx:
            after = tx.events.append("demo", 2.0, "kept", "y", {}).sequence

        assert (first, other, after) == ([1, 2, 3], 1, 4)
        with database.reading() as tx:
            assert [event.sequence for event in tx.events.after("demo", 0, 10)] == [1, 2, 3, 4]
            assert tx.events.last_sequence("demo") == 4
            assert tx.events.last_sequence("absent") == 0

    def test_events_are_followed_from_the_last_one_seen(self, database: Database) -> None:
        """In order, so many at once, of subjects that begin as asked, exactly."""
        subjects = ("job/a", "job/a_b", "Job/a", "asset/a", "job/axb", "job/ab%")
        with database.transaction() as tx:
            for number, subject in enumerate(subjects):
                tx.events.append("demo", float(number), "x", subject, _ODD)

        with database.reading() as tx:
            assert [event.subject for event in tx.events.after("demo", 1, 2)] == ["job/a_b", "Job/a"]
            assert [event.subject for event in tx.events.after("demo", 0, 9, "job/a_")] == ["job/a_b"]
            assert [event.subject for event in tx.events.after("demo", 0, 2, "job/")] == ["job/a", "job/a_b"]
            assert tx.events.after("demo", len(subjects), 9) == ()
            assert tx.events.after("demo", 0, 1)[0].body == _ODD

    # Threads, and how much is asked

    def test_many_threads_write_one_gapless_log(self, database: Database) -> None:
        """Each transaction sees the numbers of all that ended before it."""
        threads_at_once, each = 8, 25
        failures: list[BaseException] = []
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())

        def write(thread: int) -> None:
            try:
                for number in range(each):
                    with database.transaction() as tx:
                        tx.jobs.insert(a_job(f"job-{thread}-{number}"))
                        tx.events.append("demo", 1.0, "job.status", f"job/job-{thread}-{number}", {})
                    with database.reading() as tx:
                        tx.jobs.get("demo", f"job-{thread}-{number}")
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=write, args=(number,)) for number in range(threads_at_once)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert failures == []
        with database.reading() as tx:
            events = tx.events.after("demo", 0, 10_000)
            assert [event.sequence for event in events] == list(range(1, threads_at_once * each + 1))
            assert len(tx.jobs.list("demo")) == threads_at_once * each

    def test_a_name_is_given_once_however_many_ask(self, database: Database) -> None:
        """One thread gets it, the others are told."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
        outcomes: list[str] = []
        together = threading.Barrier(6)

        def insert() -> None:
            together.wait()
            try:
                with database.transaction() as tx:
                    tx.jobs.insert(a_job())
                outcomes.append("made")
            except AlreadyExists:
                outcomes.append("told")

        threads = [threading.Thread(target=insert) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(outcomes) == ["made", *["told"] * 5]

    def test_listing_asks_once_however_long_the_list(self, database: Database) -> None:
        """No list asks again for each of its rows."""
        with database.transaction() as tx:
            tx.workspaces.create(a_workspace())
            for number in range(50):
                tx.jobs.insert(a_job(f"job-{number}"))
                tx.jobs.insert(a_job(f"step-{number}", parent="job-0", position=number))
                tx.assets.create(an_asset(f"asset-{number}"))
                tx.computes.put(a_compute(f"compute-{number}"))
                tx.events.append("demo", 1.0, "x", "y", {})

        asks: tuple[Ask, ...] = (
            lambda tx: tx.jobs.list("demo", limit=50),
            lambda tx: tx.jobs.children("demo", "job-0"),
            lambda tx: tx.jobs.open_roots(),
            lambda tx: tx.jobs.using_compute("demo", "cpu"),
            lambda tx: tx.assets.list("demo", "data"),
            lambda tx: tx.computes.list("demo"),
            lambda tx: tx.events.after("demo", 0, 50),
        )
        for ask in asks:
            with database.count_statements() as counted, database.reading() as tx:
                ask(tx)
            assert counted.count == 1, counted.statements
