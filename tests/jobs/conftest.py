"""An engine over a real database and real processes; only environments are not built: steps use the tests' Python."""

import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from penstock.compute.interface import Compute
from penstock.compute.local import LocalCompute
from penstock.datastores import addresses
from penstock.datastores.folders import Place
from penstock.datastores.url_map import UrlMap
from penstock.environments.environments import ReadyEnvironment
from penstock.identity.tokens import Tokens
from penstock.jobs import statuses as st
from penstock.jobs.execution import Engine
from penstock.jobs.names import step_names
from penstock.jobs.planning import plan_command, plan_pipeline
from penstock.jobs.plans import PlannedEnvironment
from penstock.jobs.rows import Birth, rows_of
from penstock.jobs.scopes import steps_within
from penstock.jobs.step_runner import StepRunner
from penstock.jobs.workers import Workers
from penstock.resources import documents
from penstock.resources.job import PipelineJob
from penstock.settings import Home
from penstock.store.artifacts.files import FileArtifacts
from penstock.store.checkouts import Checkouts
from penstock.store.database import Database, open_database
from penstock.store.records.job import JobRecord
from penstock.store.reserve import Reserve
from penstock.testing.records import a_workspace

DEADLINE = 30.0


class HereAndNow:
    """The tests' own interpreter as every environment. `before` is called where a build would happen."""

    before: Callable[[str], None] = staticmethod(lambda label: None)
    has_mlflow = False

    def ensure(self, request: Any, say: Callable[[str], None]) -> ReadyEnvironment:
        say("nothing to build")
        self.before(request.label)
        return ReadyEnvironment(
            digest="0" * 64,
            prefix=Path(sys.prefix),
            python=Path(sys.executable),
            lock="",
            python_version="3.11",
            warnings=(),
            has_mlflow=self.has_mlflow,
        )

    def overlay(self, ready: ReadyEnvironment, folder: Path) -> Path:
        return ready.prefix / "bin"


class RunBook:
    """MLflow as far as the engine speaks to it: which runs were begun, and how they ended."""

    def __init__(self) -> None:
        self.begun: dict[str, str] = {}  # run → the job's name
        self.ended: dict[str, str] = {}

    def ensure_workspace(self, workspace: str) -> None:
        pass

    def experiment_id(self, workspace: str, name: str) -> str:
        return "1"

    def find_run(self, workspace: str, experiment: str, tag: str, value: str) -> str | None:
        return next((run for run, job in self.begun.items() if job == value), None)

    def start_run(self, workspace: str, experiment: str, name: str, tags: Any, *more: Any) -> str:
        run = f"run-{len(self.begun)}"
        self.begun[run] = tags["penstock.job"]
        return run

    def end_run(self, workspace: str, run: str, status: str, at: float) -> None:
        self.ended[self.begun[run]] = status


class AnyEnvironment:
    """A workspace in which every environment exists."""

    def environment(self, reference: Any) -> PlannedEnvironment:
        return PlannedEnvironment(f"environment `{reference.name}`", None, None)

    def build(self, build: Any, label: str, pointer: str) -> PlannedEnvironment:
        return PlannedEnvironment(label, None, None)

    def has_version(self, kind: str, name: str, version: str) -> bool:
        return False

    def max_instances(self, compute: str) -> int | None:
        return None if compute == "local" else 3

    def address(self, url: str, kind: str) -> None:
        addresses.check(url, kind, UrlMap())

    def table(self, path: str) -> None:
        pass

    def place(self, reference: Any) -> Place:
        return Place(Path("/workspace", reference.datastore), reference.path, reference.datastore)


@dataclass
class Bench:
    """A server's engine without the server. `settle` runs it until a job has ended."""

    home: Home
    database: Database
    environments: HereAndNow = field(default_factory=HereAndNow)
    compute: Compute = field(default_factory=lambda: LocalCompute(grace=1.0))
    instances: int = 2
    log_limit: int = 1024 * 1024

    def __post_init__(self) -> None:
        self.preparers, self.finishers = ThreadPoolExecutor(4), ThreadPoolExecutor(4)
        self.runs = RunBook()
        self.artifacts = FileArtifacts(self.home.artifacts)
        self.runner = StepRunner(
            self.database,
            self.home,
            self.environments,  # type: ignore[arg-type]
            Checkouts(self.home.checkouts, self.artifacts),
            None,  # type: ignore[arg-type]  # no step runs in a container here
            self.runs,  # type: ignore[arg-type]
            None,  # type: ignore[arg-type]  # no model is read here
            Tokens(b"x" * 32),
            tracking_uri=lambda workspace: f"http://127.0.0.1:1/mlflow/{workspace}",
            start_tracking=lambda: None,
            clock=time.time,
        )
        self.engine = self.new_engine()

    def new_engine(self) -> Engine:
        """Another engine on the same state: what a restarted server has."""
        return Engine(
            self.database,
            self.runner,
            self.compute,
            Workers(self.preparers, self.finishers),
            instances_of=lambda workspace, name: self.instances,
            clock=time.time,
            log_limit=self.log_limit,
            reserve=Reserve(self.home.reserve),
        )

    def lose_engine(self) -> None:
        """The server is killed, and the next one takes over: what its threads had begun was done just before that."""
        self.end_threads()
        self.preparers, self.finishers = ThreadPoolExecutor(4), ThreadPoolExecutor(4)
        self.engine = self.new_engine()
        self.engine.recover()

    def end_threads(self) -> None:
        self.preparers.shutdown(wait=True)
        self.finishers.shutdown(wait=True)

    def create(self, name: str = "p", **document: Any) -> str:
        """Plan and insert a job; a document with `jobs` is a pipeline."""
        if "jobs" in document:
            document = {"type": "pipeline", **document}
        job = documents.parse("job", document).resource
        if isinstance(job, PipelineJob):
            names = step_names(name, steps_within(job), lambda _: False)
            planned = plan_pipeline(job, names, AnyEnvironment())  # type: ignore[arg-type]
        else:
            planned = plan_command(job, name, AnyEnvironment())  # type: ignore[arg-type]
        with self.database.transaction() as tx:
            for row in rows_of(job, planned, Birth("demo", name, "tests", time.time(), "somebody")):
                tx.jobs.insert(row)
        self.engine.look_at("demo", name)
        return name

    def job(self, name: str) -> JobRecord:
        with self.database.reading() as tx:
            return tx.jobs.get("demo", name)

    def until(self, holds: Callable[[], bool]) -> None:
        """Run the engine until something holds."""
        deadline = time.monotonic() + DEADLINE
        while not holds():
            assert time.monotonic() < deadline, "the engine did not get there in time"
            self.engine.run_once()
            time.sleep(0.005)

    def settle(self, name: str = "p") -> JobRecord:
        self.until(lambda: self.job(name).status in st.TERMINAL)
        return self.job(name)

    def cancel(self, name: str = "p") -> None:
        with self.database.transaction() as tx:
            tx.jobs.update("demo", name, cancel_requested_at=time.time())
        self.engine.look_at("demo", name)

    def statuses(self, name: str) -> list[str]:
        """Every status that a job had, in order."""
        with self.database.reading() as tx:
            events = tx.events.after("demo", 0, 10_000)
        return [event.body["status"] for event in events if event.subject == f"job/{name}"]

    def log(self, name: str) -> str:
        return self.runner.folders(self.job(name)).log.read_text()


@pytest.fixture
def bench(clean_environment: Path) -> Iterator[Bench]:
    """A fresh bench with the workspace `demo`."""
    home = Home(clean_environment)
    home.path.mkdir(parents=True)
    database = open_database(home.database)
    with database.transaction() as tx:
        tx.workspaces.create(a_workspace("demo"))
    bench = Bench(home, database)
    yield bench
    bench.end_threads()
    database.close()


def step(command: str, **more: Any) -> dict[str, Any]:
    """A step's document."""
    return {"command": command, "environment": "azureml:e:1", **more}
