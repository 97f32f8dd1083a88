"""Asking for the profile of data: an answer that comes as lines of JSON."""

import json
from collections.abc import Callable, Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from penstock.client.assets import Record
from penstock.client.connection import Connection, escaped
from penstock.errors import PenstockError, UsageError, error_from_record

Progress = Callable[[int], None]


def profile(
    connection: Connection,
    base: str,
    name: str | None,
    *,
    version: str | None,
    label: str | None,
    path: str | PathLike[str] | None,
    kind: str | None,
    reading: Mapping[str, object],
    progress: Progress,
) -> Record:
    """The profile of a version or a path; `base` is the address of the data assets of a workspace or registry."""
    if (name is None) == (path is None):
        raise UsageError("give the name of data, or a path", hint="`-n taxi`, or `--path taxi.csv`")
    more: dict[str, str | None] = {}
    if path is not None:
        if "/registries/" in base:
            raise UsageError("a path is in no registry", hint="leave the registry out")
        where = base.removesuffix("/data")
        more = {"path": readable(connection, fspath(path)), "type": kind}
    elif version is not None and label is not None:
        raise UsageError("cannot provide both a version and a label", hint="give one of them")
    else:
        which = ("versions", version) if version is not None else ("labels", label or "latest")
        where = f"{base}/{escaped(str(name), *which)}"
    found: Record = answer_of(connection, f"{where}/profile", {**reading, **more}, "profile", progress)
    return found


def readable(connection: Connection, path: str) -> str:
    """The path as the server reads it: an address as it is, a local one as an absolute one of this machine."""
    if path.startswith("azureml:") or "://" in path:
        return path
    if connection.address.socket is None:
        raise PenstockError(
            "a local path is read by a server on this machine, and PENSTOCK_SERVER names another one",
            hint="register the data with `penstock data create`, and name it",
        )
    local = Path(path).expanduser().absolute()
    if not local.exists():
        raise PenstockError(f"{path} does not exist", details=(f"looked for {local}",))
    return str(local)


def answer_of(
    connection: Connection,
    path: str,
    query: Mapping[str, object],
    called: str,
    progress: Progress,
    *,
    body: object = None,
) -> Any:  # Any: JSON
    """The last line of an answer that comes as lines of JSON, to a GET, or to a POST of `body`; `progress` is told the rows that were
    read before it."""
    with connection.download(path, query, body=body) as answer:
        for line in answer.lines():
            said = json.loads(line)
            if "rows" in said:
                progress(said["rows"])
            elif "error" in said:
                raise error_from_record(said["error"])
            elif called in said:
                return said[called]
    raise PenstockError(
        "the server ended its answer before the end", hint="`penstock server logs` may say why"
    )
