"""Profiles of data: of a version, whose profile is kept, and of what lies somewhere, which is looked at as it is."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.errors import NotFound, PenstockError, PermissionDenied, error_from_record
from penstock.identity.permissions import Action, require
from penstock.identity.tokens import Caller
from penstock.jobs.plans import Source
from penstock.jobs.tables import places_of_table
from penstock.profiling.profile import FORMAT
from penstock.profiling.proposal import propose
from penstock.profiling.running import Question, ask
from penstock.resources import references as refs
from penstock.resources.mltable_file import FILE_NAME
from penstock.resources.scope import reference_to, registry_of, registry_scope
from penstock.server.platform import Platform
from penstock.server.verbs import asset
from penstock.server.verbs.lookup import source_of
from penstock.server.verbs.scope import must_exist
from penstock.server.verbs.upload import uploaded_as

# Any in this module: a record, and options of reading.

READING = ("pattern", "delimiter", "encoding", "header", "skip_rows")
"""How a table is read where it does not say so itself; see `penstock.profiling.tables.open_table`."""


@dataclass(frozen=True)
class Subject:
    """Data that is there, ready to be asked about. `told` is what an answer says of it; `key` names its content, None where nobody can."""

    path: Path
    kind: str
    told: Mapping[str, Any]
    key: str | None
    options: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, Any] | None = None


def version(
    platform: Platform,
    caller: Caller,
    scope: str,
    name: str,
    *,
    version: str | None = None,
    label: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Subject:
    """A version of data (the latest where none is named), with its files on this machine."""
    require(caller, Action.ASSET_READ, scope)
    if label is not None:
        asset.label_is_latest("data", name, label)
    with platform.database.reading() as tx:
        record = asset.find(tx, scope, "data", name, version=version)
    kind = str(record.spec.get("type") or "uri_folder")
    source = source_of(str(record.spec["path"]), registry_of(scope))
    told = {
        "data": reference_to(scope, "data", record.name, record.version),
        "name": record.name,
        "version": record.version,
    }
    return _subject(platform, caller, scope, source, kind, told, options or {})


def place(
    platform: Platform,
    caller: Caller,
    workspace: str,
    path: str,
    *,
    kind: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Subject:
    """Data that is no version: a reference (`azureml:taxi@latest`, a place in a datastore), or an absolute path of this machine.

    A path is read as it lies there, and only for the owner of the server: it is their machine.
    """
    require(caller, Action.ASSET_READ, workspace)
    with platform.database.reading() as tx:
        must_exist(tx, workspace)
    if not path:
        raise PenstockError("a profile is of something", hint="name it by `path`")
    if path.startswith("/"):
        return _local(caller, Path(path), kind, options or {})
    try:
        reference = refs.parse_reference(path, "data")
    except refs.BadReference as error:
        raise PenstockError(error.message, hint="give an absolute path, or a reference to data") from error
    if isinstance(reference, refs.AssetReference):
        scope = workspace if reference.registry is None else registry_scope(reference.registry)
        return version(
            platform,
            caller,
            scope,
            reference.name,
            version=reference.version,
            label=reference.label,
            options=options,
        )
    told = {"path": path}
    return _subject(platform, caller, workspace, source_of(path, None), kind, told, options or {})


def _local(caller: Caller, path: Path, kind: str | None, options: Mapping[str, Any]) -> Subject:
    if caller.kind != "owner":
        raise PermissionDenied(
            "paths of the server's machine are read for its owner only",
            hint="register the data with `penstock data create`, and profile that",
        )
    if "\0" in str(path) or not path.exists():
        raise NotFound(f"there is nothing at {path}")
    return Subject(path, kind or _kind_of(path), {"path": str(path)}, None, options)


def _kind_of(path: Path) -> str:
    if path.is_dir():
        return "mltable" if (path / FILE_NAME).is_file() else "uri_folder"
    return "uri_file"


def _subject(
    platform: Platform,
    caller: Caller,
    scope: str,
    source: Source,
    kind: str | None,
    told: Mapping[str, Any],
    options: Mapping[str, Any],
) -> Subject:
    locator = platform.runner.locator(scope, caller.settings or None)
    path = locator.path_of(source)
    kind = kind or _kind_of(path)
    places = places_of_table(path, locator) if kind == "mltable" else None
    snapshot = uploaded_as(source)
    content: str | None = snapshot.digest if snapshot is not None else _state_of(path)
    if places and (places["addresses"] or any(_is_elsewhere(each) for each in places["tables"].values())):
        content = None  # its rows lie outside of it, and may change without it
    key = None
    if content is not None:
        key = hashlib.sha256(
            json.dumps([FORMAT, content, kind, dict(options)], sort_keys=True).encode()
        ).hexdigest()
    return Subject(path, kind, told, key, options, places)


def _is_elsewhere(table: Mapping[str, Any]) -> bool:
    """Whether a table's paths lead out of its folder."""
    return any(
        text.startswith(("/", "~", "file:")) or ".." in text.split("/") or "://" in text
        for entry in table.get("paths") or ()
        for text in map(str, entry.values())
    )


def _state_of(path: Path) -> str:
    """What tells that files in a place have not changed: their names, sizes and times."""
    lines = []
    for folder, folders, names in os.walk(path) if path.is_dir() else [(str(path.parent), [], [path.name])]:
        folders.sort()
        for name in sorted(names):
            file = Path(folder, name)
            if file.is_file():
                stat = file.stat()
                lines.append([str(file), stat.st_size, stat.st_mtime_ns, stat.st_ino])
    return hashlib.sha256(json.dumps(lines).encode()).hexdigest()


def profile(
    platform: Platform,
    subject: Subject,
    columns: tuple[str, ...] = (),
    *,
    progress: Callable[[int], None] = lambda rows: None,
    is_wanted: Callable[[], bool] = lambda: True,
) -> dict[str, Any]:
    """The profile of a subject, from what was kept where it was made before. With `columns` of these only.

    What is kept is of all columns: a profile of some is taken from it, or made for itself and not kept.
    """
    kept = None if subject.key is None else platform.home.profiles / f"{subject.key}.json"
    found = None if kept is None else _read(kept)
    if found is None or not {*columns} <= {each["name"] for each in found["columns"]}:
        options = {**subject.options, **({"columns": list(columns)} if columns else {})}
        found = asked(platform, subject, "profile", options, progress=progress, is_wanted=is_wanted)
        if kept is not None and not columns:
            _write(kept, found)
    if columns:
        found = {**found, "columns": [each for each in found["columns"] if each["name"] in columns]}
    return {**subject.told, "type": subject.kind, **found}


def with_proposal(found: Mapping[str, Any], columns: tuple[str, ...] = ()) -> dict[str, Any]:
    """A profile with the `proposal` that is made of it: the text of a file of expectations. With `columns` it is of these only."""
    if "name" not in found:
        return {**found, "proposal": propose(found, called=str(found["path"]), whole=not columns)}
    reference = str(found["data"])
    latest = reference.removesuffix(f":{found['version']}") + "@latest"
    about = latest if reference.startswith("azureml:") and not reference.startswith("azureml://") else None
    called = f"{found['name']}:{found['version']}"
    return {**found, "proposal": propose(found, about=about, called=called, whole=not columns)}


def asked(
    platform: Platform,
    subject: Subject,
    task: str,
    options: Mapping[str, Any],
    *,
    progress: Callable[[int], None] = lambda rows: None,
    is_wanted: Callable[[], bool] = lambda: True,
) -> Any:
    """What the child process that reads tables answers about a subject; `task` is one of `penstock.profiling.child.TASKS`."""
    with tempfile.TemporaryDirectory(prefix="penstock-") as scratch:
        places = None
        if subject.places is not None:
            places = Path(scratch, "mltable.json")
            places.write_text(json.dumps(subject.places), encoding="utf-8")
        question = Question(task, subject.path, subject.kind, options, places)
        try:
            return _named(ask(question, progress=progress, is_wanted=is_wanted), subject)
        except PenstockError as error:
            raise error_from_record(_named(error.as_record(), subject)) from error


def _named(found: Any, subject: Subject) -> Any:
    """An answer whose sentences name the files of a version without where the server keeps them; what is looked at in its place stays."""
    if "name" not in subject.told or not isinstance(found, dict):
        return found
    kept, told = f"{subject.path.parent}/", dict(found)
    for key in ("message", "facts"):
        if isinstance(told.get(key), str):
            told[key] = told[key].replace(kept, "")
    if isinstance(told.get("details"), list):
        told["details"] = [str(line).replace(kept, "") for line in told["details"]]
    return told


def _read(file: Path) -> dict[str, Any] | None:
    """What was kept; None where there is none, or no whole one."""
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


def _write(file: Path, found: Mapping[str, Any]) -> None:
    """Whole or not at all: a server may be killed at any moment."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(found, stream)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
