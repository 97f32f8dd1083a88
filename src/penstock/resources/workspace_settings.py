"""What may be set for a whole workspace: each setting is the path of a file on the server's machine."""

from typing import Annotated

from pydantic import AfterValidator, Field

from penstock.resources.model_base import Part
from penstock.resources.wording import trouble


def _absolute(text: str) -> str:
    if not text.startswith("/"):
        raise trouble(
            f"`{text}` is not an absolute path",
            expected="an absolute path",
            hint="the command line makes a relative path absolute; a REST caller has to",
        )
    return text


SettingFile = Annotated[str, AfterValidator(_absolute)]


class WorkspaceSettings(Part):
    """The settings of a workspace."""

    noun = "the settings of a workspace"

    url_map: SettingFile | None = Field(
        default=None,
        description="a YAML file of `address: local path`; `PENSTOCK_URL_MAP` of the command counts before it",
    )
    environment_map: SettingFile | None = Field(
        default=None,
        description="a YAML file of `curated name: environment file, or azureml:<name>@latest`; "
        "`PENSTOCK_ENVIRONMENT_MAP` counts before it",
    )
