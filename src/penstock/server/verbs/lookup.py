"""What planning asks of a workspace, answered from the database and the model registry."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from penstock.datastores import addresses, folders
from penstock.datastores.url_map import UrlMap, read_url_map
from penstock.environments import curated
from penstock.environments.curated_map import EnvironmentMap, read_environment_map
from penstock.errors import EnvironmentCannotBeBuilt, NotFound, Problem
from penstock.jobs import statuses as st
from penstock.jobs.lookup import LOCAL_COMPUTE, Lookup
from penstock.jobs.places import ARTIFACT_OUTPUTS
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
from penstock.resources.relaxed import Row
from penstock.resources.scope import BUILT_IN_REGISTRY, PLURALS, reference_to, registry_of, registry_scope
from penstock.resources.workspace_settings import CondaPackages, conda_packages, relaxes
from penstock.server.platform import Platform
from penstock.server.verbs import asset
from penstock.server.verbs.build_context import in_its_image, planned_build
from penstock.server.verbs.compute import places_of
from penstock.server.verbs.curated import checked_environment, environment_in, environments_only
from penstock.server.verbs.relaxing import Relaxed
from penstock.server.verbs.uploaded_table import check_input
from penstock.server.verbs.workspace import settings_of
from penstock.store.records.asset import AssetRecord
from penstock.store.records.job import JobRecord
from penstock.store.transaction import Transaction
from penstock.tracking.model_records import ModelVersion


class WorkspaceLookup(Lookup):
    """Look-ups in one workspace within one transaction."""

    def __init__(
        self, platform: Platform, tx: Transaction, workspace: str, given: Mapping[str, Any] | None = None
    ) -> None:
        self._platform = platform
        self._tx = tx
        self._workspace = workspace
        self._given = given or {}
        self.versions: dict[Source, str] = {}
        """The data assets that were asked for, by what is behind them."""
        # Three hundred steps name the same few components and environments.
        self._found: dict[tuple[str, refs.AssetReference], AssetRecord] = {}
        self.relaxed: dict[str, tuple[Row, ...]] = {}
        """The registered environments that were asked for and are relaxed, by `name:version`."""
        self.remarks: list[Problem] = []
        """What deserves a warning of what was looked into."""

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """The workspace's settings, as they count for this caller: `given` came with the request."""
        if registry_of(self._workspace) is not None:
            return self._given
        return settings_of(self._tx, self._workspace, self._given)

    @property
    def relax(self) -> bool:
        """Whether environments may be relaxed, as it counts for this caller."""
        return relaxes(self.settings)

    @property
    def conda_packages(self) -> CondaPackages:
        """Where conda files' packages come from, as it counts for this caller."""
        return conda_packages(self.settings)

    @cached_property
    def _map(self) -> EnvironmentMap:
        return read_environment_map(self.settings.get("environment_map"))

    @cached_property
    def urls(self) -> UrlMap:
        """Which local files stand for addresses."""
        return read_url_map(self.settings.get("url_map"))

    def address(self, url: str, kind: str) -> None:
        addresses.check(url, kind, self.urls)

    def table(self, path: str) -> None:
        self.remarks += check_input(self._platform, path, self.address)

    def has_version(self, kind: str, name: str, version: str) -> bool:
        if kind == "model":
            return self._platform.models.find(self._workspace, name, version) is not None
        return self._tx.assets.find(self._workspace, kind, name, version) is not None

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
        # Of real conda packages nothing was ever taken otherwise.
        found = Relaxed.of_spec(record.spec) if self.conda_packages == "pypi" else Relaxed()
        relaxed, pinned = found.rows, found.pinned_conda_file
        relax = self.relax or bool(relaxed)
        if relaxed:
            self.relaxed[label] = relaxed
        if record.spec.get("build"):
            build = BuildContext(**record.spec["build"])
            return replace(self.build(build, label, ""), relax=relax, relaxed=relaxed, pinned=pinned)
        image, conda = record.spec.get("image"), record.spec.get("conda_file")
        return PlannedEnvironment(
            label,
            image,
            conda,
            relax=relax,
            relaxed=relaxed,
            pinned=pinned,
            conda_packages=self.conda_packages,
        )

    def build(self, build: BuildContext, label: str, pointer: str) -> PlannedEnvironment:
        return planned_build(
            self._platform, build, label, pointer, relax=self.relax, conda_packages=self.conda_packages
        )

    def in_its_image(self, environment: PlannedEnvironment) -> PlannedEnvironment:
        """The environment of a step, in a container where the server runs every image in one."""
        return in_its_image(self._platform, environment)

    def explicit_environment(self, text: str) -> str:
        """A reference to an environment with the version that it names now. NotFound where there is none."""
        reference = refs.parse_reference(text, "environment")
        if not isinstance(reference, refs.AssetReference):
            raise NotFound(f"`{text}` is no environment")
        if self._is_curated(reference):
            return self._explicit_curated(reference) or text
        return _explicit(self._asset("environment", reference))

    def _explicit_curated(self, reference: refs.AssetReference) -> str | None:
        """None for a name of the user's own map, and for what cannot be had: planning asks again, and knows the line."""
        if self._map.target_of(reference.name) is not None:
            return None
        try:
            found = curated.get(reference.name, version=reference.version, label=reference.label)
        except (NotFound, EnvironmentCannotBeBuilt):
            return None
        return f"azureml://registries/{curated.REGISTRY}/environments/{found.name}/versions/{found.version}"

    def component(self, reference: refs.AssetReference) -> tuple[str, dict[str, Any]]:
        """The component's reference with its version, and its document."""
        record = self._asset("component", reference)
        return _explicit(record), {**record.spec, "name": record.name, "version": record.version}

    def data(self, reference: refs.AssetReference) -> tuple[str, Source]:
        record = self._asset("data", reference)
        kind, path = str(record.spec.get("type") or "uri_folder"), str(record.spec["path"])
        source = source_of(path, reference.registry)
        self.versions.setdefault(source, _explicit(record))
        return kind, source

    def model(self, reference: refs.AssetReference) -> tuple[str, Source]:
        found = self._model(reference)
        return found.type, RegisteredModel(found.name, found.version, reference.registry)

    def _model(self, reference: refs.AssetReference) -> ModelVersion:
        models, name = self._platform.models, reference.name
        scope = self._scope("model", reference)
        if reference.version is None:
            return models.labelled(scope, name, reference.label or asset.LATEST)
        return models.get(scope, name, reference.version)

    def explicit(self, text: str, kind: str) -> str:
        """A reference to an asset with the version that it names now; any other text as it is. NotFound as above."""
        reference = refs.parse_reference(text, kind)
        if not isinstance(reference, refs.AssetReference) or reference.version is not None:
            return text
        if kind == "environment":
            return self.explicit_environment(text)
        if kind == "model":
            found = self._model(reference)
            return reference_to(self._scope(kind, reference), kind, found.name, found.version)
        return _explicit(self._asset(kind, reference))

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
        target = self._map.target_of(reference.name)
        if isinstance(target, str):
            return self._mapped_to(target)
        if target is not None:
            mapped = environment_in(target, reference.name)
            asked = replace(mapped, relax=self.relax, conda_packages=self.conda_packages)
            return checked_environment(self._platform, asked)
        found = curated.get(reference.name, version=reference.version, label=reference.label)
        planned = PlannedEnvironment(  # the tables hold PyPI's packages
            f"{found.name}:{found.version}",
            found.image,
            found.conda,
            found.warnings,
            relax=self.relax,
            conda_packages="pypi",
        )
        return checked_environment(self._platform, planned)

    def _is_curated(self, reference: refs.AssetReference) -> bool:
        """`AzureML-…` means a curated environment everywhere, unless the workspace has one of its own by that name.

        A map is the user's own word, and counts before both.
        """
        if reference.registry is not None:
            return reference.registry == curated.REGISTRY
        if not curated.is_curated_name(reference.name):
            return False
        if self._map.target_of(reference.name) is not None:
            return True
        return self._tx.assets.find_latest(self._workspace, "environment", reference.name) is None

    def _mapped_to(self, target: str) -> PlannedEnvironment:
        reference = refs.parse_reference(target, "environment")
        assert isinstance(reference, refs.AssetReference)  # an environment has no other form
        return self._registered(reference)

    def max_instances(self, compute: str) -> int | None:
        record = self._tx.computes.find(self._workspace, compute)
        return None if record is None or record.type == LOCAL_COMPUTE else places_of(record)

    def _asset(self, kind: str, reference: refs.AssetReference) -> AssetRecord:
        if (kind, reference) not in self._found:
            scope = self._scope(kind, reference)
            if reference.label is not None:
                asset.label_is_latest(kind, reference.name, reference.label)
            found = asset.find(self._tx, scope, kind, reference.name, version=reference.version)
            self._found[kind, reference] = found
        return self._found[kind, reference]

    def _scope(self, kind: str, reference: refs.AssetReference) -> str:
        """Where the asset is: in the registry that is named, else in the workspace itself."""
        if reference.registry is not None:
            return self._registry(kind, reference, reference.registry)
        registry = registry_of(self._workspace)
        if registry is not None:
            raise _not_in_a_registry(kind, reference, registry)
        self.must_be_here(kind, reference.name, reference.workspace)
        return self._workspace

    def _registry(self, kind: str, reference: refs.AssetReference, registry: str) -> str:
        if registry == BUILT_IN_REGISTRY and kind != "environment":
            raise environments_only(kind, reference.name)
        self._tx.registries.get(registry)
        return registry_scope(registry)

    def must_be_here(self, kind: str, name: str, workspace: str | None) -> None:
        """Return if a long id names this workspace or none; raise NotFound for another one's."""
        if workspace in (None, self._workspace):
            return
        article = "an" if kind[0] in "aeiou" else "a"
        raise NotFound(
            f"{kind} `{name}` is in workspace `{workspace}`, this job in `{self._workspace}`",
            hint="a job uses what is in its own workspace, or in a registry: create "
            f"{article} {kind} there too, share it, or choose the other workspace with -w",
        )


def _explicit(record: AssetRecord) -> str:
    return reference_to(record.workspace, record.kind, record.name, record.version)


def _not_in_a_registry(kind: str, reference: refs.AssetReference, registry: str) -> NotFound:
    name, version = reference.name, reference.version or "<version>"
    return NotFound(
        f"`{reference}` is in a workspace, and what is in registry `{registry}` refers to registries only",
        hint=f"share it: `penstock {kind} share --name {name} --version {version} --share-with-name {name} "
        f"--share-with-version {version} --registry-name {registry}`, and write "
        f"`azureml://registries/{registry}/{PLURALS[kind]}/{name}/versions/{version}`",
    )


def source_of(path: str, registry: str | None) -> Source:
    """Where the bytes of a data asset are, by the path that is kept with it."""
    reference = refs.parse_reference(path, "data")
    if isinstance(reference, refs.DatastorePath):
        return InDatastore(reference.datastore or folders.BLOB_STORE, reference.path, registry)
    if isinstance(reference, refs.JobOutput):
        return OutputOf(reference.job, reference.output, reference.path)
    return AtAddress(path)
