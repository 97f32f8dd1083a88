"""What stands for a curated environment: a file that a map names, and whether this machine has its Python."""

from pathlib import Path

from penstock.environments.environments import EnvironmentRequest
from penstock.errors import InvalidDocument, NotFound, PenstockError
from penstock.jobs.plans import PlannedEnvironment
from penstock.resources import documents
from penstock.resources.environment import Environment
from penstock.resources.reading import read_document
from penstock.server.platform import Platform


def environment_in(file: Path, name: str) -> PlannedEnvironment:
    """The environment that a file of a map describes, under the curated name. Raises PenstockError with its lines."""
    document = read_document(file, "environment", fields={"name": name})
    problems = document.problems
    environment = None
    try:
        environment = documents.parse("environment", document.data).resource
    except InvalidDocument as error:
        problems = document.together(error.problems)
    if problems or not isinstance(environment, Environment):
        lines = [f"{problem.file or file}:{problem.line or 0}  {problem.message}" for problem in problems]
        raise PenstockError(f"{file}, which a map of environments names, is no environment", details=lines)
    return PlannedEnvironment(f"{name} ({file})", environment.image, environment.conda_file)


def checked_environment(platform: Platform, planned: PlannedEnvironment) -> PlannedEnvironment:
    """The same, or NotFound: a Python or a package that this machine cannot give shows when the job is created."""
    problems = platform.environments.check(EnvironmentRequest(planned.label, planned.image, planned.conda))
    if problems:
        raise NotFound(f"curated environment `{planned.label}`: {problems[0].message}", hint=problems[0].hint)
    return planned
