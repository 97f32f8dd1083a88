"""`distribution`: a command that runs as several processes, which find one another by environment variables."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from penstock.errors import Problem
from penstock.resources.field_types import Choice
from penstock.resources.model_base import Part
from penstock.resources.numbers import CountOrBinding, CountOrNoneOrBinding
from penstock.resources.wording import pointer_of, quoted

_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "pytorch": ("process_count_per_instance",),
    "mpi": ("process_count_per_instance",),
    "tensorflow": ("worker_count", "parameter_server_count"),
}
RAY_HINT = (
    "no Ray cluster is started here: write `type: pytorch` or leave `distribution` out, and let the command call `ray.init()`,"
    " which uses this machine's cores"
)


class Distribution(Part):
    """How many processes run the command, and by which variables they know one another."""

    noun = "a distribution"

    type: Annotated[Literal["pytorch", "mpi", "tensorflow"], Choice(not_yet=("ray",), hint=RAY_HINT)]
    process_count_per_instance: CountOrBinding | None = Field(
        default=None, description="pytorch and mpi: how many processes an instance runs; 1 if absent"
    )
    worker_count: CountOrBinding | None = Field(
        default=None, description="tensorflow: how many workers; as many as instances if absent"
    )
    parameter_server_count: CountOrNoneOrBinding | None = Field(
        default=None, description="tensorflow: how many parameter servers; 0 if absent"
    )

    @classmethod
    def refusal(cls, data: Mapping[str, Any]) -> Problem | None:
        if str(data.get("type")).strip().lower() == "ray":  # its own fields deserve no words of their own
            message = "distribution of type `ray` is not supported yet"
            return Problem("/type", message, _expected(), RAY_HINT, "unsupported")
        return None

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        kind = str(data.get("type")).strip().lower()
        mine = _FIELDS.get(kind)
        for key in data:
            if mine is not None and key in cls.model_fields and key not in (*mine, "type"):
                message = f"`{key}` is not a field of a distribution of type `{kind}`"
                yield Problem(pointer_of((key,)), message, expected=f"one of {quoted(mine)}")


def _expected() -> str:
    return f"one of {quoted([*_FIELDS])}"
