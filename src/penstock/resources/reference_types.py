"""What a reference may be, once it has been read: frozen facts, made by `references.py` alone."""

from dataclasses import dataclass


class BadReference(ValueError):
    """A text that refers to nothing that can be meant in its place."""

    def __init__(self, message: str, expected: str) -> None:
        super().__init__(message)
        self.message = message
        self.expected = expected


@dataclass(frozen=True)
class AssetReference:
    """A named thing. Neither version nor label means the latest version, or a thing that has no versions.

    `registry` is set where a registry was named, `workspace` where a long id names one: its name, or its id in the
    form that begins with `azureml://locations`.
    """

    name: str
    version: str | None = None
    label: str | None = None
    registry: str | None = None
    workspace: str | None = None

    def __str__(self) -> str:
        """The short form, as in a file."""
        return f"azureml:{self.name}" + (
            f":{self.version}" if self.version else f"@{self.label}" if self.label else ""
        )


@dataclass(frozen=True)
class DatastorePath:
    """A file or folder in a datastore. `path` is relative, normalised, and keeps a slash at its end (a folder)."""

    datastore: str
    path: str
    workspace: str | None = None

    def __str__(self) -> str:
        return f"azureml://datastores/{self.datastore}/paths/{self.path}"


@dataclass(frozen=True)
class JobOutput:
    """An output of a job, or a path below it. `output` is `artifacts` for the job's own files."""

    job: str
    output: str
    path: str = ""

    def __str__(self) -> str:
        return f"azureml://jobs/{self.job}/outputs/{self.output}/paths/{self.path}"


@dataclass(frozen=True)
class RunArtifact:
    """An artifact of an MLflow run: `runs:/<run>/<path>`."""

    run: str
    path: str

    def __str__(self) -> str:
        return f"runs:/{self.run}/{self.path}"


@dataclass(frozen=True)
class WebAddress:
    """A file or folder under a public address."""

    url: str

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True)
class ArmId:
    """A long id: `/subscriptions/…/workspaces/<w>/<type>/<name>[/versions/<v>]`. `type` is a plural, as `models`."""

    subscription: str
    resource_group: str
    workspace: str
    type: str
    name: str
    version: str | None = None
