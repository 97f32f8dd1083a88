"""Which files a table's `paths` name, in which order: relative to the table's folder, absolute, or by address.

Addresses (`azureml://datastores/…`, `https://…`) are found through a map that the machine which runs the step gives in a file,
named by the variable PENSTOCK_MLTABLE. Nothing is downloaded here.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any, Iterator
from urllib.parse import unquote

from .errors import MLTableError

KINDS = ("file", "folder", "pattern")
MAP_VARIABLE = "PENSTOCK_MLTABLE"
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://|azureml:")
_DATASTORE = re.compile(
    r"azureml://(?:subscriptions/[^/]+/resource[gG]roups/[^/]+/"
    r"(?:providers/[^/]+/)?workspaces/[^/]+/)?datastores/([^/]+)/paths/?(.*)$"
)
_MAGIC = re.compile(r"[*?\[]")


def is_address(text: str) -> bool:
    """Whether a path is an address rather than a place on this machine. `file://` is a place."""
    return _ADDRESS.match(text) is not None and not text.startswith("file://")


def known_map() -> dict[str, Any]:
    """What the step was told about addresses and tables; empty outside of a step."""
    file = os.environ.get(MAP_VARIABLE)
    if not file or not os.path.isfile(file):
        return {}
    with open(file, encoding="utf-8") as stream:
        found = json.load(stream)
    return found if isinstance(found, dict) else {}


def local_path(text: str, base: str, places: dict[str, Any] | None = None) -> str:
    """The place on this machine that a path stands for. MLTableError for an address that nothing is known of."""
    if text.startswith("file://"):
        text = unquote(text[len("file://") :])
    if not is_address(text):
        return os.path.normpath(os.path.join(base, text))
    places = known_map() if places is None else places
    addresses = places.get("addresses") or {}
    if text in addresses:
        return str(addresses[text])
    match = _DATASTORE.match(text)
    folder = (places.get("datastores") or {}).get(match.group(1)) if match else None
    if match and folder:
        root = os.path.realpath(folder)
        inside = os.path.normpath(os.path.join(root, match.group(2)))
        if inside != root and not inside.startswith(root + os.sep):
            raise MLTableError("`{}` leads out of the datastore `{}`".format(text, match.group(1)))
        return inside
    raise MLTableError(
        "`{}` is an address whose data is not on this machine; give it to the job as an input, and read the "
        "path that the job passes to the command".format(text)
    )


def files_of(entry: dict[str, str], base: str, places: dict[str, Any] | None = None) -> Iterator[str]:
    """The files that one item of `paths` names, sorted by path. MLTableError where there are none."""
    ((kind, text),) = entry.items()
    if kind == "pattern":
        found = list(_matching(text, base, places))
        if not found:
            raise MLTableError("`pattern: {}` matches no file in {}".format(text, base))
        for each in found:
            yield each
        return
    path = local_path(text, base, places)
    if not os.path.exists(path):
        raise MLTableError("`{}: {}` does not exist; looked for {}".format(kind, text, path))
    if kind == "file" and os.path.isdir(path):
        raise MLTableError("`file: {}` is a folder; write `folder: {}`".format(text, text))
    if kind == "folder" and not os.path.isdir(path):
        raise MLTableError("`folder: {}` is a file; write `file: {}`".format(text, text))
    if kind == "file":
        yield path
        return
    for name in _below(path):
        if not _is_hidden(name):
            yield os.path.join(path, name)


def divided(text: str) -> tuple[str, str]:
    """The folder before the first wildcard of a pattern, and the rest."""
    parts = text.split("/")
    fixed = next((index for index, part in enumerate(parts) if _MAGIC.search(part)), len(parts) - 1)
    return "/".join(parts[:fixed]), "/".join(parts[fixed:])


def _matching(text: str, base: str, places: dict[str, Any] | None) -> Iterator[str]:
    """Walk below the part of the pattern that holds no wildcard."""
    start, rest = divided(text)
    if is_address(text) and not is_address(start + "/"):
        raise MLTableError(
            "the beginning of `pattern: {}` holds a wildcard; give a folder first".format(text)
        )
    root = local_path(start or ("/" if text.startswith("/") else "."), base, places)
    pattern = pattern_of(rest)
    if not os.path.isdir(root):
        return
    for name in _below(root):
        if pattern.match(name):
            yield os.path.join(root, name)


def _below(root: str) -> list[str]:
    """Every file below a folder, by its path inside, sorted. Links to folders are followed, but not in circles."""
    found = []
    above = {
        root: [os.path.realpath(root)]
    }  # each folder that is still to be walked, with the real ones around it
    for folder, folders, names in os.walk(root, followlinks=True):
        around = above.pop(folder)
        for each in list(folders):
            path = os.path.join(folder, each)
            real = os.path.realpath(path) if os.path.islink(path) else os.path.join(around[-1], each)
            if real in around:
                folders.remove(each)
            else:
                above[path] = around + [real]
        inside = os.path.relpath(folder, root)
        found += [name if inside == "." else "/".join((inside.replace(os.sep, "/"), name)) for name in names]
    return sorted(found)


def _is_hidden(name: str) -> bool:
    """What a folder holds besides data: the MLTable file itself, and what begins with `.` or `_`."""
    return name == "MLTable" or any(part[:1] in "._" for part in name.split("/"))


def pattern_of(text: str) -> Any:
    """A glob as a regular expression: `*` and `?` within one part of a path, `[..]`, and `**` over any number of parts.

    A name that begins with a point is matched only where the pattern says so.
    """
    parts = [part for part in text.split("/") if part not in ("", ".")]
    out = []
    for index, part in enumerate(parts):
        is_last = index == len(parts) - 1
        if part == "**":
            out.append("(?:(?!\\.)[^/]+/)*" + ("(?!\\.)[^/]+" if is_last else ""))
        else:
            out.append(_part(part) + ("" if is_last else "/"))
    return re.compile("".join(out) + r"\Z", re.DOTALL)


def _part(part: str) -> str:
    out, place = ("(?!\\.)" if part[:1] in "*?[" else ""), 0
    while place < len(part):
        sign, place = part[place], place + 1
        if sign == "*":
            while part[place : place + 1] == "*":
                place += 1
            out += "[^/]*"
        elif sign == "?":
            out += "[^/]"
        elif sign == "[":
            end = part.find("]", place + (2 if part[place : place + 1] in ("!", "^") else 1))
            if end < 0:
                out += "\\["
                continue
            inner = part[place:end].replace("\\", "\\\\")
            if inner[0] in "!^":
                inner = "^" + inner[1:]
            out, place = out + "[" + inner + "]", end + 1
        else:
            out += re.escape(sign)
    return out


def checked_paths(paths: Any) -> list[dict[str, str]]:
    """The items of `paths`, each one kind with one text. MLTableError names what is wrong."""
    if not isinstance(paths, (list, tuple)) or not paths:
        raise MLTableError("`paths` is a list of `file:`, `folder:` or `pattern:` items, and not empty")
    for number, entry in enumerate(paths, start=1):
        if not isinstance(entry, dict) or len(entry) != 1 or next(iter(entry)) not in KINDS:
            raise MLTableError(
                "item {} of `paths` is `{}`; it must be one of `file: …`, `folder: …`, `pattern: …`".format(
                    number, entry
                )
            )
        if not all(isinstance(text, (str, os.PathLike)) and str(text) for text in entry.values()):
            raise MLTableError("item {} of `paths` names nothing".format(number))
    return [{kind: os.fspath(text) for kind, text in entry.items()} for entry in paths]
