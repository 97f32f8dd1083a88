"""The `settings` of a pipeline job: defaults of its steps."""

from typing import Any

from pydantic import ConfigDict, Field

from penstock.resources.field_types import Flag
from penstock.resources.model_base import Part, not_yet
from penstock.resources.reference_fields import ComputeTarget, DatastoreName


class PipelineSettings(Part):
    """Defaults of a pipeline's steps."""

    model_config = ConfigDict(extra="allow")
    noun = "`settings` of a pipeline"

    default_compute: ComputeTarget | None = None
    default_datastore: DatastoreName | None = None
    continue_on_step_failure: Flag = Field(
        default=True, description="steps that do not need the failed one still run"
    )
    force_rerun: Flag = Field(default=False, description="steps are not reused yet, so every step runs")
    on_init: Any = not_yet("make it the step that all others read from")
    on_finalize: Any = not_yet("run it after the pipeline")
