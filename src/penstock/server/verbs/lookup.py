"""What planning asks of a workspace, answered from the database and the model registry."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from penstock.datastores import addresses, folders
from penstock.datastores.url_map import UrlMap, read_url_map
from penstock.environments import curated
from penstock.environments.curated_map import read_environment_map
from penstock.errors import NotFound
from penstock.jobs import statuses as st
from penstock.jobs.places import ARTIFACT_OUTPUTS
from penstock.jobs.planning import LOCAL_COMPUTE, Lookup
from penstock.jobs.plans import (
    AtAddress,
    InDatastore,
    OutputOf,
    PlannedEnvironment,
    RegisteredModel,
    Source,
)
from penstock.resources import references as refs
from penstock.resources.environment import BuildContext
from penstock.server.platform import Platform
from penstock.server.verbs import asset
from penstock.server.verbs.build_context import planned_build
from penstock.server.verbs.compute import places_of
from penstock.server.verbs.curated import checked_environment, environment_in
from penstock.server.verbs.workspace import settings_of
from penstock.store.records.asset import AssetRecord
from penstock.store.records.job import JobRecord
from penstock.store.transaction import Transaction


class WorkspaceLookup(Lookup):
    """Look-ups in one workspace within one transaction."""

    def __init__(
        self, platform: Platform, tx: Transaction, workspace: str, given: Mapping[str, str] | None = None
    ) -> None:
        self._platform = platform
        self._tx = tx
        self._workspace = workspace
        self._given = given or {}

    @cached_property
    def settings(self) -> Mapping[str, str]:
        """The workspace's settings, as they count for this caller: `given` came with the request."""
        return settings_of(self._tx, self._workspace, self._given)

    @cached_property
    def urls(self) -> UrlMap:
        """Which local files stand for addresses."""
        return read_url_map(self.settings.get("url_map"))

    def address(self, url: str, kind: str) -> None:
        addresses.check(url, kind, self.urls)

    def place(self, reference: refs.DatastorePath) -> folders.Place:
        if reference.workspace not in (None, self._workspace):
            raise NotFound(
                f"datastore `{reference.datastore}` is in workspace `{reference.workspace}`, this in `{self._workspace}`",
                hint=f"write `azureml://datastores/{reference.datastore}/paths/…` for the one of this workspace",
            )
        record = folders.demand(self._tx, self._workspace, reference.datastore)
        if record is None:
            root = self._platform.home.datastore(self._workspace, reference.datastore)
            return folders.Place(root, reference.path, reference.datastore)
        return folders.place_in(self._platform.home, record, reference.path, lambda: self.urls)

    def environment(self, reference: refs.AssetReference) -> PlannedEnvironment:
        return self._curated(reference) if self._is_curated(reference) else self._registered(reference)

    def _registered(self, reference: refs.AssetReference) -> PlannedEnvironment:
        record = self._asset("environment", reference)
        label = f"{record.name}:{record.version}"
        if record.spec.get("build"):
            return self.build(BuildContext(**record.spec["build"]), label, "")
        return PlannedEnvironment(label, record.spec.get("image"), record.spec.get("conda_file"))

    def build(self, build: BuildContext, label: str, pointer: str) -> PlannedEnvironment:
        return planned_build(self._platform, build, label, pointer)

    def explicit_environment(self, text: str) -> str:
        """A reference to an environment with the version that it names now. NotFound where there is none."""
        reference = refs.parse_reference(text, "environment")
        if not isinstance(reference, refs.AssetReference):
            raise NotFound(f"`{text}` is no environment")
        if self._is_curated(reference):
            return self._explicit_curated(reference) or text
        return _explicit(self._asset("environment", reference))

    def _explicit_curated(self, reference: refs.AssetReference) -> str | None:
        """None for a name of the user's own map: what it stands for is asked whenever it is needed."""
        try:
            found = curated.get(reference.name, version=reference.version, label=reference.label)
        except NotFound:
            return None
        return f"azureml://registries/{curated.REGISTRY}/environments/{found.name}/versions/{found.version}"

    def component(self, reference: refs.AssetReference) -> tuple[str, dict[str, Any]]:
        """The component's reference with its version, and its document."""
        record = self._asset("component", reference)
        return _explicit(record), {**record.spec, "name": record.name, "version": record.version}

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
        """What the job wrote, or its step where it is a pipeline. Refused where it is not written, or not to its end."""
        job = self._tx.jobs.get(self._workspace, reference.job)
        outputs, output = job.spec["plan"].get("outputs", {}), reference.output
        is_artifacts = output in ARTIFACT_OUTPUTS
        if is_artifacts and output not in outputs and job.type == "pipeline":
            return self.job_output(self._of_step(job, reference))
        if output not in outputs and not is_artifacts:
            known = ", ".join(f"`{name}`" for name in outputs) or "none"
            raise NotFound(f"job `{job.name}` has no output `{output}`", details=(f"its outputs: {known}",))
        if job.type == "pipeline":
            output = outputs[output]["output"]
            job = self._tx.jobs.get(self._workspace, outputs[reference.output]["job"])
        if job.status not in st.TERMINAL:
            raise NotFound(
                f"output `{reference.output}` of job `{reference.job}` is not written yet: `{job.name}` is {job.status}",
                hint=f"wait for its end: `penstock job stream -n {reference.job}`",
            )
        if (
            job.status != st.COMPLETED and not is_artifacts
        ):  # logs and checkpoints of a failed job are worth having
            raise NotFound(
                f"output `{reference.output}` of job `{reference.job}` may be incomplete: `{job.name}` is {job.status}",
                hint="use the output of a job that completed",
            )
        return OutputOf(job.name, output, reference.path)

    def _of_step(self, pipeline: JobRecord, reference: refs.JobOutput) -> refs.JobOutput:
        """A pipeline's artifacts are those of its steps, under the paths that a download has: `steps/<step>/…`."""
        children = self._tx.jobs.children(self._workspace, pipeline.name)
        steps = {str(child.step): child for child in children}
        first, _, rest = reference.path.strip("/").partition("/")
        step, _, inside = rest.partition("/")
        if first != "steps" or step not in steps:
            raise NotFound(
                f"the artifacts of pipeline `{pipeline.name}` are those of its steps",
                details=(f"its steps: {', '.join(f'`{name}`' for name in steps) or 'none'}",),
                hint=(
                    f"say which step's: azureml://jobs/{pipeline.name}/outputs/artifacts/paths/steps/<step>/…,"
                    f" or name one of the pipeline's outputs"
                ),
            )
        found = steps[step]
        return replace(
            reference, job=found.name, path=f"steps/{inside}" if found.type == "pipeline" else inside
        )

    def _curated(self, reference: refs.AssetReference) -> PlannedEnvironment:
        """What a curated name stands for: the user's own word on it, or the table's."""
        target = read_environment_map(self.settings.get("environment_map")).target_of(reference.name)
        if isinstance(target, str):
            return self._mapped_to(target)
        if target is not None:
            return checked_environment(self._platform, environment_in(target, reference.name))
        found = curated.get(reference.name, version=reference.version, label=reference.label)
        planned = PlannedEnvironment(
            f"{found.name}:{found.version}", found.image, found.conda, found.warnings
        )
        return checked_environment(self._platform, planned)

    def _is_curated(self, reference: refs.AssetReference) -> bool:
        """`AzureML-…` means a curated environment everywhere, unless the workspace has one of its own by that name."""
        if reference.registry is not None:
            return reference.registry == curated.REGISTRY
        if not curated.is_curated_name(reference.name):
            return False
        return self._tx.assets.find_latest(self._workspace, "environment", reference.name) is None

    def _mapped_to(self, target: str) -> PlannedEnvironment:
        reference = refs.parse_reference(target, "environment")
        assert isinstance(reference, refs.AssetReference)  # an environment has no other form
        return self._registered(reference)

    def max_instances(self, compute: str) -> int | None:
        record = self._tx.computes.find(self._workspace, compute)
        return None if record is None or record.type == LOCAL_COMPUTE else places_of(record)

    def _asset(self, kind: str, reference: refs.AssetReference) -> AssetRecord:
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


def _explicit(record: AssetRecord) -> str:
    return f"azureml:{record.name}:{record.version}"


def _source_of(path: str) -> Source:
    reference = refs.parse_reference(path, "data")
    if isinstance(reference, refs.DatastorePath):
        return InDatastore(reference.datastore or folders.BLOB_STORE, reference.path)
    if isinstance(reference, refs.JobOutput):
        return OutputOf(reference.job, reference.output, reference.path)
    return AtAddress(path)
