"""A step as it will run: every reference resolved, every binding followed, nothing left to look up in a file.

Plans are stored with the job's row, so they have a plain record form; `from_record(as_record(x)) == x`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Uploaded:
    """A snapshot that the client sent, by its `snapshot://` URI."""

    uri: str


@dataclass(frozen=True)
class InDatastore:
    """A path inside a datastore; a trailing `/` says folder. `registry` is set for data that lies in a registry."""

    datastore: str
    path: str
    registry: str | None = None


@dataclass(frozen=True)
class OutputOf:
    """What another job wrote; `path` is a place inside that output, empty for all of it."""

    job: str
    output: str
    path: str = ""


@dataclass(frozen=True)
class RegisteredModel:
    """A version in the workspace's model registry, or in the registry that is named."""

    name: str
    version: str
    registry: str | None = None


@dataclass(frozen=True)
class RunArtifact:
    """A path among the artifacts of an MLflow run."""

    run: str
    path: str


@dataclass(frozen=True)
class AtAddress:
    """A public address: mapped to a local path, or downloaded, when the step gets ready; `mode: direct` hands it over."""

    url: str


Source = Uploaded | InDatastore | OutputOf | RegisteredModel | RunArtifact | AtAddress
_SOURCES: Mapping[str, type[Source]] = {
    "uploaded": Uploaded,
    "datastore": InDatastore,
    "output_of": OutputOf,
    "model": RegisteredModel,
    "run": RunArtifact,
    "address": AtAddress,
}


def source_record(source: Source) -> dict[str, Any]:
    """`{"uploaded": {"uri": …}}` and the like."""
    name = next(name for name, kind in _SOURCES.items() if type(source) is kind)
    return {name: asdict(source)}


def source_from_record(record: Mapping[str, Any]) -> Source:
    ((name, values),) = record.items()
    return _SOURCES[name](**values)


@dataclass(frozen=True)
class PlannedInput:
    """One input: a text, or data with its source. Neither means that an optional input was left out."""

    text: str | None = None
    source: Source | None = None
    type: str = "string"
    mode: str | None = None

    @property
    def is_set(self) -> bool:
        return self.text is not None or self.source is not None

    def as_record(self) -> dict[str, Any]:
        source = source_record(self.source) if self.source is not None else None
        return {"text": self.text, "source": source, "type": self.type, "mode": self.mode}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "PlannedInput":
        source = source_from_record(record["source"]) if record["source"] else None
        return cls(text=record["text"], source=source, type=record["type"], mode=record["mode"])


@dataclass(frozen=True)
class PlannedOutput:
    """One output: where in which datastore it is written. `path` ends with `/` for a folder.

    `root` is the folder behind a datastore that is none of the workspace's own, and `inside` the path below it: they
    stay what they were when the job was created. What has a `name` is registered when the step has completed, as the next
    version where no `version` is given.
    """

    type: str
    mode: str
    datastore: str
    path: str
    root: str = ""
    inside: str = ""
    name: str | None = None
    version: str | None = None

    @property
    def is_file(self) -> bool:
        return self.type == "uri_file"

    def is_delivered(self, job: str) -> bool:
        """Whether the step writes into a folder of its own, which is put into its place at the end (mode `upload`).

        In a place that is the job's alone nobody could tell the difference.
        """
        return self.mode == "upload" and not self.belongs_to(job)

    def belongs_to(self, job: str) -> bool:
        """Whether the place is the job's alone, so that what lies there is its own, and is protected afterwards.

        A path that the user chose may hold what others wrote, also where it begins like ours.
        """
        return self.path.startswith(f"azureml/{job}/")


@dataclass(frozen=True)
class PlannedEnvironment:
    """The software environment: what it was called, what it is made of, and what a person should know about that.

    `variables` are those that an image would give to its commands. `in_container` says that the step runs in the image
    itself, made of `build` (a context's `path` and `dockerfile_path`) where that is given. `relax` says that the nearest
    packages may be taken where those that it names cannot be had, `relaxed` what was, as far as is known beforehand, and
    `pinned` the conda file that a registered version was relaxed to.
    `conda_packages` says where a conda file's packages come from, None where that is left to the workspace's settings.
    """

    label: str
    image: str | None
    conda: Mapping[str, Any] | None
    notes: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    build: Mapping[str, str] | None = None
    in_container: bool = False
    relax: bool = False
    relaxed: tuple[Mapping[str, Any], ...] = ()
    pinned: Mapping[str, Any] | None = None
    conda_packages: Literal["pypi", "conda"] | None = None

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "PlannedEnvironment":
        texts = {name: tuple(record.get(name, ())) for name in ("notes", "relaxed")}
        return cls(**{**record, **texts})


@dataclass(frozen=True)
class PlannedDistribution:
    """How a step's processes are counted: per instance for pytorch and mpi, in all for tensorflow."""

    type: str
    processes_per_instance: int = 1
    workers: int = 0
    parameter_servers: int = 0


@dataclass(frozen=True)
class StepPlan:
    """One command that will run as one process, or as those that `distribution` and `instance_count` say.

    `timeout` is in seconds; `needs` are keys of sibling steps.

    `settings` are the workspace's, as they were for whoever created the job. `shm_size` and `docker_args` are for a
    container.
    """

    command: str
    code: str | None
    environment: PlannedEnvironment
    environment_variables: Mapping[str, str]
    compute: str
    timeout: float | None
    inputs: Mapping[str, PlannedInput] = field(default_factory=dict)
    outputs: Mapping[str, PlannedOutput] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    instance_count: int = 1
    distribution: PlannedDistribution | None = None
    priority: str = "medium"
    settings: Mapping[str, Any] = field(default_factory=dict)
    shm_size: str | None = None
    docker_args: tuple[str, ...] = ()

    def as_record(self) -> dict[str, Any]:
        return {
            "command": self.command,
            "code": self.code,
            "environment": asdict(self.environment),
            "environment_variables": dict(self.environment_variables),
            "compute": self.compute,
            "timeout": self.timeout,
            "inputs": {name: value.as_record() for name, value in self.inputs.items()},
            "outputs": {name: asdict(value) for name, value in self.outputs.items()},
            "needs": list(self.needs),
            "instance_count": self.instance_count,
            "distribution": None if self.distribution is None else asdict(self.distribution),
            "priority": self.priority,
            "settings": dict(self.settings),
            "shm_size": self.shm_size,
            "docker_args": list(self.docker_args),
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "StepPlan":
        return cls(
            command=record["command"],
            code=record["code"],
            environment=PlannedEnvironment.from_record(record["environment"]),
            environment_variables=record["environment_variables"],
            compute=record["compute"],
            timeout=record["timeout"],
            inputs={name: PlannedInput.from_record(value) for name, value in record["inputs"].items()},
            outputs={name: PlannedOutput(**value) for name, value in record["outputs"].items()},
            needs=tuple(record["needs"]),
            instance_count=record.get("instance_count", 1),
            distribution=PlannedDistribution(**record["distribution"])
            if record.get("distribution")
            else None,
            priority=record.get("priority", "medium"),
            settings=record.get("settings") or {},
            shm_size=record.get("shm_size"),
            docker_args=tuple(record.get("docker_args") or ()),
        )
