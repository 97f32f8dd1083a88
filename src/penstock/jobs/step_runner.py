"""The slow halves of a step, run on threads: getting ready before the process, taking stock after it.

Both can be repeated: a server that was killed half-way does the same work again after its restart.
"""

import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from penstock.compute.interface import Finished
from penstock.datastores.downloads import Downloads
from penstock.datastores.folders import Folders
from penstock.datastores.url_map import UrlMap, read_url_map
from penstock.environments.environments import Environments
from penstock.errors import NotFound, PenstockError
from penstock.identity.tokens import Caller, Tokens
from penstock.jobs import finalizing, preparing, tables
from penstock.jobs import statuses as st
from penstock.jobs.containers import Containers, Told
from penstock.jobs.description import group_of
from penstock.jobs.finalizing import Outcome
from penstock.jobs.named_outputs import NamedOutputs
from penstock.jobs.places import JobFolders, Locator
from penstock.jobs.plans import StepPlan
from penstock.jobs.preparing import Built, Ready
from penstock.jobs.recording import what
from penstock.jobs.rows import pointer_of_step
from penstock.jobs.software import request_for
from penstock.jobs.step_variables import StepIdentity, Tracking
from penstock.resources import relaxed as relaxed_words
from penstock.resources.relaxed import Row, as_rows
from penstock.resources.snapshots import SnapshotUri
from penstock.settings import Home, number_setting
from penstock.store.beneath import remove_tree
from penstock.store.checkouts import Checkouts
from penstock.store.database import Database
from penstock.store.records.datastore import DatastoreRecord
from penstock.store.records.job import JobRecord
from penstock.store.transaction import Transaction
from penstock.subscription import subscription_of
from penstock.tracking.models import Models
from penstock.tracking.runs import Runs, RunStatus

# A job without a limit may run as long as the product lets one run.
_LONGEST_RUN = 21 * 24 * 3600.0
_MARGIN = 3600.0
# Enough for all pipelines that run at a time; one that is forgotten is only warned twice.
_WARNINGS_REMEMBERED = 1000

_RUN_STATUS: Mapping[str, RunStatus] = {st.COMPLETED: "FINISHED", st.FAILED: "FAILED", st.CANCELED: "KILLED"}


@dataclass(frozen=True)
class Prepared:
    """A step that waits for an instance of its compute. `relaxed` is what its environment has otherwise than it says."""

    ready: Ready
    mlflow_run: str | None
    relaxed: tuple[Mapping[str, Any], ...] = ()


def run_named(tx: Transaction, workspace: str, name: str) -> str:
    """The MLflow run that a name stands for: a job's name is its run's id in Azure ML, and stands for its run here."""
    job = tx.jobs.find(workspace, name)
    return name if job is None or job.mlflow_run is None else job.mlflow_run


class StepRunner:
    """Prepares and finalizes steps. Every method may be called from any thread."""

    def __init__(
        self,
        database: Database,
        home: Home,
        environments: Environments,
        checkouts: Checkouts,
        containers: Containers,
        runs: Runs,
        models: Models,
        tokens: Tokens,
        tracking_uri: Callable[[str], str],
        start_tracking: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self._database = database
        self._home = home
        self.downloads = Downloads(
            home.downloads, limit=int(number_setting("PENSTOCK_DOWNLOAD_LIMIT_MB") * 1024 * 1024), clock=clock
        )
        self._folders = Folders(home, self._find_datastore)
        self._environments = environments
        self._checkouts = checkouts
        self._containers = containers
        self._runs = runs
        self._models = models
        self._tokens = tokens
        self._tracking_uri = tracking_uri
        self._start_tracking = start_tracking
        self._clock = clock
        self._named_outputs = NamedOutputs(database, models, clock)
        self._pipeline_runs = threading.Lock()
        self._warned: dict[tuple[str, str, str], None] = {}  # the latest, oldest first
        self._warning = threading.Lock()

    def _find_datastore(self, workspace: str, name: str) -> DatastoreRecord | None:
        with self._database.reading() as tx:
            record: DatastoreRecord | None = tx.datastores.find(workspace, name)
        return record

    def _settings_of(self, workspace: str) -> Mapping[str, Any]:
        with self._database.reading() as tx:
            settings: Mapping[str, Any] = tx.workspaces.get(workspace).settings
        return settings

    def folders(self, job: JobRecord) -> JobFolders:
        return JobFolders(self._home, job.workspace, job.name)

    def prepare(self, job: JobRecord) -> Prepared:
        """Everything that the step's process needs. Raises PenstockError with what a user can mend."""
        plan, folders = StepPlan.from_record(job.spec["plan"]), self.folders(job)
        if "mlflow" in str(plan.environment.conda):
            self._start_tracking()  # its server takes seconds to start; the environment takes as long to be built
        preparing.fresh_folders(folders)
        say = preparing.writer_to(folders.environment_log)
        request = request_for(plan.environment, f"{pointer_of_step(job)}/environment")
        relaxed: list[dict[str, Any]] = []
        if plan.environment.in_container:
            self._warn_once(job, plan.environment.notes, say)
            image = self._containers.image_of(plan.environment, say)
            # The variables that name these folders do not reach the container.
            built, has_mlflow = Built(Path(sys.executable), (folders.overlay,), image), True
        else:
            image = ""
            environment = self._environments.ensure(request, say)
            self._warn_once(job, environment.warnings, say)
            relaxed = as_rows(environment.relaxations)
            self._tell_relaxed(job, plan.environment.label, relaxed, say)
            overlay = self._environments.overlay(environment, folders.overlay)
            bin_folders = (overlay, environment.prefix / "bin")
            built = Built(environment.python, bin_folders, environment.digest, environment.variables)
            has_mlflow = environment.has_mlflow
        locator = self.locator(job.workspace, plan.settings, say, is_wanted=partial(self._is_open, job))
        preparing.lay_out_code(plan.code, folders.work, self._lay_out_fresh)
        inputs = preparing.input_texts(plan, folders, locator)
        outputs = preparing.output_texts(plan, folders, locator)
        told = tables.tell_step(plan, folders, locator, inputs)
        with self._database.reading() as tx:
            group = group_of(tx, job.workspace)
        subscription = subscription_of(self._home)
        identity = StepIdentity(subscription, job.workspace, group, job.name, job.root, plan.compute)
        tracking = self._tracking(job, plan, relaxed, wanted=has_mlflow)
        try:
            ready = preparing.ready_step(plan, identity, tracking, folders, built, inputs, outputs)
            if image:
                ready = self._containers.in_container(
                    ready, plan, folders, Told(inputs, outputs, told), image
                )
        except Exception:
            self.end_run(replace(job, mlflow_run=tracking.run_id), st.FAILED, self._clock())
            raise
        env = ready.env if image else {**ready.env, **told}
        return Prepared(ready=replace(ready, env=env), mlflow_run=tracking.run_id, relaxed=tuple(relaxed))

    def _is_open(self, job: JobRecord) -> bool:
        """Whether the job has neither ended nor been asked to: a long download is not for one that has."""
        with self._database.reading() as tx:
            now = tx.jobs.find(job.workspace, job.name)
        return now is not None and now.status not in (*st.TERMINAL, st.CANCEL_REQUESTED)

    def finalize(self, job: JobRecord, finished: Finished, stopped_because: str | None) -> Outcome:
        """What the process left behind becomes the job's artifacts, and its end becomes the job's status."""
        folders = self.folders(job)
        if job.spec["plan"]["environment"].get("in_container"):
            self._containers.clear(folders)
        try:
            outcome = self._taken_stock(job, finished, stopped_because)
        except (PenstockError, OSError) as error:  # what the script left cannot be kept as it is
            outcome = finalizing.unkept(what(job), error)
        warnings = (*outcome.warnings, *self.end_run(job, outcome.status, finished.ended_at))
        finalizing.clear_run(folders)
        return replace(outcome, warnings=warnings)

    def _taken_stock(self, job: JobRecord, finished: Finished, stopped_because: str | None) -> Outcome:
        plan, folders = StepPlan.from_record(job.spec["plan"]), self.folders(job)
        locator = self.locator(job.workspace, plan.settings)
        warnings = finalizing.keep_artifacts(folders)
        if finished.exit_code == 0:
            finalizing.deliver(plan, folders, locator)
        outcome = finalizing.outcome_of(
            finished, plan, folders, locator, what=what(job), stopped_because=stopped_because
        )
        if outcome.status == st.COMPLETED:
            finalizing.write_protect(job.name, plan, locator)
            outcome = replace(outcome, properties=self._named_outputs.register(job, plan, locator))
        return replace(outcome, warnings=(*outcome.warnings, *warnings))

    def abandon(self, job: JobRecord) -> None:
        """A step that was prepared and has ended without a process: its run ends, its folders go."""
        self.end_run(job, job.status, job.ended_at or self._clock())
        finalizing.clear_run(self.folders(job))

    def remove(self, workspace: str, job: str) -> None:
        """What was prepared for a job that is no more, with the folders that are empty then."""
        folders = JobFolders(self._home, workspace, job)
        for folder in (folders.run, folders.artifacts):
            remove_tree(folder)
            for outer in folder.parents:
                if outer == self._home.path or any(outer.glob("*")):
                    break
                outer.rmdir()

    def end_run(self, job: JobRecord, status: str, at: float) -> tuple[str, ...]:
        """Tell MLflow how the run ended. A tracking server that cannot be told is a warning, never a failed job."""
        if job.mlflow_run is None:
            return ()
        try:
            self._runs.end_run(job.workspace, job.mlflow_run, _RUN_STATUS[status], at)
        except PenstockError as error:
            return (f"MLflow was not told that the job ended: {error.message}",)
        return ()

    def logged_by(self, job: JobRecord) -> Mapping[str, Path]:
        """Where the job's script logged files through MLflow: its run's artifacts under ``, its logged models by name."""
        if job.mlflow_run is None:
            return {}
        try:
            return self._models.logged_by(job.workspace, job.mlflow_run)
        except NotFound:
            return {}  # somebody deleted the run: what the job itself kept is still here

    def locator(
        self,
        workspace: str,
        settings: Mapping[str, Any] | None = None,
        say: Callable[[str], None] = lambda text: None,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> Locator:
        """Turns a workspace's sources into paths. `settings` are those of the job, else the workspace's own.

        `say` is told what is downloaded, while `is_wanted` says yes.
        """

        def plan_of(job: str) -> StepPlan:
            with self._database.reading() as tx:
                record = tx.jobs.get(workspace, job)
            if "command" not in record.spec["plan"]:
                raise NotFound(f"job `{job}` is a pipeline; its outputs are its steps' outputs")
            return StepPlan.from_record(record.spec["plan"])

        def model_folder(scope: str, name: str, version: str) -> Path:
            return self._models.local_folder(scope, name, version)

        def urls() -> UrlMap:  # read when an address is met: a map with a mistake disturbs nothing else
            counted = self._settings_of(workspace) if settings is None else settings
            return read_url_map(counted.get("url_map"))

        def run_artifact(run: str, path: str) -> Path:
            with self._database.reading() as tx:
                identifier = run_named(tx, workspace, run)
            return self._models.run_artifact(workspace, identifier, path)

        return Locator(
            self._home,
            workspace,
            plan_of=plan_of,
            model_folder=model_folder,
            run_artifact=run_artifact,
            lay_out=self._lay_out_shared,
            folders=self._folders,
            urls=urls,
            downloads=self.downloads,
            say=say,
            is_wanted=is_wanted,
        )

    def _warn_once(self, job: JobRecord, warnings: Iterable[str], say: Callable[[str], None]) -> None:
        """A pipeline whose steps share an environment is warned about it once, not once a step."""
        for warning in warnings:
            if self._is_news(job, warning):
                say(f"warning: {warning}")

    def _tell_relaxed(
        self, job: JobRecord, label: str, rows: Sequence[Row], say: Callable[[str], None]
    ) -> None:
        """Every step says that its environment is relaxed; the reasons are told to a pipeline once."""
        if not rows:
            return
        notice = relaxed_words.notice(label, rows)
        say(notice)
        if self._is_news(job, notice):
            for row in rows:
                say(f"  {relaxed_words.line_of(row)}: {row['why']}")

    def _is_news(self, job: JobRecord, text: str) -> bool:
        """Whether the job's pipeline has not been told it yet."""
        told = (job.workspace, job.root, text)
        with self._warning:
            is_new = told not in self._warned
            self._warned[told] = None
            if len(self._warned) > _WARNINGS_REMEMBERED:
                del self._warned[next(iter(self._warned))]
        return is_new

    def _lay_out_shared(self, snapshot: SnapshotUri, path: Path) -> None:
        self._checkouts.checkout(snapshot.digest, path, writable=False)

    def _lay_out_fresh(self, snapshot: SnapshotUri, path: Path) -> None:
        self._checkouts.checkout(snapshot.digest, path, writable=True)

    def _tracking(self, job: JobRecord, plan: StepPlan, relaxed: Sequence[Row], *, wanted: bool) -> Tracking:
        expires = self._clock() + (plan.timeout or _LONGEST_RUN) + _MARGIN
        token = self._tokens.issue(Caller("job", job.workspace, job.name), expires)
        uri, experiment = self._tracking_uri(job.workspace), job.experiment_name
        if not wanted:  # an environment without MLflow never waits for its server
            return Tracking(uri, token, expires, experiment)
        self._runs.ensure_workspace(job.workspace)
        experiment_id = self._runs.experiment_id(job.workspace, experiment)
        with self._pipeline_runs:
            parent = self._run_of_pipeline(job.workspace, job.parent, experiment_id)
        run = job.mlflow_run or self._new_run(job, experiment_id, parent, relaxed)
        return Tracking(uri, token, expires, experiment, experiment_id, run)

    def _run_of_pipeline(self, workspace: str, name: str | None, experiment_id: str) -> str | None:
        """A pipeline's own run, under which its steps' runs are nested; made by the first step that needs it."""
        if name is None:
            return None
        with self._database.reading() as tx:
            pipeline = tx.jobs.get(workspace, name)
        if pipeline.mlflow_run is not None:
            return pipeline.mlflow_run
        above = self._run_of_pipeline(workspace, pipeline.parent, experiment_id)
        run = self._new_run(pipeline, experiment_id, above)
        with self._database.transaction() as tx:
            tx.jobs.update(workspace, name, mlflow_run=run)
        return run

    def _new_run(
        self, job: JobRecord, experiment_id: str, parent: str | None, relaxed: Sequence[Row] = ()
    ) -> str:
        earlier = self._runs.find_run(job.workspace, experiment_id, "penstock.job", job.name)
        if earlier is not None:  # begun by a server that was killed before it could write it down
            return earlier
        tags = {
            "penstock.job": job.name,
            "azureml.runId": job.name,
            "mlflow.user": job.created_by,
            "mlflow.source.name": job.step or job.name,
            **{name: str(value) for name, value in job.tags.items()},
            **({relaxed_words.TAG: relaxed_words.short_of(relaxed)} if relaxed else {}),
        }
        name = job.display_name or job.step or job.name
        return self._runs.start_run(job.workspace, experiment_id, name, tags, parent, self._clock())


def default_threads() -> int:
    """How many steps are prepared, and how many are started or finalized, at once: they mostly wait for others."""
    return max(8, 4 * (os.cpu_count() or 2))
