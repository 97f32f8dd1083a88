"""Build contexts that were uploaded: what their Dockerfile asks for, as planning and creating need it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from penstock.environments.build_context import read_build_context
from penstock.errors import InvalidDocument, Problem
from penstock.jobs.plans import PlannedEnvironment
from penstock.jobs.software import request_for
from penstock.resources.environment import BuildContext
from penstock.resources.relaxed import how_to_relax
from penstock.resources.snapshots import Snapshot, SnapshotUri, parse_snapshot_uri
from penstock.resources.workspace_settings import CondaPackages
from penstock.server.platform import Platform

_LONGEST = 4 * 1024 * 1024
"""Bytes of a file that is read: a Dockerfile, requirements, a conda file."""


class UploadedContext:
    """The files of an uploaded folder."""

    def __init__(self, platform: Platform, uri: SnapshotUri) -> None:
        self.name = uri.name
        self._platform = platform
        self._digest = uri.digest

    def paths(self) -> Sequence[str]:
        return [file.path for file in self._snapshot.files]

    def text(self, path: str) -> str:
        digest = next(file.digest for file in self._snapshot.files if file.path == path)
        with self._platform.artifacts.open(digest) as stream:
            return stream.read(_LONGEST).decode("utf-8", "replace").removeprefix("\ufeff")

    @cached_property
    def _snapshot(self) -> Snapshot:
        return self._platform.checkouts.load(self._digest)


def planned_build(
    platform: Platform,
    build: BuildContext,
    label: str,
    pointer: str,
    *,
    relax: bool = False,
    conda_packages: CondaPackages = "pypi",
) -> PlannedEnvironment:
    """The environment that a build context stands for. Raises InvalidDocument with the lines that cannot be followed.

    A Dockerfile that asks for nothing of conda gets PyPI's packages, whatever conda files get.
    """
    uri = parse_snapshot_uri(build.path)
    if uri is None or platform.artifacts.missing({uri.digest}):
        return PlannedEnvironment(
            label, None, None
        )  # not uploaded yet: it is asked for before anything is made
    recipe = read_build_context(
        UploadedContext(platform, uri),
        build.dockerfile_path,
        pointer,
        for_conda=conda_packages == "conda",
    )
    problems = recipe.problems
    engine = platform.containers.engine()
    if engine is not None and (problems or platform.containers.mode == "always") and not _absent(problems):
        return PlannedEnvironment(
            label,
            recipe.image,
            None,
            notes=(f"the step runs in a container of {engine.name}, whose image is built from `{uri.name}`",),
            build={"path": build.path, "dockerfile_path": build.dockerfile_path},
            in_container=True,
        )
    if problems:
        raise InvalidDocument(problems)
    planned = PlannedEnvironment(
        label,
        recipe.image,
        recipe.conda,
        recipe.notes,
        recipe.variables,
        relax=relax,
        conda_packages=conda_packages if _asks_conda(recipe.conda) else "pypi",
    )
    found = platform.environments.check(request_for(planned, pointer))
    if found:
        raise InvalidDocument(
            [Problem(pointer, each.message, each.expected, each.hint, each.code) for each in found],
            hint=how_to_relax(found, relax=relax),
        )
    return planned


def in_its_image(platform: Platform, environment: PlannedEnvironment) -> PlannedEnvironment:
    """The environment of a step, in a container where PENSTOCK_CONTAINERS=always wants that and there is an image."""
    if platform.containers.mode != "always" or environment.image is None or environment.in_container:
        return environment
    if platform.containers.engine() is None:
        raise InvalidDocument(
            [Problem("/environment", "PENSTOCK_CONTAINERS=always, and neither podman nor docker answers")],
            hint="start one of them, or set PENSTOCK_CONTAINERS=auto where the server runs",
        )
    note = f"the step runs in a container of image `{environment.image}`"
    return replace(environment, notes=(note,), in_container=True)


def _asks_conda(conda: Mapping[str, Any] | None) -> bool:
    """Whether a Dockerfile asks for conda packages, and not for pip's alone."""
    return any(isinstance(line, str) for line in (conda or {}).get("dependencies") or ())


def _absent(problems: Sequence[Problem]) -> bool:
    """No engine can build what is not there."""
    return any(problem.code == "missing" for problem in problems)
