"""What may be set for a whole workspace: each setting is the path of a file on the server's machine."""

from pydantic import Field

from penstock.resources.field_types import AbsolutePath
from penstock.resources.model_base import Part


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
