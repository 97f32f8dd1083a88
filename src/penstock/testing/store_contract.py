"""What every database keeps. Subclass `StoreContract`, name the class `Test…`, give the fixture `database`.

class TestOurDatabase(StoreContract):
    @pytest.fixture
    def database(self) -> Iterator[Database]:
        ...
"""

import threading
from collections.abc import Callable

import pytest

from penstock.errors import AlreadyExists, Conflict, NotFound, PenstockError
from penstock.store.database import Database
from penstock.store.transaction import Transaction
from penstock.testing.records import a_compute, a_job, a_workspace, an_asset
from penstock.testing.records_contract import ODD, RecordsContract

Ask = Callable[[Transaction], object]


class StoreContract(RecordsContract):
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

    # What is absent

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
                tx.events.append("demo", float(number), "x", subject, ODD)

        with database.reading() as tx:
            assert [event.subject for event in tx.events.after("demo", 1, 2)] == ["job/a_b", "Job/a"]
            assert [event.subject for event in tx.events.after("demo", 0, 9, "job/a_")] == ["job/a_b"]
            assert [event.subject for event in tx.events.after("demo", 0, 2, "job/")] == ["job/a", "job/a_b"]
            assert tx.events.after("demo", len(subjects), 9) == ()
            assert tx.events.after("demo", 0, 1)[0].body == ODD

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
            lambda tx: tx.jobs.below("demo", "job-0"),
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
