"""What every verb needs, in one place: the rooms of this server, its clock, and the addresses that it tells."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from penstock.compute.interface import Compute
from penstock.environments.environments import Environments
from penstock.identity.links import Links
from penstock.identity.tokens import Tokens
from penstock.jobs.containers import Containers
from penstock.jobs.execution import Engine
from penstock.jobs.step_runner import StepRunner
from penstock.server.background import Background
from penstock.settings import Home
from penstock.store.artifacts.interface import ArtifactStore
from penstock.store.beneath import remove_tree
from penstock.store.checkouts import Checkouts
from penstock.store.database import Database
from penstock.tracking.half_made import HalfMadeModels
from penstock.tracking.models import Models
from penstock.tracking.runs import Runs
from penstock.tracking.server import MlflowServer


@dataclass(frozen=True)
class Platform:
    """The rooms of one server. Made by the wiring; verbs take it as their first argument."""

    home: Home
    database: Database
    artifacts: ArtifactStore
    checkouts: Checkouts
    containers: Containers
    environments: Environments
    compute: Compute
    runner: StepRunner
    engine: Engine
    mlflow: MlflowServer
    runs: Runs
    models: Models
    half_made: HalfMadeModels
    tokens: Tokens
    links: Links
    background: Background
    clock: Callable[[], float]
    user: str
    loopback_url: str
    started_at: float

    def tracking_uri(self, workspace: str) -> str:
        """Where MLflow clients reach a workspace's runs and models."""
        return f"{self.loopback_url}/mlflow/{workspace}"

    def remove_tree(self, folder: Path) -> None:
        """Remove a folder of ours with all that is in it, write-protected files too."""
        remove_tree(folder)
