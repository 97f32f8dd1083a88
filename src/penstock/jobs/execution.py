"""The job engine: one loop that brings every open job to its end.

All state is in the database; what the engine holds in memory can be lost at any moment. After a restart it adopts the
processes that still run, takes stock of those that ended meanwhile, and prepares again what was only prepared.

One thread runs `run_once`; slow work happens on threads that report back. Nothing else writes a job's status, except
the verb that creates a job. What goes wrong with one job ends that job and no other; only a disk or a database that
cannot be used concerns them all.
"""

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from penstock.compute.interface import Compute, Finished, Handle, Launch
from penstock.errors import PenstockError, ServerUnavailable, StorageFull
from penstock.jobs import statuses as st
from penstock.jobs.finalizing import Outcome
from penstock.jobs.instances import Instances, Priority
from penstock.jobs.plans import StepPlan
from penstock.jobs.recording import (
    ENVIRONMENT_PROPERTY,
    Recorder,
    error_of_pipeline,
    failed_with,
    never_ran,
    warning_properties,
)
from penstock.jobs.rows import RELAXED
from penstock.jobs.step_runner import Prepared, StepRunner
from penstock.jobs.transitions import (
    Acknowledge,
    Action,
    EndPipeline,
    MarkRunning,
    Prepare,
    Stop,
    end_of,
    next_actions,
)
from penstock.jobs.views import members_of, view_of
from penstock.jobs.workers import Key, Report, Workers, internal_error
from penstock.store.database import Database
from penstock.store.records.job import JobRecord
from penstock.store.reserve import Reserve

_log = logging.getLogger(__name__)

# Seconds between looks at running processes. A look is one stat; short steps deserve short waits.
POLL_INTERVAL = 0.015
_CALM_INTERVAL = 0.1
_CALM_AFTER = 10.0
_AFTER_TROUBLE = 1.0

# What the slow work for a step ends in: ready to start, started, ended.
Progress = Prepared | Handle | Outcome


@dataclass(frozen=True)
class _Running:
    handle: Handle
    since: float


class Engine:
    """Brings open jobs to their end. `look_at`, `computes_changed`, `counts` may be called from any thread."""

    def __init__(
        self,
        database: Database,
        runner: StepRunner,
        compute: Compute,
        workers: Workers[Progress],
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
        self._workers = workers
        self._clock = clock
        self._log_limit = log_limit
        self._record = Recorder(database, clock)
        self._wake = workers.news
        self._changed: queue.SimpleQueue[Key] = queue.SimpleQueue()  # roots to look at again
        self._instances = Instances(instances_of)
        self._prepared: dict[Key, Prepared] = {}  # those that wait for an instance
        self._running: dict[Key, _Running] = {}
        self._reasons: dict[Key, str] = {}  # why a process is being ended

    # What others tell the engine

    def look_at(self, workspace: str, root: str) -> None:
        """A root job was created, or its end was asked for."""
        self._changed.put((workspace, root))
        self._wake.set()

    def computes_changed(self) -> None:
        """A compute may have room for more, or for fewer."""
        self._instances.resized()
        self._wake.set()

    def counts(self) -> dict[str, int]:
        """How many processes run, how many steps wait, how many are worked on, for `penstock status`."""
        return {
            "running": len(self._running),
            "queued": self._instances.waiting,
            "preparing": self._workers.busy,
        }

    # The loop

    def run_forever(self, stop: threading.Event) -> None:
        """Work until `stop` is set; running processes go on and are adopted by the next server.

        A full disk or a locked database may have left memory and database apart. So it is said, and after a while
        everything starts over from the database, as after a restart.
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
        """Make `run_forever` look at its stop signal now, and begin nothing more on other threads."""
        self._workers.close()
        self._wake.set()

    def run_once(self) -> None:
        """Everything that can be done now."""
        for key, running in list(self._running.items()):
            self._guarded(key, partial(self._look_at_process, key, running))
        for report in self._workers.reports():
            self._guarded(report.key, partial(self._hear, report))
        for key in self._instances.granted():
            self._guarded(key, partial(self._start, key, self._prepared.pop(key)))
        for key in self._taken_from_changed():
            self._guarded(key, partial(self._advance, key))

    def _interval(self) -> float | None:
        if not self._running:
            return None if self._changed.empty() and not self._workers.has_reports() else 0.0
        youngest = max(running.since for running in self._running.values())
        return POLL_INTERVAL if self._clock() - youngest < _CALM_AFTER else _CALM_INTERVAL

    def _taken_from_changed(self) -> dict[Key, None]:
        keys: dict[Key, None] = {}
        while not self._changed.empty():
            keys[self._changed.get()] = None
        return keys

    def _guarded(self, key: Key, work: Callable[[], None]) -> None:
        """Do something for one job; where that fails, the job ends, and the others go on."""
        try:
            work()
        except (StorageFull, ServerUnavailable):
            raise  # concerns every job: the loop starts over
        except Exception as error:
            _log.exception("job %s in workspace %s", key[1], key[0])
            self._give_up(key, error if isinstance(error, PenstockError) else internal_error(error))

    def _give_up(self, key: Key, error: PenstockError) -> None:
        self._prepared.pop(key, None)
        self._instances.release(key)
        running = self._running.pop(key, None)
        if running is not None:
            self._compute.cancel(running.handle)
        job = self._find(key)
        if job is None or job.status in st.TERMINAL:
            return
        because = "its pipeline cannot go on"
        with self._database.reading() as tx:
            inside = [each for each in tx.jobs.below(*key) if each.status not in st.TERMINAL]
        for each in inside:
            if each.type == "pipeline":
                self._end(each, st.CANCELED, error=never_ran(each, because))
            elif each.status not in (st.CANCEL_REQUESTED, st.FINALIZING):
                self._stop(each, because)
        self._end(job, st.FAILED, error=failed_with(job, error))

    # What the rules say

    def _advance(self, key: Key) -> None:
        """Ask the rules until they have nothing more to say about this root."""
        for _ in range(1000):
            with self._database.reading() as tx:
                root = tx.jobs.find(*key)
                if root is None:  # deleted with its workspace
                    return
                members = members_of(tx, root)
            if root.status in st.TERMINAL or root.status == st.FINALIZING:
                return
            jobs = {job.name: job for job in [root, *members]}
            changed = [self._carry_out(action, jobs) for action in next_actions(view_of(root, members))]
            if not any(changed):
                return

    def _carry_out(self, action: Action, jobs: dict[str, JobRecord]) -> bool:
        """Do it; whether something changed, so that the rules are asked again."""
        match action:
            case Prepare(step):
                self._prepare(self._record.set(jobs[step], st.PREPARING))
                return jobs[step].parent != jobs[step].root  # then the pipelines around it run
            case Stop(step, because):
                return self._stop(jobs[step], because)
            case MarkRunning(pipeline):
                self._record.set(jobs[pipeline], st.RUNNING, started_at=self._clock())
            case Acknowledge(pipeline):
                self._record.set(jobs[pipeline], st.CANCEL_REQUESTED)
                return False
            case EndPipeline(pipeline, status):
                self._end_pipeline(jobs[pipeline], status, list(jobs.values()))
        return True

    def _end_pipeline(self, pipeline: JobRecord, status: str, jobs: list[JobRecord]) -> None:
        error = error_of_pipeline([job for job in jobs if job.parent == pipeline.name])
        if pipeline.mlflow_run is None:
            self._end(pipeline, status, error=error)
            return
        now = self._clock()
        pipeline = self._record.set(pipeline, st.FINALIZING)
        self._workers.finish(
            _key(pipeline), lambda: Outcome(status, error, self._runner.end_run(pipeline, status, now))
        )

    # The way of a step

    def _prepare(self, job: JobRecord) -> None:
        self._workers.prepare(_key(job), lambda: self._runner.prepare(job))

    def _start(self, key: Key, prepared: Prepared) -> None:
        job = self._get(key)
        plan, fence, ready = StepPlan.from_record(job.spec["plan"]), job.fence + 1, prepared.ready
        job = self._record.set(job, st.STARTING, fence=fence)
        launch = Launch(
            id=f"{job.workspace}/{job.name}/{fence}",
            folder=self._runner.folders(job).attempt(fence),
            argv=ready.argv,
            env=ready.env,
            cwd=ready.cwd,
            log=ready.log,
            timeout=plan.timeout,
            log_limit=self._log_limit,
            fence=fence,
            python=ready.python,
            processes=ready.processes,
            ports=ready.ports,
        )
        self._workers.finish(key, lambda: self._compute.start(launch))

    def _look_at_process(self, key: Key, running: _Running) -> None:
        finished = self._compute.poll(running.handle)
        if finished is not None:
            del self._running[key]
            self._instances.release(key)
            job = self._get(key)
            started = min(finished.started_at, job.started_at or finished.started_at)
            ended = max(finished.ended_at, started)
            job = self._record.set(job, st.FINALIZING, started_at=started, ended_at=ended)
            self._take_stock(job, finished)

    def _take_stock(self, job: JobRecord, finished: Finished) -> None:
        because = self._reasons.get(_key(job))
        self._workers.finish(_key(job), lambda: self._runner.finalize(job, finished, because))

    def _stop(self, job: JobRecord, because: str) -> bool:
        """End the step's process, or see to it that it never gets one; whether the step has ended with that."""
        key = _key(job)
        running = self._running.get(key)
        if running is None and job.status != st.STARTING:
            self._end(job, st.CANCELED, error=never_ran(job, because))
            return True
        self._reasons[key] = because
        self._record.set(job, st.CANCEL_REQUESTED)
        if running is not None:  # one that is being started is told as soon as it is there
            self._compute.cancel(running.handle)
        return False

    def _end(self, job: JobRecord, status: str, **columns: object) -> None:
        """The job's last status; nothing of it stays in memory, and its root is looked at."""
        key, was = _key(job), job.status
        self._instances.release(key)
        self._prepared.pop(key, None)
        self._reasons.pop(key, None)
        job = self._record.set(job, status, **columns)
        self._changed.put((job.workspace, job.root))
        if was in (st.QUEUED, st.STARTING, st.CANCEL_REQUESTED) and job.type == "command":
            self._workers.tidy(lambda: self._runner.abandon(job))

    # What the threads report

    def _hear(self, report: Report[Progress]) -> None:
        job = self._find(report.key)
        if job is None or job.status in st.TERMINAL:
            self._too_late(report, job)
            return
        match report.came_of_it:
            case Prepared() as prepared:
                built = {**job.properties, ENVIRONMENT_PROPERTY: prepared.ready.environment_digest}
                spec = {**job.spec, RELAXED: list(prepared.relaxed)} if prepared.relaxed else job.spec
                if prepared.relaxed and job.step is not None:
                    self._record.relaxed(job, prepared.relaxed)
                job = self._record.set(
                    job, st.QUEUED, mlflow_run=prepared.mlflow_run, properties=built, spec=spec
                )
                self._prepared[report.key] = prepared
                self._instances.ask(report.key, _compute_of(job), *_wish_of(job))
            case Handle() as handle:
                self._started(job, handle)
            case Outcome(status, error, warnings, more):
                properties = {**job.properties, **warning_properties(warnings), **more}
                ended = job.ended_at or self._clock()
                self._end(job, status, error=error, properties=properties, ended_at=ended)
            case error if job.status == st.CANCEL_REQUESTED:  # it has no process, and shall have none
                because = self._reasons.get(report.key, "the job was canceled")
                self._end(job, st.CANCELED, error=never_ran(job, because))
            case error:
                self._end(job, st.FAILED, error=failed_with(job, error))

    def _started(self, job: JobRecord, handle: Handle) -> None:
        status = job.status if job.status == st.CANCEL_REQUESTED else st.RUNNING
        self._running[_key(job)] = _Running(handle, self._clock())
        job = self._record.set(job, status, worker=handle.as_record(), started_at=self._clock())
        if status == st.CANCEL_REQUESTED:
            self._compute.cancel(handle)

    def _too_late(self, report: Report[Progress], job: JobRecord | None) -> None:
        """The step was canceled, or deleted with its workspace, while it was being prepared: nothing of it stays."""
        if isinstance(report.came_of_it, Handle):
            self._compute.cancel(report.came_of_it)
        elif job is None:
            self._workers.tidy(lambda: self._runner.remove(*report.key))
        else:
            run = report.came_of_it.mlflow_run if isinstance(report.came_of_it, Prepared) else None
            begun = replace(job, mlflow_run=run or job.mlflow_run)
            self._workers.tidy(lambda: self._runner.abandon(begun))

    # After a restart

    def recover(self) -> None:
        """Forget what is in memory and take up every open job where the database says that it stands."""
        self._prepared.clear()
        self._instances.clear()
        self._running.clear()
        with self._database.reading() as tx:
            roots = [(root, members_of(tx, root)) for root in tx.jobs.open_roots()]
        for root, members in roots:
            for job in (root, *members) if root.type == "pipeline" else members:
                if job.type == "pipeline":
                    self._guarded(_key(job), partial(self._end_again, job, root, members))
                else:
                    self._guarded(_key(job), partial(self._take_up, job))
            self.look_at(root.workspace, root.name)

    def _take_up(self, job: JobRecord) -> None:
        if self._workers.is_busy(_key(job)):  # its report is still to come
            if job.status in st.HOLDS_AN_INSTANCE:
                self._instances.hold(_key(job), _compute_of(job), _wish_of(job)[0])
        elif job.status in st.HOLDS_AN_INSTANCE:
            self._adopt(job)
        elif job.status in (st.PREPARING, st.QUEUED):
            self._prepare(job)
        elif job.status == st.FINALIZING:
            self._take_stock(job, self._finished_of(job))

    def _adopt(self, job: JobRecord) -> None:
        handle = self._compute.adopt(self._runner.folders(job).attempt(job.fence))
        if handle is None and job.worker is not None:
            handle = Handle.from_record(job.worker)
        if handle is not None:
            self._instances.hold(_key(job), _compute_of(job), _wish_of(job)[0])
            self._running[_key(job)] = _Running(handle, self._clock())
            if job.status == st.STARTING:
                self._record.set(job, st.RUNNING, worker=handle.as_record(), started_at=self._clock())
            elif job.status == st.CANCEL_REQUESTED:
                self._compute.cancel(handle)
        elif job.status == st.STARTING:
            self._prepare(self._record.set(job, st.PREPARING))  # the process was never started
        elif job.status == st.CANCEL_REQUESTED:
            self._end(job, st.CANCELED, error=never_ran(job, "the job was canceled"))
        else:
            self._take_stock(self._record.set(job, st.FINALIZING), self._lost())

    def _end_again(self, pipeline: JobRecord, root: JobRecord, members: list[JobRecord]) -> None:
        """The server was killed between a pipeline's last step and the pipeline's end."""
        if pipeline.status == st.FINALIZING and not self._workers.is_busy(_key(pipeline)):
            ends = [step.status for step in members if step.parent == pipeline.name]
            canceled = root.cancel_requested_at is not None
            self._end_pipeline(pipeline, end_of(ends, cancel_requested=canceled), members)

    def _finished_of(self, job: JobRecord) -> Finished:
        handle = self._compute.adopt(self._runner.folders(job).attempt(job.fence))
        finished = self._compute.poll(handle) if handle is not None else None
        return finished or self._lost()

    def _lost(self) -> Finished:
        now = self._clock()
        return Finished(exit_code=None, signal=None, reason="lost", started_at=now, ended_at=now, detail=None)

    def _find(self, key: Key) -> JobRecord | None:
        with self._database.reading() as tx:
            return tx.jobs.find(*key)

    def _get(self, key: Key) -> JobRecord:
        with self._database.reading() as tx:
            return tx.jobs.get(*key)


def _key(job: JobRecord) -> Key:
    return job.workspace, job.name


def _compute_of(job: JobRecord) -> tuple[str, str]:
    return job.workspace, str(job.compute)


def _wish_of(job: JobRecord) -> tuple[int, Priority]:
    """How many instances of its compute a step takes, and how urgent it is."""
    plan = job.spec["plan"]
    return int(plan.get("instance_count", 1)), plan.get("priority", "medium")
