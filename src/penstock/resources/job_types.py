"""The `type` of jobs, steps and components: which are supported, which come later, and what to say about others."""

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.errors import Problem
from penstock.resources.nearest import did_you_mean
from penstock.resources.wording import describe, quoted


def spelled_type(data: Mapping[str, Any]) -> str:
    """The `type` in lower case, `command` if there is none."""
    return str(data.get("type") or "command").strip().lower().replace("-", "_")


def step_type(step: Mapping[str, Any]) -> str:
    """The `type` of a step; that of its component where the step says none and the component is a pipeline."""
    component = step.get("component")
    if step.get("type") is None and isinstance(component, Mapping):
        return "pipeline" if spelled_type(component) == "pipeline" else "command"
    return spelled_type(step)


def with_spelled_type(data: dict[str, Any]) -> dict[str, Any]:
    """The mapping with `type: Command` written as the models spell it."""
    if isinstance(data.get("type"), str):
        return {**data, "type": spelled_type(data)}
    return data


def type_problem(
    what: str, data: Mapping[str, Any], offered: Sequence[str], later: Sequence[str]
) -> Problem | None:
    """Why a thing (`a job`, `a step`) of this type cannot be had, or None."""
    kind, given = spelled_type(data), data.get("type")
    expected = " or ".join(f"`{name}`" for name in offered)
    if isinstance(given, str | None) and kind in offered:
        return None
    if kind in later:
        message = f"{what} of type `{kind}` is not supported yet"
        return Problem("/type", message, expected=expected, code="unsupported")
    message = f"`type` must be one of {quoted(offered)}, got {describe(given)}"
    return Problem("/type", message, expected=expected, hint=did_you_mean(kind, [*offered, *later]))
