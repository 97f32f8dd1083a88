"""What goes wrong around a job stays with that job: defects, cancels at any moment, things that vanish, MLflow's runs."""

import shutil
import threading
import time
from collections.abc import Sized
from typing import Any

import pytest

from penstock.compute.interface import Finished, Handle, Launch
from penstock.compute.local import LocalCompute
from penstock.errors import PenstockError
from penstock.jobs import statuses as st
from tests.jobs.conftest import DEADLINE, Bench, step


class HeldCompute(LocalCompute):
    """Starts processes, but only when the test lets it; counts how many starts are under way at once."""

    def __init__(self) -> None:
        super().__init__(grace=1.0)
        self.go, self.under_way, self.most, self.lost = threading.Event(), 0, 0, False
        self.counting = threading.Lock()

    def start(self, launch: Launch) -> Handle:
        with self.counting:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        assert self.go.wait(DEADLINE)
        with self.counting:
            self.under_way -= 1
        if self.lost:
            raise PenstockError("the server is gone")
        return super().start(launch)


class SlowToTell(LocalCompute):
    """Says that nothing has ended until it may."""

    tells = False

    def poll(self, handle: Handle) -> Finished | None:
        return super().poll(handle) if self.tells else None


class BrokenCompute(LocalCompute):
    """Never starts anything."""

    def start(self, launch: Launch) -> Handle:
        raise PenstockError("no process can be started")


def test_following_processes_asks_the_database_nothing(bench: Bench) -> None:
    """A loop with running and waiting steps costs no statement; nor does one with nothing to do."""
    bench.instances = 1
    bench.create(jobs={name: step("sleep 60") for name in ("a", "b", "c")})
    bench.until(
        lambda: sorted(bench.job(f"p_{key}").status for key in "abc") == [st.QUEUED, st.QUEUED, st.RUNNING]
    )
    bench.engine.run_once()

    with bench.database.count_statements() as counted:
        for _ in range(20):
            bench.engine.run_once()
    assert counted.statements == []

    bench.cancel()
    bench.settle()
    bench.engine.run_once()
    with bench.database.count_statements() as counted:
        for _ in range(20):
            bench.engine.run_once()
    assert counted.statements == []


def test_a_compute_that_grew_takes_more_steps(bench: Bench) -> None:
    """Its size is asked again when somebody says that it changed, not at every look."""
    bench.instances = 1
    bench.create(jobs={name: step("sleep 60") for name in ("a", "b")})
    bench.until(lambda: sorted(bench.job(f"p_{key}").status for key in "ab") == [st.QUEUED, st.RUNNING])

    bench.instances = 2
    bench.engine.computes_changed()

    bench.until(lambda: all(bench.job(f"p_{key}").status == st.RUNNING for key in "ab"))
    bench.cancel()
    bench.settle()


def test_an_ended_job_leaves_nothing_in_memory(bench: Bench) -> None:
    """Canceled before it ran, canceled while it ran, failed, completed: the engine forgets them all."""
    bench.instances = 1
    bench.create(jobs={name: step("sleep 60") for name in ("a", "b", "c")})
    bench.until(lambda: any(bench.job(f"p_{key}").status == st.RUNNING for key in "abc"))
    bench.cancel()
    bench.settle()
    bench.create("fails", **step("exit 1"))
    bench.settle("fails")

    bench.until(lambda: bench.engine.counts() == {"running": 0, "queued": 0, "preparing": 0})

    parts = [bench.engine, *(part for part in vars(bench.engine).values() if hasattr(part, "__dict__"))]
    kept = {
        (type(part).__name__, name): value
        for part in parts
        if type(part).__module__.startswith("penstock.jobs")
        for name, value in vars(part).items()
        if isinstance(value, Sized) and len(value)
    }
    assert kept == {}


def test_a_job_with_a_defect_does_not_stop_the_others(bench: Bench) -> None:
    """A row that cannot be read ends as Failed with an internal error; the next job runs."""
    bench.create("poison", **step("true"))
    with bench.database.transaction() as tx:
        tx.jobs.update("demo", "poison", spec={"plan": {"command": "true"}})
    bench.create("healthy", **step("true"))

    assert bench.settle("healthy").status == st.COMPLETED
    poison = bench.settle("poison")
    assert poison.status == st.FAILED
    assert poison.error is not None
    assert "internal error" in poison.error["message"]


@pytest.mark.parametrize("status", [st.PREPARING, st.RUNNING, st.FINALIZING, st.CANCEL_REQUESTED])
def test_a_job_with_a_defect_does_not_stop_a_restart(bench: Bench, status: str) -> None:
    """Whatever status it was left in."""
    bench.create("poison", **step("true"))
    with bench.database.transaction() as tx:
        tx.jobs.update(
            "demo", "poison", status=status, spec={"plan": {"command": "true"}}, worker={"nonsense": 1}
        )
    bench.lose_engine()
    bench.create("healthy", **step("true"))

    assert bench.settle("healthy").status == st.COMPLETED
    assert bench.settle("poison").status == st.FAILED


def test_a_pipeline_with_a_defect_leaves_no_step_open(bench: Bench) -> None:
    """Its running step is ended, the others are canceled."""
    bench.create(jobs={"a": step("sleep 60"), "b": step("true", inputs={"i": "x"})})
    bench.until(lambda: bench.job("p_a").status == st.RUNNING and bench.job("p_b").status in st.TERMINAL)
    with bench.database.transaction() as tx:
        tx.jobs.update("demo", "p", spec={})
    bench.engine.look_at("demo", "p")

    assert bench.settle().status == st.FAILED
    bench.until(lambda: bench.job("p_a").status in st.TERMINAL)
    assert bench.job("p_a").status == st.CANCELED


def test_a_workspace_deleted_during_a_preparation_disturbs_nobody(bench: Bench) -> None:
    """The step was canceled, its workspace deleted; its preparation ends later, and nothing of it is left."""
    building, go = threading.Event(), threading.Event()

    def build(_: str) -> None:
        building.set()
        assert go.wait(DEADLINE)

    bench.environments.before = build
    bench.create("j", **step("true"))
    bench.until(building.is_set)
    bench.cancel("j")
    assert bench.settle("j").status == st.CANCELED
    with bench.database.transaction() as tx:
        tx.workspaces.delete("demo")
    shutil.rmtree(bench.home.workspace("demo"))

    go.set()
    bench.until(lambda: bench.engine.counts()["preparing"] == 0)

    assert not bench.home.workspace("demo").exists()


def test_a_long_build_does_not_hold_up_what_has_ended(bench: Bench) -> None:
    """Every thread that prepares is busy for minutes; a running step still comes to its end."""
    go = threading.Event()
    bench.create("first", **step("sleep 0.2"))
    bench.until(lambda: bench.job("first").status == st.RUNNING)
    bench.environments.before = lambda _: assert_set(go)
    for number in range(6):
        bench.create(f"building{number}", **step("true"))
    bench.engine.run_once()

    assert bench.settle("first").status == st.COMPLETED
    go.set()
    for number in range(6):
        bench.settle(f"building{number}")


def assert_set(event: threading.Event) -> None:
    assert event.wait(DEADLINE)


def test_steps_are_started_at_the_same_time(bench: Bench) -> None:
    """Starting a process takes longer than a look at one: twenty steps do not stand in line for it."""
    compute = HeldCompute()
    bench.compute, bench.instances = compute, 3
    bench.engine = bench.new_engine()
    bench.create(jobs={f"s{number}": step("true") for number in range(4)})

    bench.until(lambda: compute.under_way == 3)
    for _ in range(20):
        bench.engine.run_once()
    assert compute.most == 3, "a step that is being started holds its instance"

    compute.go.set()
    assert bench.settle().status == st.COMPLETED


def test_a_cancel_during_the_start_ends_the_process(bench: Bench) -> None:
    """It is told as soon as it is there."""
    compute = HeldCompute()
    bench.compute = compute
    bench.engine = bench.new_engine()
    bench.create("j", **step("sleep 60"))
    bench.until(lambda: compute.under_way == 1)

    bench.cancel("j")
    bench.until(lambda: bench.job("j").status == st.CANCEL_REQUESTED)
    compute.go.set()

    job = bench.settle("j")
    assert job.status == st.CANCELED
    assert job.error is not None
    assert "was ended: the job was canceled" in job.error["message"]


def test_a_cancel_before_a_start_that_was_lost_is_a_cancel(bench: Bench) -> None:
    """The server was killed while it started the process, which never came to be: there is nothing to wait for."""
    compute = HeldCompute()
    bench.compute = compute
    bench.engine = bench.new_engine()
    bench.create("j", **step("true"))
    bench.until(lambda: compute.under_way == 1)
    bench.cancel("j")
    bench.until(lambda: bench.job("j").status == st.CANCEL_REQUESTED)

    bench.compute = LocalCompute()
    bench.engine = bench.new_engine()
    bench.engine.recover()

    assert bench.settle("j").status == st.CANCELED
    compute.lost = True
    compute.go.set()  # the killed server's thread, which in truth is no more


def test_a_start_that_was_lost_is_made_again(bench: Bench) -> None:
    """Starting was written down, but no process came to be."""
    bench.create("j", **step("true"))
    bench.until(lambda: bench.job("j").status == st.COMPLETED)
    reopen(bench, "j", st.STARTING)
    with bench.database.transaction() as tx:
        tx.jobs.update("demo", "j", fence=bench.job("j").fence + 1, worker=None)

    bench.lose_engine()

    assert bench.settle("j").status == st.COMPLETED
    assert bench.job("j").fence == 3


def test_a_cancel_just_as_the_process_ended_changes_nothing_of_its_end(bench: Bench) -> None:
    """The process had ended well before it could be told."""
    compute = SlowToTell(grace=1.0)
    bench.compute = compute
    bench.engine = bench.new_engine()
    bench.create("j", **step("true"))
    bench.until(lambda: bench.job("j").status == st.RUNNING)
    bench.until(lambda: bool(list(bench.runner.folders(bench.job("j")).run.glob("attempts/*/result.json"))))

    bench.cancel("j")
    bench.until(lambda: bench.job("j").status == st.CANCEL_REQUESTED)
    compute.tells = True

    assert bench.settle("j").status == st.COMPLETED
    assert bench.statuses("j")[-3:] == [st.CANCEL_REQUESTED, st.FINALIZING, st.COMPLETED]


def test_recovering_twice_runs_nothing_twice(bench: Bench) -> None:
    """As after a short trouble with the disk, in the midst of everything."""
    count = bench.home.path / "count"
    bench.create(
        jobs={name: step(f"echo {name} >> {count}; sleep 0.1") for name in ("a", "b", "c", "d", "e")}
    )
    deadline = time.monotonic() + DEADLINE
    while bench.job("p").status not in st.TERMINAL:
        assert time.monotonic() < deadline
        bench.engine.recover()
        bench.engine.recover()
        for _ in range(5):
            bench.engine.run_once()
            time.sleep(0.005)

    assert bench.job("p").status == st.COMPLETED
    assert sorted(count.read_text().split()) == ["a", "b", "c", "d", "e"]


def test_a_canceled_step_that_waited_ends_its_run(bench: Bench) -> None:
    """Its MLflow run was begun when it was prepared; it must not look alive for ever."""
    bench.environments.has_mlflow, bench.instances = True, 1
    bench.create(jobs={name: step("sleep 60") for name in ("a", "b")})
    bench.until(lambda: sorted(bench.job(f"p_{key}").status for key in "ab") == [st.QUEUED, st.RUNNING])

    bench.cancel()
    bench.settle()

    bench.until(lambda: bench.runs.ended == {"p": "KILLED", "p_a": "KILLED", "p_b": "KILLED"})
    assert not any(bench.runner.folders(bench.job(f"p_{key}")).work.exists() for key in "ab")


def test_a_step_that_cannot_be_started_ends_its_run(bench: Bench) -> None:
    """The cause is the step's error; nothing of its preparation is left."""
    bench.environments.has_mlflow, bench.compute = True, BrokenCompute()
    bench.engine = bench.new_engine()
    bench.create("j", **step("true"))

    job = bench.settle("j")

    assert job.error is not None
    assert "no process can be started" in job.error["message"]
    bench.until(lambda: bench.runs.ended == {"j": "FAILED"})
    bench.until(lambda: not bench.runner.folders(job).work.exists())


def test_a_pipeline_killed_before_its_own_end_is_ended(bench: Bench) -> None:
    """All steps had ended; the server was lost before the pipeline's row, or MLflow, was told."""
    bench.environments.has_mlflow = True
    for name, status in (("running", st.RUNNING), ("finalizing", st.FINALIZING)):
        bench.create(name, jobs={"a": step("true")})
        bench.until(lambda name=name: bench.job(f"{name}_a").mlflow_run is not None)  # type: ignore[misc]
        run = bench.job(name).mlflow_run
        assert run is not None
        bench.settle(name)
        del bench.runs.ended[name]
        reopen(bench, name, status)

    bench.lose_engine()

    for name in ("running", "finalizing"):
        assert bench.settle(name).status == st.COMPLETED
        assert bench.runs.ended[name] == "FINISHED"


def reopen(bench: Bench, name: str, status: str) -> None:
    """Take a row back to a status that it had: what a database shows after the server was killed."""
    import sqlite3

    with sqlite3.connect(bench.home.database) as raw:
        raw.execute(
            "UPDATE penstock_jobs SET status = ?, open = 1, ended_at = NULL, error = NULL WHERE name = ?",
            (status, name),
        )
    raw.close()


def test_mlflow_that_cannot_be_told_is_a_warning(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cancel while MLflow is down ends in Canceled all the same."""
    bench.environments.has_mlflow = True
    bench.create(jobs={"a": step("sleep 60")})
    bench.until(lambda: bench.job("p_a").status == st.RUNNING)

    def down(*_: Any) -> None:
        raise PenstockError("MLflow is down")

    monkeypatch.setattr(bench.runs, "end_run", down)
    bench.cancel()

    assert bench.settle().status == st.CANCELED
    assert "MLflow was not told" in bench.job("p_a").properties["penstock.warning.1"]
