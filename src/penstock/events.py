"""What happened, as facts. Every change of state appends one of these, in the same transaction, to the workspace's log.

The log's sequence is gapless per workspace (or registry): whoever follows it (a stream, a page, a trigger) asks for what came after
the last number that it saw.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar


@dataclass(frozen=True)
class Event:
    """One fact. `subject` says about what, as `<noun>/<name>`; the other fields are the event's body."""

    type: ClassVar[str]
    subject: str

    def body(self) -> dict[str, Any]:
        """The event's own fields, without the subject, as they are stored and sent."""
        values = asdict(self)
        return {field.name: values[field.name] for field in fields(self) if field.name != "subject"}


@dataclass(frozen=True)
class JobStatusChanged(Event):
    """A job or a pipeline's step has a new status. `root` is the job that the user created."""

    type: ClassVar[str] = "job.status"
    root: str
    step: str | None
    status: str
    display_name: str | None
    error: dict[str, Any] | None = None


@dataclass(frozen=True)
class JobCancelRequested(Event):
    """Somebody asked for a job's end; its processes are being told."""

    type: ClassVar[str] = "job.cancel_requested"
    requested_by: str


@dataclass(frozen=True)
class JobUpdated(Event):
    """A job was described otherwise, archived or restored; `change` says which. Its status is as it was."""

    type: ClassVar[str] = "job.updated"
    change: str


@dataclass(frozen=True)
class AssetCreated(Event):
    """A new version of an asset exists, in the workspace or the registry whose log this is."""

    type: ClassVar[str] = "asset.created"
    kind: str
    version: str


@dataclass(frozen=True)
class AssetUpdated(Event):
    """A version got another description, tags or properties, was archived or restored; its content is as it was.

    `version` None: all versions of the name were archived or restored together.
    """

    type: ClassVar[str] = "asset.updated"
    kind: str
    version: str | None


@dataclass(frozen=True)
class DataValidated(Event):
    """A version of a data asset was checked. `expectations` is the digest of what was expected of it."""

    type: ClassVar[str] = "data.validated"
    version: str
    expectations: str
    passed: bool


@dataclass(frozen=True)
class ComputeChanged(Event):
    """A compute was created, updated or deleted; `change` says which."""

    type: ClassVar[str] = "compute.changed"
    change: str


@dataclass(frozen=True)
class DatastoreChanged(Event):
    """A datastore was created, updated or deleted; `change` says which."""

    type: ClassVar[str] = "datastore.changed"
    change: str


@dataclass(frozen=True)
class WorkspaceChanged(Event):
    """A workspace was created or updated; `change` says which."""

    type: ClassVar[str] = "workspace.changed"
    change: str


@dataclass(frozen=True)
class RegistryChanged(Event):
    """A registry was created or updated; `change` says which."""

    type: ClassVar[str] = "registry.changed"
    change: str
