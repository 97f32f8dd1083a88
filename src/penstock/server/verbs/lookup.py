"""What planning asks of a workspace, answered from the database and the model registry."""

from typing import Any

from penstock.errors import NotFound
from penstock.jobs.places import BLOB_STORE
from penstock.jobs.planning import Lookup
from penstock.jobs.plans import (
    AtAddress,
    InDatastore,
    OutputOf,
    PlannedEnvironment,
    RegisteredModel,
    Source,
)
from penstock.resources import references as refs
from penstock.server.platform import Platform
from penstock.server.verbs import asset
from penstock.store.transaction import Transaction


class WorkspaceLookup(Lookup):
    """Look-ups in one workspace within one transaction."""

    def __init__(self, platform: Platform, tx: Transaction, workspace: str) -> None:
        self._platform = platform
        self._tx = tx
        self._workspace = workspace

    def environment(self, reference: refs.AssetReference) -> PlannedEnvironment:
        record = self._asset("environment", reference)
        label = f"{record.name}:{record.version}"
        return PlannedEnvironment(label, record.spec.get("image"), record.spec.get("conda_file"))

    def data(self, reference: refs.AssetReference) -> tuple[str, Source]:
        record = self._asset("data", reference)
        kind, path = str(record.spec.get("type") or "uri_folder"), str(record.spec["path"])
        return kind, _source_of(path)

    def model(self, reference: refs.AssetReference) -> tuple[str, Source]:
        models, name = self._platform.models, reference.name
        found = (
            models.labelled(self._workspace, name, reference.label or asset.LATEST)
            if reference.version is None
            else models.get(self._workspace, name, reference.version)
        )
        return found.type, RegisteredModel(found.name, found.version)

    def job_output(self, reference: refs.JobOutput) -> Source:
        job = self._tx.jobs.get(self._workspace, reference.job)
        bound = job.spec["plan"].get("outputs", {}).get(reference.output)
        if job.type == "pipeline":
            if bound is None:
                raise NotFound(f"job `{job.name}` has no output `{reference.output}`")
            return OutputOf(bound["job"], bound["output"], reference.path)
        return OutputOf(job.name, reference.output, reference.path)

    def _asset(self, kind: str, reference: refs.AssetReference) -> Any:
        if reference.registry is not None:
            raise NotFound(
                f"registries are not supported yet: `{reference.registry}` cannot be asked for {kind} `{reference.name}`",
                hint=f"create the {kind} in the workspace and refer to it as `azureml:{reference.name}@latest`",
            )
        if reference.workspace not in (None, self._workspace):
            raise NotFound(
                f"{kind} `{reference.name}` is in workspace `{reference.workspace}`, this job in `{self._workspace}`",
                hint="a job uses what is in its own workspace: create it there too, or choose the other with -w",
            )
        if reference.label is not None:
            asset.label_is_latest(kind, reference.name, reference.label)
        return asset.find(self._tx, self._workspace, kind, reference.name, version=reference.version)


def _source_of(path: str) -> Source:
    reference = refs.parse_reference(path, "data")
    if isinstance(reference, refs.DatastorePath):
        return InDatastore(reference.datastore or BLOB_STORE, reference.path)
    if isinstance(reference, refs.JobOutput):
        return OutputOf(reference.job, reference.output, reference.path)
    return AtAddress(path)
