"""A step's environment as the room that makes environments is asked for it."""

from collections.abc import Iterable, Mapping
from typing import Any

from penstock.environments.environments import EnvironmentRequest, Registered, Relaxation
from penstock.jobs.plans import PlannedEnvironment
from penstock.resources.relaxed import Row


def request_for(environment: PlannedEnvironment, pointer: str = "") -> EnvironmentRequest:
    """The request; `pointer` is where the environment stands in the document."""
    return EnvironmentRequest(
        label=environment.label,
        image=environment.image,
        conda=environment.conda,
        pointer=pointer,
        notes=environment.notes,
        relax=environment.relax,
        conda_packages=environment.conda_packages or "pypi",
        registered=_registered(environment),
    )


def _registered(environment: PlannedEnvironment) -> Registered | None:
    if environment.pinned is None:
        return None
    return registered_as(environment.pinned, environment.relaxed)


def registered_as(pinned: Mapping[str, Any], rows: Iterable[Row]) -> Registered:
    """What a version keeps of its relaxing, as the room that makes environments knows it."""
    # Where the lines stand is not kept: what is registered is not of the document that is looked at.
    relaxations = (Relaxation(row["what"], row["asked"], row["taken"], row["why"], "") for row in rows)
    return Registered(pinned, tuple(relaxations))
