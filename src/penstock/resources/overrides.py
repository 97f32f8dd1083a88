"""`--set a.b[0]."c.d"=value`: changing a document before anything else looks at it.

Missing mappings on the way are created. A text on the way, such as a reference, cannot be reached into. The value is
everything after the first `=` and stays text; the field that it lands in decides what it means.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from penstock.errors import Problem, UsageError
from penstock.resources.nearest import did_you_mean
from penstock.resources.yaml_source import Position, escaped

# Any in this module: a JSON value.

_STEP = re.compile(r'"((?:[^"\\]|\\.)*)"|\[(\d+)\]|([^."\[\]=]+)')
_FORM = (
    "--set takes path=value, such as --set inputs.rate=0.1, --set jobs[0].name=x or --set 'tags.\"a.b\"=x'"
)
# Mappings whose keys the author chooses: nothing else notices a new one.
_FREE_NAMES = ("inputs", "outputs", "jobs")
# Long values are of no use in a message.
_LONGEST_SHOWN = 80


@dataclass(frozen=True)
class Override:
    """One `--set`: keys are text, indexes of lists are numbers."""

    path: tuple[str | int, ...]
    value: str

    @property
    def pointer(self) -> str:
        return pointer_to(self.path)

    @property
    def position(self) -> Position:
        """Where a person finds it: on the command line."""
        text = f"--set {spelled(self.path)}={self.value}"
        return Position(text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…", 0, 0)


def parse_override(text: str) -> Override:
    """The parts of `a.b[0]."c.d"=value`. Raises UsageError."""
    path: list[str | int] = []
    at = 0
    while True:
        step = _STEP.match(text, at)
        if step is None or (step[2] is None) == (text[at : at + 1] == "[") or (step[2] and not path):
            raise UsageError(f"cannot understand --set {text}", hint=_FORM)
        quoted, index, bare = step.groups()
        if index is not None:
            path.append(int(index))
        else:
            path.append(re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else bare.strip())
        at = step.end()
        following = text[at : at + 1]
        if following == "=":
            return Override(tuple(path), text[at + 1 :])
        if following == ".":
            at += 1
        elif following != "[":
            why = "it has no `=`" if not following else f"`{following}` cannot stand there"
            raise UsageError(f"cannot understand --set {text}: {why}", hint=_FORM)


def apply_overrides(
    data: dict[str, Any], overrides: Iterable[Override], positions: dict[str, Position]
) -> list[Problem]:
    """Change `data` and `positions` in place; what cannot be set is returned, placed on the command line."""
    problems = []
    for override in overrides:
        problem = _apply(data, override, positions)
        if problem is not None:
            problems.append(problem.at(override.position.file, 0))
    return problems


def additions_in_doubt(data: Any, overrides: Iterable[Override]) -> list[str]:
    """Warnings for names that `--set` is about to add where a near name is: a slip there would count for nothing."""
    found = []
    for override in overrides:
        here: Any = data
        for count, step in enumerate(override.path):
            if not isinstance(here, dict | list) or isinstance(here, dict) != isinstance(step, str):
                break
            if isinstance(here, list):
                here = here[step] if isinstance(step, int) and step < len(here) else None
                continue
            parent = override.path[count - 1] if count else None
            if step not in here and parent in _FREE_NAMES:
                hint = did_you_mean(str(step), here)
                if hint is not None:
                    added = f"it adds `{step}` to `{spelled(override.path[:count])}`"
                    found.append(f"{override.position.file}: {added}; {hint}")
            here = here.get(step)
    return found


def put(data: Any, path: tuple[str | int, ...], value: Any) -> None:
    """Set the value at a path that exists up to its last step."""
    for step in path[:-1]:
        data = data[step]
    data[path[-1]] = value


def put_at(data: Any, pointer: str, value: Any) -> None:
    """Replace the value at a JSON pointer, which exists."""
    *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    for part in parents:
        data = data[int(part)] if isinstance(data, list) else data[part]
    data[int(last) if isinstance(data, list) else last] = value


def forget_below(pointer: str, positions: dict[str, Position]) -> None:
    """Drop the positions of a value and all below it: it is about to be replaced."""
    for known in [each for each in positions if each == pointer or each.startswith(pointer + "/")]:
        del positions[known]


def pointer_to(path: Iterable[str | int]) -> str:
    """The JSON pointer of a path."""
    return "".join("/" + escaped(str(step)) for step in path)


def spelled(path: Iterable[str | int]) -> str:
    """A path as one types it: `a.b[0]."c.d"`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            key = (
                step
                if re.fullmatch(r'[^."\[\]=\s]+', step)
                else '"' + re.sub(r'(["\\])', r"\\\1", step) + '"'
            )
            text += ("." if text else "") + key
    return text


def _apply(data: Any, override: Override, positions: dict[str, Position]) -> Problem | None:
    path = override.path
    here: Any = data
    for count, step in enumerate(path):
        problem = _cannot_step(here, step, path, count)
        if problem is not None:
            return problem
        if count == len(path) - 1:
            break
        below = here[step] if isinstance(step, int) else here.get(step)
        if below is None:
            below = [] if isinstance(path[count + 1], int) else {}
            here[step] = below
            positions[pointer_to(path[: count + 1])] = override.position
        here = below
    forget_below(override.pointer, positions)
    if isinstance(here, list) and path[-1] == len(here):
        here.append(override.value)
    else:
        here[path[-1]] = override.value
    positions[override.pointer] = override.position
    return None


def _cannot_step(here: Any, step: str | int, path: tuple[str | int, ...], count: int) -> Problem | None:
    """Why a step cannot be taken from a value; None where it can."""
    to, at = spelled(path), spelled(path[:count]) or "the document"
    pointer = pointer_to(path[:count])
    if isinstance(here, dict):
        if isinstance(step, str):
            return None
        hint = did_you_mean(str(step), here)
        return Problem(
            pointer, f"cannot set `{to}`: `{at}` is a mapping, not a list", expected="a key", hint=hint
        )
    if isinstance(here, list):
        if isinstance(step, str):
            hint = f"write the index in brackets, as `{at}[0]`"
            return Problem(pointer, f"cannot set `{to}`: `{at}` is a list", expected="an index", hint=hint)
        # One past the end appends, so that a list that is not there yet can be begun; never leaves a hole.
        if step > len(here) or (step == len(here) and count < len(path) - 1):
            return Problem(
                pointer, f"cannot set `{to}`: `{at}` has {len(here)} items", expected="a smaller index"
            )
        return None
    what = f"the text `{here}`" if isinstance(here, str) else f"`{here}`"
    if isinstance(here, str) and here.startswith(("azureml:", "file:", ".", "/")):
        what = f"the reference `{here}`"
    return Problem(
        pointer,
        f"cannot set `{to}`: `{at}` is {what}, which has no fields",
        expected="a mapping",
        hint=f"replace it as a whole with --set {at}=…, or write it out in the file",
    )
