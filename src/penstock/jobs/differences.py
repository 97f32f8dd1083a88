"""What differs between two jobs, step by step: code, environment, inputs, parameters, metrics.

Pure comparison of facts that somebody else has gathered; steps are paired by their key.
"""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

# Any in this module: a JSON value.

_LONGEST_DIFF: Final = 500
"""Lines of one file's difference that are shown."""

Values = Mapping[str, Any]
Texts = Callable[[str], str | None]
"""A file's text by the digest of its content; None for what is no text, too long, or gone."""


@dataclass(frozen=True)
class Facts:
    """What is known of one step, or of a job that has none.

    `values` holds single values (command, compute, status …) and `groups` mappings (inputs, metrics …), both by the name
    under which a difference is told. `code` maps paths to digests of content, `packages` names to versions.
    """

    values: Values = field(default_factory=dict)
    groups: Mapping[str, Values] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)


def differences(a: Mapping[str, Facts], b: Mapping[str, Facts], text_of: Texts) -> dict[str, Any]:
    """By step key, what differs; a step that one job lacks is `{"only_in": "a"}`. Empty where all is the same."""
    found: dict[str, Any] = {}
    for key in dict.fromkeys([*a, *b]):
        if key in a and key in b:
            differs = _between(a[key], b[key], text_of)
            if differs:
                found[key] = differs
        else:
            found[key] = {"only_in": "a" if key in a else "b"}
    return found


def _between(a: Facts, b: Facts, text_of: Texts) -> dict[str, Any]:
    found: dict[str, Any] = _changed(a.values, b.values)
    for name in dict.fromkeys([*a.groups, *b.groups]):
        inner = _changed(a.groups.get(name, {}), b.groups.get(name, {}))
        if inner:
            found[name] = inner
    code = _code(a.code, b.code, text_of)
    packages = _changed(a.packages, b.packages)
    return found | ({"code": code} if code else {}) | ({"packages": packages} if packages else {})


def _changed(a: Values, b: Values) -> dict[str, Any]:
    """`{name: {"a": …, "b": …}}` of what is not equal; what one side lacks is None there."""
    return {
        name: _pair(a.get(name), b.get(name))
        for name in dict.fromkeys([*a, *b])
        if not _equal(a.get(name), b.get(name))
    }


def _equal(a: Any, b: Any) -> bool:
    """NaN equals itself here: a metric that is NaN in both has not changed."""
    return bool(a == b or (a != a and b != b))


def _pair(a: Any, b: Any) -> dict[str, Any]:
    pair = {"a": a, "b": b}
    if isinstance(a, float) and isinstance(b, float):
        pair["change"] = b - a
    return pair


def _code(a: Mapping[str, str], b: Mapping[str, str], text_of: Texts) -> dict[str, Any]:
    """Paths that were added, removed and changed; of changed text files also the lines."""
    added = sorted(b.keys() - a.keys())
    removed = sorted(a.keys() - b.keys())
    changed = sorted(path for path in a.keys() & b.keys() if a[path] != b[path])
    if not added and not removed and not changed:
        return {}
    lines = {path: _lines(path, text_of(a[path]), text_of(b[path])) for path in changed}
    return {
        "added": added,
        "removed": removed,
        "changed": changed,
        "diff": {path: diff for path, diff in lines.items() if diff},
    }


def _lines(path: str, a: str | None, b: str | None) -> list[str]:
    if a is None or b is None:
        return []
    diff = list(
        difflib.unified_diff(a.splitlines(), b.splitlines(), f"a/{path}", f"b/{path}", lineterm="", n=3)
    )
    if len(diff) > _LONGEST_DIFF:
        return [*diff[:_LONGEST_DIFF], f"… {len(diff) - _LONGEST_DIFF} more lines"]
    return diff
