"""Where a job's things lie on this machine, and which local path stands behind a source."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from penstock.datastores.addresses import check, local_path
from penstock.datastores.downloads import Downloads
from penstock.datastores.folders import ARTIFACT_STORE, BLOB_STORE, Folders, Place
from penstock.datastores.url_map import UrlMap
from penstock.errors import NotFound, PenstockError
from penstock.jobs.plans import (
    AtAddress,
    InDatastore,
    OutputOf,
    PlannedOutput,
    RegisteredModel,
    RunArtifact,
    Source,
    StepPlan,
    Uploaded,
)
from penstock.jobs.process_layout import ONE_LOG
from penstock.resources.scope import registry_scope
from penstock.resources.snapshots import SnapshotUri, parse_snapshot_uri
from penstock.settings import Home

UPLOADS = "LocalUpload"
# What the product calls a job's artifact folder among its outputs.
ARTIFACT_OUTPUTS = ("artifacts", "default")


@dataclass(frozen=True)
class JobFolders:
    """The folders of one job. Nothing here creates them."""

    home: Home
    workspace: str
    job: str

    @property
    def run(self) -> Path:
        """Everything that only this run needs: its working folder, copies of inputs, the worker's files."""
        return self.home.job(self.workspace, self.job)

    @property
    def work(self) -> Path:
        """The process's working folder: a fresh copy of the code."""
        return self.run / "work"

    @property
    def overlay(self) -> Path:
        """What the job installs by itself lands here and not in the shared environment."""
        return self.run / "overlay"

    @property
    def copies(self) -> Path:
        """Inputs of mode `download`."""
        return self.run / "inputs"

    @property
    def links(self) -> Path:
        """Plain names for inputs and outputs whose own names have blanks."""
        return self.run / "links"

    @property
    def uploads(self) -> Path:
        """Outputs of mode `upload` that are written to a place of their own: they are put there when the step has ended."""
        return self.run / "outputs"

    def attempt(self, fence: int) -> Path:
        """The worker's files of one start of the process."""
        return self.run / "attempts" / str(fence)

    @property
    def artifacts(self) -> Path:
        """The job's default output: `outputs/`, `logs/`, `user_logs/`, `system_logs/`."""
        return self.home.datastore(self.workspace, ARTIFACT_STORE) / "ExperimentRun" / f"dcid.{self.job}"

    @property
    def user_logs(self) -> Path:
        """A log for each of the step's processes."""
        return self.artifacts / "user_logs"

    @property
    def log(self) -> Path:
        """Standard output and standard error of a step that is one process, as they came."""
        return self.user_logs / ONE_LOG

    @property
    def environment_log(self) -> Path:
        """What was said while the environment was built."""
        return self.artifacts / "system_logs" / "environment.log"


def uploaded_path(home: Home, workspace: str, snapshot: SnapshotUri) -> Path:
    """Where a snapshot is laid out: a place in the default datastore, so that it has an `azureml://` address too."""
    return home.datastore(workspace, BLOB_STORE) / UPLOADS / snapshot.digest / snapshot.name


class Locator:
    """Turns sources into local paths. What lies at a public address is mapped or downloaded, while `is_wanted` says yes."""

    def __init__(
        self,
        home: Home,
        workspace: str,
        *,
        plan_of: Callable[[str], StepPlan],
        model_folder: Callable[[str, str, str], Path],
        run_artifact: Callable[[str, str], Path],
        lay_out: Callable[[SnapshotUri, Path], None],
        folders: Folders,
        urls: Callable[[], UrlMap],
        downloads: Downloads,
        say: Callable[[str], None] = lambda text: None,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self._is_wanted = is_wanted
        self._home = home
        self._folders = folders
        self._urls = urls
        self._downloads = downloads
        self._say = say
        self._workspace = workspace
        self._plan_of = plan_of
        self._model_folder = model_folder
        self._run_artifact = run_artifact
        self._lay_out = lay_out

    def mapped(self, url: str) -> Path | None:
        """What the map of addresses names for an address; None where it does not name it."""
        found = self._urls().find(url)
        return None if found is None else found.existing(url)

    def at_address(self, url: str, kind: str) -> Path:
        """What stands for an address as a `uri_file` or `uri_folder`: mapped or downloaded."""
        check(url, kind, self._urls())
        return self.path_of(AtAddress(url))

    def path_of(self, source: Source) -> Path:
        """The local file or folder behind a source. Raises NotFound where there is nothing."""
        path = self._path_of(source)
        if not path.exists():
            raise NotFound(f"nothing is at `{described(source)}`", details=(f"looked in: {path}",))
        return path

    def _path_of(self, source: Source) -> Path:
        match source:
            case Uploaded(uri):
                snapshot = parse_snapshot_uri(uri)
                if snapshot is None:
                    raise PenstockError(f"`{uri}` is not a snapshot")
                path = uploaded_path(self._home, self._workspace, snapshot)
                self._lay_out(snapshot, path)
                return path
            case InDatastore(datastore, inside, registry):
                return self._folders.place(self._scope(registry), datastore, inside, self._urls).path
            case OutputOf(job, output, inside):
                return self._output_of(job, output, inside)
            case RegisteredModel(name, version, registry):
                return self._model_folder(self._scope(registry), name, version)
            case RunArtifact(run, inside):
                return self._run_artifact(run, inside)
            case AtAddress(url):
                return local_path(url, self._urls(), self._downloads, self._say, self._is_wanted)

    def _scope(self, registry: str | None) -> str:
        return self._workspace if registry is None else registry_scope(registry)

    def _output_of(self, job: str, output: str, inside: str) -> Path:
        if output in ARTIFACT_OUTPUTS:
            root = JobFolders(self._home, self._workspace, job).artifacts
        else:
            planned = self._plan_of(job).outputs.get(output)
            if planned is None:
                raise NotFound(f"job `{job}` has no output `{output}`")
            root = self.output_path(planned)
        resolved, root = (root / inside).resolve(), root.resolve()
        if resolved != root and root not in resolved.parents:
            raise PenstockError(f"path `{inside}` leaves output `{output}` of job `{job}`")
        if output in ARTIFACT_OUTPUTS and inside.strip("/") and not resolved.exists():
            return self._logged(job, inside.strip("/")) or resolved
        return resolved

    def _logged(self, job: str, inside: str) -> Path | None:
        """What the job's script logged through MLflow: in Azure ML that lies among the job's artifacts too."""
        try:
            path = self._run_artifact(job, inside)
        except NotFound:
            return None  # the job has no run
        return path if path.exists() else None

    def output_path(self, output: PlannedOutput) -> Path:
        """Where a step writes an output."""
        root = Path(output.root) if output.root else self._home.datastore(self._workspace, output.datastore)
        return Place(root, output.inside if output.root else output.path, output.datastore).path


def described(source: Source) -> str:
    """The address by which people know a source."""
    match source:
        case Uploaded(uri):
            return uri
        case InDatastore(datastore, path, registry):
            place = "" if registry is None else f"registries/{registry}/"
            return f"azureml://{place}datastores/{datastore}/paths/{path}"
        case OutputOf(job, output, path):
            return f"azureml://jobs/{job}/outputs/{output}/paths/{path}"
        case RegisteredModel(name, version, registry):
            if registry is not None:
                return f"azureml://registries/{registry}/models/{name}/versions/{version}"
            return f"azureml:{name}:{version}"
        case RunArtifact(run, path):
            return f"runs:/{run}/{path}"
        case AtAddress(url):
            return url
