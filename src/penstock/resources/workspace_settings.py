"""What may be set for a whole workspace: files on the server's machine, and how environments are made."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from penstock.resources.field_types import AbsolutePath, Flag
from penstock.resources.model_base import Part

CondaPackages = Literal["pypi", "conda"]


class EnvironmentSettings(Part):
    """How the environments of a workspace are made, where nothing else is said."""

    noun = "the settings of a workspace's environments"

    relax: Flag | None = Field(
        default=None,
        description="take the nearest installable packages where the asked ones cannot be had, and say so; "
        "`--relax` and `PENSTOCK_RELAX` count before it",
    )
    conda_packages: CondaPackages | None = Field(
        default=None,
        description="where the packages of conda files come from: `pypi`, if left out, or `conda`; "
        "`PENSTOCK_CONDA_PACKAGES` counts before it",
    )


class WorkspaceSettings(Part):
    """The settings of a workspace."""

    noun = "the settings of a workspace"

    url_map: AbsolutePath | None = Field(
        default=None,
        description="a YAML file of `address: local path`; `PENSTOCK_URL_MAP` of the command counts before it",
    )
    environment_map: AbsolutePath | None = Field(
        default=None,
        description="a YAML file of `curated name: environment file, or azureml:<name>@latest`; "
        "`PENSTOCK_ENVIRONMENT_MAP` counts before it",
    )
    environments: EnvironmentSettings | None = Field(
        default=None, description="how the environments of the workspace are made"
    )

    @classmethod
    def rewritten(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Without a mapping that says nothing: what is left where its last setting was removed."""
        return {key: value for key, value in data.items() if value != {}}


# Any: a JSON value.
def relaxes(settings: Mapping[str, Any]) -> bool:
    """Whether environments may be relaxed, by settings as they count for a caller.

    Real conda packages are never relaxed: their channels have what PyPI no longer has.
    """
    return bool(settings.get("environments", {}).get("relax")) and conda_packages(settings) == "pypi"


def conda_packages(settings: Mapping[str, Any]) -> CondaPackages:
    """Where conda packages come from, by settings as they count for a caller."""
    found: CondaPackages = settings.get("environments", {}).get("conda_packages") or "pypi"
    return found
