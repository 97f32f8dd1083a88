"""`--set`, `--add` and `--remove` of `update`: what a record becomes, and which of its fields may become something else.

Paths are those of `--set` on a file: `tags.a`, `tags."a.b"`, `list[0]`. Sets come first, then additions, then removals.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from penstock.errors import PenstockError
from penstock.resources.nearest import did_you_mean
from penstock.resources.overrides import Override, apply_overrides, parse_override, spelled

# Any in this module: a JSON value.

# What a team has written there others rely on: keys may be added, and what is there stays.
_APPEND_ONLY = "properties"
_MAPPINGS = ("tags", _APPEND_ONLY)

Steps = tuple[str | int, ...]


@dataclass(frozen=True)
class Changes:
    """What somebody wants of a record: values by path, (path, value) to add to lists and mappings, paths to remove."""

    set: Mapping[str, Any] = field(default_factory=dict)
    add: Sequence[tuple[str, Any]] = ()
    remove: Sequence[str] = ()

    @property
    def fields(self) -> list[str]:
        """The outermost fields that are touched, each once."""
        paths = (*self.set, *(path for path, _ in self.add), *self.remove)
        return list(dict.fromkeys(str(steps_of(path)[0]) for path in paths))


def steps_of(path: str) -> Steps:
    """The steps of a dotted path. Raises UsageError."""
    return parse_override(f"{path}=").path


def applied(record: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
    """The record as it would be; the given one stays. Raises PenstockError for a path that leads nowhere."""
    data = copy.deepcopy(dict(record))
    for path, value in changes.set.items():
        _set(data, steps_of(path), copy.deepcopy(value))
    for path, value in changes.add:
        _add(data, steps_of(path), copy.deepcopy(value))
    for path in changes.remove:
        _remove(data, steps_of(path))
    return data


def changed_fields(
    record: Mapping[str, Any], changes: Changes, *, what: str, may_change: Sequence[str]
) -> dict[str, Any]:
    """The fields that become something else, with their new values.

    Refused by name: a field that may not change, a property that is there already, a tag that is no text.
    """
    refuse_fixed(record, changes, what=what, may_change=may_change)
    before = {name: record.get(name) for name in changes.fields}
    after = applied(before, changes)
    found: dict[str, Any] = {}
    for name, value in after.items():
        if name not in _MAPPINGS:
            found[name] = _text(name, value)
        else:
            found[name] = _entries(name, value or {}, before[name] or {})
    if _APPEND_ONLY in found:
        _refuse_lost(before[_APPEND_ONLY] or {}, found[_APPEND_ONLY])
    return {name: value for name, value in found.items() if value != before[name]}


def refuse_fixed(
    record: Mapping[str, Any], changes: Changes, *, what: str, may_change: Sequence[str]
) -> None:
    """Refuse the first field that may not change, by name, saying which may."""
    for name in changes.fields:
        if name not in may_change:
            raise _fixed(name, record, what, may_change)


def _fixed(name: str, record: Mapping[str, Any], what: str, may_change: Sequence[str]) -> PenstockError:
    near = did_you_mean(name, may_change) if name not in record else None
    return PenstockError(
        f"`{name}` of {what} cannot be changed",
        details=(f"can be changed: {', '.join(may_change)}",),
        hint=near or ("what it is made of never changes: create a new one" if name in record else None),
    )


def _set(data: dict[str, Any], steps: Steps, value: Any) -> None:
    problems = apply_overrides(data, [Override(steps, value)], {})
    if problems:
        raise PenstockError(problems[0].message, hint=problems[0].hint)


def _add(data: dict[str, Any], steps: Steps, value: Any) -> None:
    holder, last = _holder_of(data, steps, "add to")
    target = holder[last] if _has(holder, last) else None
    if target is None:
        target = {} if isinstance(value, dict) else []
        holder[last] = target
    if isinstance(target, list):
        target.append(value)
    elif isinstance(target, dict) and isinstance(value, dict):
        target.update(value)
    elif isinstance(target, dict):
        raise PenstockError(
            f"cannot add `{value}` to `{spelled(steps)}`, which holds keys with values",
            hint=f"--add {spelled(steps)} key=value",
        )
    else:
        raise PenstockError(
            f"cannot add to `{spelled(steps)}`: it is neither a list nor a mapping",
            hint=f"replace it: --set {spelled(steps)}=…",
        )


def _remove(data: dict[str, Any], steps: Steps) -> None:
    holder, last = _holder_of(data, steps, "remove")
    if not _has(holder, last):
        known = holder if isinstance(holder, dict) else ()
        raise PenstockError(f"there is no `{spelled(steps)}` to remove", hint=did_you_mean(str(last), known))
    if len(steps) == 1:  # a field of the record stays as a field, and becomes empty
        holder[last] = type(holder[last])() if isinstance(holder[last], dict | list) else None
    else:
        del holder[last]


def _holder_of(data: Any, steps: Steps, verb: str) -> tuple[Any, Any]:
    """The mapping or list that a path's last step is taken in, and that step. Any: it is both."""
    here = data
    for count, step in enumerate(steps[:-1]):
        if not _has(here, step):
            raise PenstockError(
                f"cannot {verb} `{spelled(steps)}`: there is no `{spelled(steps[: count + 1])}`"
            )
        here = here[step]
    return here, steps[-1]


def _has(holder: Any, step: str | int) -> bool:
    if isinstance(holder, dict):
        return step in holder
    return isinstance(holder, list) and isinstance(step, int) and step < len(holder)


def _text(name: str, value: Any) -> str | None:
    if isinstance(value, dict | list):
        raise PenstockError(f"`{name}` is a text, not {value!r}", hint="--force-string keeps a text as it is")
    return None if value is None else str(value)


def _entries(name: str, value: Any, before: Mapping[str, Any]) -> dict[str, Any]:
    """The entries with texts as values; those that were there before stay as they are."""
    if not isinstance(value, dict):
        raise PenstockError(f"`{name}` holds keys with values, not {value!r}", hint=f"--set {name}.key=value")
    return {
        key: each if key in before and before[key] == each else _text(f"{name}.{key}", each)
        for key, each in value.items()
    }


def _refuse_lost(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    for key, value in before.items():
        if key not in after or after[key] != value:
            raise PenstockError(
                f"property `{key}` cannot be changed or removed: properties are only ever added",
                hint="use a tag for what changes",
            )
