"""What planning asks of a workspace, as the server answers it from its records."""

from typing import Protocol

from penstock.datastores.folders import Place
from penstock.jobs.plans import PlannedEnvironment, Source
from penstock.resources import references as refs
from penstock.resources.environment import BuildContext

LOCAL_COMPUTE = "local"


class Lookup(Protocol):
    """What planning asks of the workspace. Each method raises NotFound, saying where it looked."""

    def environment(self, reference: refs.AssetReference) -> PlannedEnvironment: ...

    def build(self, build: BuildContext, label: str, pointer: str) -> PlannedEnvironment:
        """What a build context stands for; InvalidDocument with the lines of it that cannot be followed."""
        ...

    def data(self, reference: refs.AssetReference) -> tuple[str, Source]:
        """The asset's type and where its bytes are."""
        ...

    def model(self, reference: refs.AssetReference) -> tuple[str, Source]: ...

    def job_output(self, reference: refs.JobOutput) -> Source: ...

    def max_instances(self, compute: str) -> int | None:
        """How many instances the compute may have; None for this machine itself, which takes what it is given."""
        ...

    def address(self, url: str, kind: str) -> None:
        """Return if the data at an address can be had as a `kind`; PenstockError, with the remedy, if not."""
        ...

    def table(self, path: str) -> None:
        """Return if an uploaded folder can be read as a table; InvalidDocument with what is wrong with its file, if not."""
        ...

    def place(self, reference: refs.DatastorePath) -> Place:
        """Where a path of a datastore lies."""
        ...

    def has_version(self, kind: str, name: str, version: str) -> bool:
        """Whether there is such a version of `data` or `model`, archived or not."""
        ...
