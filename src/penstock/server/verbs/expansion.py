"""Registered components in the place of the references to them, before a document is judged and planned.

Whatever looks at a job's document afterwards sees components as if they were written in it: ports, commands, steps.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from penstock.errors import InvalidDocument, NotFound, Problem
from penstock.resources import references as refs
from penstock.resources.component import Registered
from penstock.resources.ports import MODEL_TYPES
from penstock.resources.wording import pointer_of
from penstock.server.verbs.lookup import WorkspaceLookup
from penstock.server.verbs.requirements import Missing, Need, create_asset
from penstock.store.records.job import JobRecord

MOST_COMPONENTS = 2_000
"""Components that one document may come to: pipelines that use each other twice over grow without end."""


@dataclass(frozen=True)
class Expanded:
    """A document without references to components, but for those that led nowhere (`missing`).

    `places` are the JSON pointers at which a reference stood, with what stands for it now (`azureml:train:3`).
    """

    document: dict[str, Any]
    missing: tuple[Missing, ...]
    places: Mapping[str, str]

    def placed(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """The problems, those inside a component at the reference that a person wrote, naming the component."""
        return tuple(self._placed(problem) for problem in problems)

    def pointer_for(self, pointer: str) -> str:
        """Where a person finds what is at `pointer`: at most the reference itself."""
        return next((each for each in upwards(pointer) if each in self.places), pointer)

    def _placed(self, problem: Problem) -> Problem:
        place = self.pointer_for(problem.pointer)
        if place == problem.pointer:
            return problem
        name = self.places[place]
        if not name.startswith("azureml://"):  # those of a registry say more in full
            name = name.removeprefix("azureml:")
        return replace(problem, pointer=place, message=f"in component `{name}`: {problem.message}")


def expanded(document: dict[str, Any], lookup: WorkspaceLookup) -> Expanded:
    """The document with every component that it refers to; the given one is not changed."""
    missing: list[Missing] = []
    places: dict[str, str] = {}
    count = 0

    def put_in(reference: refs.AssetReference, pointer: str) -> Any:
        nonlocal count
        count += 1
        if count > MOST_COMPONENTS:
            message = f"the document comes to more than {MOST_COMPONENTS:,} components"
            raise InvalidDocument(
                [Problem(pointer, message, hint="does a pipeline hold itself many times over?")]
            )
        try:
            name, found = lookup.component(reference)
        except NotFound as error:
            need = Need("component", pointer, str(reference))
            command, request = create_asset(need, reference.name)
            missing.append(Missing(need, reference.name, error, command, request))
            return None
        if not any(each in places for each in upwards(pointer)):
            places[pointer] = name
        return Registered(_replaced(found, pointer, put_in), name)

    # A job may be made of a component, as a step is.
    return Expanded(_replaced(_step(document, "", put_in), "", put_in), tuple(missing), places)


def pinned_row(record: JobRecord, lookup: WorkspaceLookup) -> JobRecord:
    """A job's row whose document names versions: what `@latest` means may change while it waits."""
    document = pinned(record.spec["document"], lookup)
    return replace(
        record, spec={**record.spec, "document": document}, inputs=document.get("inputs") or record.inputs
    )


def pinned(component: dict[str, Any], lookup: WorkspaceLookup) -> dict[str, Any]:
    """A component's or job's document in which environments, components, data and models are named with their versions.

    NotFound where one of them does not exist.
    """
    found = dict(component)
    if isinstance(found.get("inputs"), dict):
        found["inputs"] = {name: _pinned_input(each, lookup) for name, each in found["inputs"].items()}
    if isinstance(found.get("environment"), str):
        found["environment"] = lookup.explicit_environment(found["environment"])
    if isinstance(found.get("component"), dict):
        found["component"] = pinned(found["component"], lookup)
    if isinstance(found.get("jobs"), dict):
        found["jobs"] = {key: pinned(step, lookup) for key, step in found["jobs"].items()}
    return found


def _pinned_input(given: Any, lookup: WorkspaceLookup) -> Any:
    path = given.get("path") if isinstance(given, dict) else None
    if not isinstance(path, str) or not path.startswith("azureml:") or "${{" in path:
        return given
    return {
        **given,
        "path": lookup.explicit(path, "model" if given.get("type") in MODEL_TYPES else "data"),
    }


def _replaced(
    body: Mapping[str, Any], pointer: str, put_in: Callable[[refs.AssetReference, str], Any]
) -> dict[str, Any]:
    """A job or a component with its steps' components put in."""
    steps = body.get("jobs")
    if not isinstance(steps, Mapping):
        return dict(body)
    return {
        **body,
        "jobs": {
            key: _step(step, f"{pointer}{pointer_of(('jobs', str(key)))}", put_in)
            if isinstance(step, Mapping)
            else step
            for key, step in steps.items()
        },
    }


def _step(
    step: Mapping[str, Any], pointer: str, put_in: Callable[[refs.AssetReference, str], Any]
) -> dict[str, Any]:
    component, place = step.get("component"), f"{pointer}/component"
    if isinstance(component, str):
        reference = component_reference(component)
        found = put_in(reference, place) if reference is not None else None
        return dict(step) if found is None else {**step, "component": found}
    if isinstance(component, Mapping):
        return {**step, "component": _replaced(component, place, put_in)}
    return dict(step)


def component_reference(text: str) -> refs.AssetReference | None:
    """The component that a text names; None for what is no reference: the document's own check says why."""
    try:
        reference = refs.parse_reference(text, "component")
    except refs.BadReference:
        return None
    return reference if isinstance(reference, refs.AssetReference) else None


def upwards(pointer: str) -> Iterator[str]:
    """A pointer and all that it lies under, but for the whole document."""
    while pointer:
        yield pointer
        pointer = pointer.rpartition("/")[0]
