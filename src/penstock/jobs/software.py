"""A step's environment as the room that makes environments is asked for it."""

from penstock.environments.environments import EnvironmentRequest
from penstock.jobs.plans import PlannedEnvironment


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
    )
