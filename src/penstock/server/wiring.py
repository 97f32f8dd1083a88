"""The one place that chooses back-ends and puts the rooms together."""

import getpass
import os
import time
from concurrent.futures import ThreadPoolExecutor

from penstock.compute.local import LocalCompute
from penstock.environments.environments import Environments
from penstock.identity.links import Links
from penstock.identity.tokens import Tokens, secret_at
from penstock.jobs.containers import Containers
from penstock.jobs.execution import Engine
from penstock.jobs.step_runner import StepRunner, default_threads
from penstock.jobs.workers import Workers
from penstock.server.background import Background
from penstock.server.platform import Platform
from penstock.server.verbs.compute import instances_of
from penstock.server.verbs.registry import ensure_built_in
from penstock.server.verbs.workspace import ensure_default
from penstock.settings import Home, number_setting
from penstock.store.artifacts.files import FileArtifacts
from penstock.store.checkouts import Checkouts
from penstock.store.database import open_database
from penstock.store.reserve import Reserve
from penstock.tracking.half_made import HalfMadeModels
from penstock.tracking.models import Models
from penstock.tracking.rest import MlflowRest
from penstock.tracking.runs import Runs
from penstock.tracking.server import MlflowServer


def build_platform(home: Home, loopback_url: str) -> tuple[Platform, MlflowRest]:
    """All rooms of a server on one machine. Opens the database, and migrates it where it is older than this version."""
    database = open_database(home.database)
    artifacts = FileArtifacts(home.artifacts)
    checkouts = Checkouts(home.checkouts, artifacts)
    environments = Environments(home.environments)
    containers = Containers(home, checkouts)
    compute = LocalCompute()
    mlflow = MlflowServer(home.mlflow, home.mlflow / "server.log")
    rest = MlflowRest(mlflow)
    runs, models = Runs(rest), Models(rest)
    tokens = Tokens(secret_at(home.secret))
    runner = StepRunner(
        database,
        home,
        environments,
        checkouts,
        containers,
        runs,
        models,
        tokens,
        tracking_uri=lambda workspace: f"{loopback_url}/mlflow/{workspace}",
        start_tracking=mlflow.start,
        clock=time.time,
    )
    engine = Engine(
        database,
        runner,
        compute,
        Workers(
            ThreadPoolExecutor(default_threads(), thread_name_prefix="prepare"),
            ThreadPoolExecutor(default_threads(), thread_name_prefix="finish"),
        ),
        instances_of=lambda workspace, name: instances_of(database, workspace, name),
        clock=time.time,
        reserve=Reserve(home.reserve),
        log_limit=int(number_setting("PENSTOCK_LOG_LIMIT_MB") * 1024 * 1024),
    )
    platform = Platform(
        home=home,
        database=database,
        artifacts=artifacts,
        checkouts=checkouts,
        containers=containers,
        environments=environments,
        compute=compute,
        runner=runner,
        engine=engine,
        mlflow=mlflow,
        runs=runs,
        models=models,
        half_made=HalfMadeModels(rest),
        tokens=tokens,
        links=Links(),
        background=Background(),
        clock=time.time,
        user=_user(),
        loopback_url=loopback_url,
        started_at=time.time(),
    )
    ensure_default(platform)
    ensure_built_in(platform)
    return platform, rest


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id without a name
        return str(os.getuid())
