"""The job engine: one loop that brings every open job to its end.

All state is in the database; what the engine holds in memory can be lost at any moment. After a restart it adopts the
processes that still run, takes stock of those that ended meanwhile, and prepares again what was only prepared.

One thread runs `run_once`; slow work happens on a pool of threads that report back through a queue. Nothing else
writes a job's status, except the verbs that create a job and that ask for its end.
"""

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any

from penstock.compute.interface import Compute, Finished, Handle, Launch
from penstock.errors import PenstockError, StorageFull
from penstock.events import JobStatusChanged
from penstock.jobs import statuses as st
from penstock.jobs.finalizing import Outcome
from penstock.jobs.plans import StepPlan
from penstock.jobs.step_runner import Prepared, StepRunner
from penstock.jobs.streaming import WARNING_PROPERTY
from penstock.jobs.transitions import (
    Acknowledge,
    EndRoot,
    MarkRunning,
    Prepare,
    RootView,
    StepView,
    Stop,
    next_actions,
)
from penstock.store.database import Database
from penstock.store.records.job import JobRecord
from penstock.store.reserve import Reserve
from penstock.store.transaction import Transaction

_log = logging.getLogger(__name__)

# Seconds between looks at running processes. A look is one stat; short steps deserve short waits.
POLL_INTERVAL = 0.015
_CALM_INTERVAL = 0.1
_CALM_AFTER = 10.0
_AFTER_TROUBLE = 1.0

Key = tuple[str, str]  # workspace, job name


@dataclass(frozen=True)
class _Report:
    """What a thread of the pool has to say."""

    key: Key
    prepared: Prepared | None = None
    outcome: Outcome | None = None
    error: PenstockError | None = None


@dataclass
class _Running:
    handle: Handle
    instance: Key  # workspace, compute
    since: float


class Engine:
    """Brings open jobs to their end. `created` and `cancel_requested` may be called from any thread."""

    def __init__(
        self,
        database: Database,
        runner: StepRunner,
        compute: Compute,
        pool: Executor,
        *,
        instances_of: Callable[[str, str], int],
        clock: Callable[[], float],
        log_limit: int,
        reserve: Reserve,
    ) -> None:
        self._reserve = reserve
        self._database = database
        self._runner = runner
        self._compute = compute
        self._pool = pool
        self._instances_of = instances_of
        self._clock = clock
        self._log_limit = log_limit
        self._changed: queue.SimpleQueue[Key] = queue.SimpleQueue()  # roots to look at again
        self._reports: queue.SimpleQueue[_Report] = queue.SimpleQueue()
        self._wake = threading.Event()
        self._prepared: dict[Key, Prepared] = {}
        self._waiting: deque[Key] = deque()
        self._running: dict[Key, _Running] = {}
        self._busy: set[Key] = set()  # on the pool right now
        self._reasons: dict[Key, str] = {}

    # What others tell the engine

    def look_at(self, workspace: str, root: str) -> None:
        """A root job was created, or its end was asked for."""
        self._changed.put((workspace, root))
        self._wake.set()

    def recover(self) -> None:
        """Forget what is in memory and take up every open job where the database says that it stands."""
        self._prepared.clear()
        self._waiting.clear()
        self._running.clear()
        with self._database.reading() as tx:
            roots = tx.jobs.open_roots()
            records = [job for root in roots for job in self._members(tx, root)]
        for job in records:
            if job.status in (st.STARTING, st.RUNNING, st.CANCEL_REQUESTED) and "command" in job.spec["plan"]:
                self._adopt(job)
            elif job.status in (st.PREPARING, st.QUEUED) and "command" in job.spec["plan"]:
                self._prepare(job)
            elif job.status == st.FINALIZING and "command" in job.spec["plan"]:
                self._take_stock(job, self._finished_of(job))
        for root in roots:
            if root.status == st.FINALIZING and root.type != "command":
                self._end_again(root, [job for job in records if job.parent == root.name])
            self.look_at(root.workspace, root.name)

    # The loop

    def run_forever(self, stop: threading.Event) -> None:
        """Work until `stop` is set; running processes go on and are adopted by the next server.

        Whatever goes wrong (a full disk, a locked database) may have left memory and database apart. So it is said,
        and after a while everything starts over from the database, as after a restart.
        """
        in_step = False
        while not stop.is_set():
            self._wake.clear()
            try:
                if not in_step:
                    self.recover()
                    self._reserve.take()
                    in_step = True
                self.run_once()
            except PenstockError as error:
                _log.warning("the job engine starts over: %s", error.message)
                in_step = False
                if isinstance(error, StorageFull) and self._reserve.release():
                    continue  # there is room for a status now
                stop.wait(_AFTER_TROUBLE)
                continue
            self._wake.wait(self._interval())

    def stop_waiting(self) -> None:
        """Make `run_forever` look at its stop signal now."""
        self._wake.set()

    def run_once(self) -> None:
        """Everything that can be done now."""
        self._read_reports()
        self._look_at_processes()
        self._start_waiting()
        self._advance_changed()

    def counts(self) -> dict[str, int]:
        """How many processes run and how many steps wait, for `penstock status`."""
        return {"running": len(self._running), "queued": len(self._waiting), "preparing": len(self._busy)}

    def _interval(self) -> float | None:
        if not self._running:
            return None if self._changed.empty() and self._reports.empty() else 0.0
        youngest = max(running.since for running in self._running.values())
        return POLL_INTERVAL if self._clock() - youngest < _CALM_AFTER else _CALM_INTERVAL

    def _advance_changed(self) -> None:
        roots: dict[Key, None] = {}
        while not self._changed.empty():
            roots[self._changed.get()] = None
        for key in roots:
            self._advance(key)

    def _advance(self, key: Key) -> None:
        """Ask the rules until they have nothing more to say about this root."""
        for _ in range(1000):
            with self._database.reading() as tx:
                root = tx.jobs.get(*key)
                members = self._members(tx, root)
            if root.status in st.TERMINAL or root.status == st.FINALIZING:
                return
            actions = next_actions(_view(root, members))
            jobs = {job.name: job for job in [root, *members]}
            changed = [self._carry_out(action, root, jobs) for action in actions]
            if not any(changed):
                return

    def _carry_out(self, action: Any, root: JobRecord, jobs: dict[str, JobRecord]) -> bool:
        """Do it; whether something changed, so that the rules are asked again."""
        match action:
            case Prepare(step):
                self._prepare(self._set(jobs[step], st.PREPARING))
                return False
            case Stop(step, because):
                return self._stop(jobs[step], because)
            case MarkRunning() if root.type != "command":
                self._set(root, st.RUNNING, started_at=self._clock())
                return False
            case Acknowledge() if root.type != "command":
                self._set(root, st.CANCEL_REQUESTED)
                return False
            case EndRoot(status) if root.type != "command":
                self._end_root(root, status, list(jobs.values()))
                return False
            case _:
                return False

    # Steps

    def _prepare(self, job: JobRecord) -> None:
        key = (job.workspace, job.name)
        if key not in self._busy:
            self._busy.add(key)
            self._submit(key, lambda: _Report(key, prepared=self._runner.prepare(job)))

    def _stop(self, job: JobRecord, because: str) -> bool:
        key = (job.workspace, job.name)
        self._reasons[key] = because
        running = self._running.get(key)
        if running is not None:
            self._set(job, st.CANCEL_REQUESTED)
            self._compute.cancel(running.handle)
            return False
        self._prepared.pop(key, None)
        if key in self._waiting:
            self._waiting.remove(key)
        message = f"{_what(job)} did not run: {because}"
        error: dict[str, Any] = {"code": "Canceled", "message": message, "details": [], "hint": None}
        self._set(job, st.CANCELED, error=error, ended_at=self._clock())
        return True

    def _start_waiting(self) -> None:
        """Start, in order, every waiting step whose compute has a free instance."""
        full: set[Key] = set()
        for key in list(self._waiting):
            prepared = self._prepared[key]
            with self._database.reading() as tx:
                job = tx.jobs.get(*key)
            instance = (job.workspace, str(job.compute))
            if instance in full:
                continue
            taken = sum(running.instance == instance for running in self._running.values())
            if taken >= self._instances_of(*instance):
                full.add(instance)
                continue
            self._waiting.remove(key)
            del self._prepared[key]
            self._start(job, prepared, instance)

    def _start(self, job: JobRecord, prepared: Prepared, instance: Key) -> None:
        plan, fence = StepPlan.from_record(job.spec["plan"]), job.fence + 1
        folders, ready = self._runner.folders(job), prepared.ready
        job = self._set(job, st.STARTING, fence=fence)
        launch = Launch(
            id=f"{job.workspace}/{job.name}/{fence}",
            folder=folders.attempt(fence),
            argv=ready.argv,
            env=ready.env,
            cwd=ready.cwd,
            log=ready.log,
            timeout=plan.timeout,
            log_limit=self._log_limit,
            fence=fence,
            python=ready.python,
        )
        try:
            handle = self._compute.start(launch)
        except PenstockError as error:
            self._fail(job, error)
            return
        self._running[(job.workspace, job.name)] = _Running(handle, instance, self._clock())
        self._set(job, st.RUNNING, worker=handle.as_record(), started_at=self._clock())

    def _look_at_processes(self) -> None:
        for key, running in list(self._running.items()):
            finished = self._compute.poll(running.handle)
            if finished is not None:
                del self._running[key]
                with self._database.reading() as tx:
                    job = tx.jobs.get(*key)
                self._take_stock(self._set(job, st.FINALIZING, ended_at=finished.ended_at), finished)

    def _take_stock(self, job: JobRecord, finished: Finished) -> None:
        key = (job.workspace, job.name)
        if key not in self._busy:
            self._busy.add(key)
            because = self._reasons.get(key)
            self._submit(key, lambda: _Report(key, outcome=self._runner.finalize(job, finished, because)))

    # After a restart

    def _adopt(self, job: JobRecord) -> None:
        key = (job.workspace, job.name)
        handle = self._compute.adopt(self._runner.folders(job).attempt(job.fence))
        if handle is None and job.status == st.STARTING:
            self._prepare(self._set(job, st.PREPARING))  # the process was never started
            return
        if handle is None and job.worker is not None:
            handle = Handle.from_record(job.worker)
        if handle is None:
            self._take_stock(self._set(job, st.FINALIZING), self._lost())
            return
        self._running[key] = _Running(handle, (job.workspace, str(job.compute)), self._clock())
        if job.status == st.STARTING:
            self._set(job, st.RUNNING, worker=handle.as_record(), started_at=self._clock())
        elif job.status == st.CANCEL_REQUESTED:
            self._compute.cancel(handle)

    def _finished_of(self, job: JobRecord) -> Finished:
        handle = self._compute.adopt(self._runner.folders(job).attempt(job.fence))
        finished = self._compute.poll(handle) if handle is not None else None
        return finished or self._lost()

    def _lost(self) -> Finished:
        now = self._clock()
        return Finished(exit_code=None, signal=None, reason="lost", started_at=now, ended_at=now, detail=None)

    # Reports of the pool

    def _submit(self, key: Key, work: Callable[[], _Report]) -> None:
        def guarded() -> None:
            try:
                report = work()
            except PenstockError as error:
                report = _Report(key, error=error)
            except Exception as error:  # a defect of ours must end the job, not the engine
                _log.exception("job %s in workspace %s", key[1], key[0])
                internal = PenstockError(
                    f"an internal error ended the job: {type(error).__name__}: {error}",
                    hint="see `penstock server logs`; please report it",
                )
                report = _Report(key, error=internal)
            self._reports.put(report)
            self._wake.set()

        self._pool.submit(guarded)

    def _read_reports(self) -> None:
        while not self._reports.empty():
            report = self._reports.get()
            self._busy.discard(report.key)
            with self._database.reading() as tx:
                job = tx.jobs.get(*report.key)
            if job.status in st.TERMINAL:  # canceled while it was being prepared
                self._forget(job, report)
                continue
            if report.prepared is not None:
                run = report.prepared.mlflow_run
                self._set(job, st.QUEUED, mlflow_run=run)
                self._prepared[report.key] = report.prepared
                self._waiting.append(report.key)
            elif report.outcome is not None:
                self._end(job, report.outcome)
            elif report.error is not None:
                self._fail(job, report.error)

    def _forget(self, job: JobRecord, report: _Report) -> None:
        """A step that was canceled while it was being prepared leaves no run behind that looks alive."""
        if report.prepared is not None and report.prepared.mlflow_run is not None:
            begun = replace(job, mlflow_run=report.prepared.mlflow_run)
            self._pool.submit(self._runner.end_run, begun, job.status, self._clock())

    def _end(self, job: JobRecord, outcome: Outcome) -> None:
        properties = {**job.properties, **_warning_properties(outcome.warnings)}
        ended = job.ended_at or self._clock()
        self._set(job, outcome.status, error=outcome.error, properties=properties, ended_at=ended)
        self._reasons.pop((job.workspace, job.name), None)

    def _fail(self, job: JobRecord, error: PenstockError) -> None:
        record = {**error.as_record(), "message": f"{_what(job)} failed: {error.message}"}
        self._set(job, st.FAILED, error=record, ended_at=self._clock())

    def _end_root(self, root: JobRecord, status: str, jobs: list[JobRecord]) -> None:
        steps = [job for job in jobs if job.name != root.name]
        failed = [job for job in steps if job.status == st.FAILED]
        error = _root_error(failed) if failed else _timeout_among(steps)
        now = self._clock()
        if root.mlflow_run is None:
            self._set(root, status, error=error, ended_at=now)
            return
        key = (root.workspace, root.name)
        root = self._set(root, st.FINALIZING)
        if key not in self._busy:
            self._busy.add(key)

            def tell_mlflow() -> _Report:
                return _Report(key, outcome=Outcome(status, error, self._runner.end_run(root, status, now)))

            self._submit(key, tell_mlflow)

    def _end_again(self, root: JobRecord, members: list[JobRecord]) -> None:
        """The server was killed between a pipeline's last step and the pipeline's end."""
        for action in next_actions(_view(root, members)):
            if isinstance(action, EndRoot):
                self._end_root(root, action.status, members)

    # The one place that writes a status

    def _set(self, job: JobRecord, status: str, **columns: Any) -> JobRecord:
        if not st.may_follow(job.status, status):
            raise AssertionError(f"{job.name}: {status} may not follow {job.status}")
        with self._database.transaction() as tx:
            job = tx.jobs.update(job.workspace, job.name, status=status, **columns)
            event = JobStatusChanged(
                f"job/{job.name}", job.root, job.step, status, job.display_name, columns.get("error")
            )
            tx.events.append(job.workspace, self._clock(), event.type, event.subject, event.body())
        if status in st.TERMINAL:
            self._changed.put((job.workspace, job.root))
        return job

    def _members(self, tx: Transaction, root: JobRecord) -> list[JobRecord]:
        """The root's steps in order; a standalone command job is its own only step."""
        return [root] if root.type == "command" else list(tx.jobs.children(root.workspace, root.name))


def _view(root: JobRecord, members: list[JobRecord]) -> RootView:
    return RootView(
        name=root.name,
        status=root.status,
        cancel_requested=root.cancel_requested_at is not None,
        continue_on_step_failure=bool(root.spec["plan"].get("continue_on_step_failure", True)),
        steps=tuple(
            StepView(job.name, job.step or job.name, job.status, frozenset(job.spec["plan"]["needs"]))
            for job in members
        ),
    )


def _what(job: JobRecord) -> str:
    return f"step `{job.step}`" if job.step is not None else f"job `{job.name}`"


def _root_error(failed: list[JobRecord]) -> dict[str, Any]:
    """A pipeline's error is its first failed step's, with the names of the others."""
    first = failed[0].error or {
        "code": "UserError",
        "message": f"step `{failed[0].step}` failed",
        "details": [],
    }
    names = ", ".join(f"`{job.step}`" for job in failed[1:])
    message = f"{first['message']}; also failed: {names}" if names else first["message"]
    return {**first, "message": message}


def _timeout_among(steps: list[JobRecord]) -> dict[str, Any] | None:
    """Why a pipeline was canceled that nobody canceled: a step took longer than it may."""
    errors = (step.error for step in steps if step.status == st.CANCELED)
    return next((error for error in errors if error and error.get("code") == "Timeout"), None)


def _warning_properties(warnings: tuple[str, ...]) -> dict[str, str]:
    return {f"{WARNING_PROPERTY}{number}": text for number, text in enumerate(warnings, start=1)}
