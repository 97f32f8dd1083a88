"""The doubled dollar: `$${{inputs.x}}` where `${{inputs.x}}` is meant, a slip that templates of CI systems lead to.

It is mended once, where a document is parsed, so that what is kept, planned, shown and compared says the meant form.
Three dollars are the shell's own `$$` (its process id) and an expression; they stay. `$$[[` is refused by
`expressions`: nothing is known to mean it, and a lone `$` before an argument would reach the command.
"""

import copy
import re
from collections.abc import Mapping
from typing import Any

from penstock.errors import Problem
from penstock.resources.wording import pointer_of

# Any in this module: a JSON value.

_DOUBLED = re.compile(r"(?<!\$)\$(\$\{\{.*?\}\})", re.DOTALL)
# Texts for people, and what is not the job's own language: an expression there is text.
_PROSE = frozenset(
    {
        "$schema", "name", "version", "description", "display_name", "experiment_name", "comment", "tags", "properties",
        "environment",
    }
)  # fmt: skip
# The keys of these are names that somebody chose, and may be called like any of the above.
_NAMED = frozenset({"inputs", "outputs", "jobs", "environment_variables", "search_space"})


def mended(document: Any) -> tuple[Any, list[Problem]]:
    """The document of a job or component with every doubled dollar taken as one, and a warning for each field.

    The given document is not changed, and what needs no mending is not copied.
    """
    told: list[Problem] = []
    return _mended(document, "", told, names=False), told


def _mended(value: Any, pointer: str, told: list[Problem], *, names: bool) -> Any:
    if isinstance(value, str):
        return _text(value, pointer, told)
    if isinstance(value, Mapping):
        items = [(key, item) for key, item in value.items() if names or key not in _PROSE]
    elif isinstance(value, list):
        items = list(enumerate(value))
    else:
        return value
    changed: Any = value
    for key, item in items:
        within = not names and key in _NAMED
        new = _mended(item, pointer + pointer_of((key,)), told, names=within)
        if new is not item:
            # A copy of the same class: a registered component in the document knows its own name.
            changed = copy.copy(value) if changed is value else changed
            changed[key] = new
    return changed


def _text(text: str, pointer: str, told: list[Problem]) -> str:
    found = [each.group() for each in _DOUBLED.finditer(text)]
    if not found:
        return text
    written = " and ".join(f"`{each}`" for each in dict.fromkeys(found))
    meant = " and ".join(f"`{each[1:]}`" for each in dict.fromkeys(found))
    one = len(set(found)) == 1
    message = f"{written} {'has' if one else 'have'} a `$` too many; {'it is' if one else 'they are'} taken as {meant}"
    told.append(Problem(pointer, message))
    return _DOUBLED.sub(r"\1", text)
