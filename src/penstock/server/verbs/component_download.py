"""A registered component as files again: `component.yml`, and beside it the code that it names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock.errors import NotFound
from penstock.identity.tokens import Caller
from penstock.resources.model_base import OUTPUT_ONLY
from penstock.resources.snapshots import SnapshotUri, parse_snapshot_uri
from penstock.server.platform import Platform
from penstock.server.verbs import asset

DOCUMENT = "component.yml"


@dataclass(frozen=True)
class Piece:
    """One file: bytes that are kept under a digest, or, without one, `text`."""

    size: int
    digest: str | None = None
    text: bytes = b""


def files(platform: Platform, caller: Caller, workspace: str, name: str, version: str) -> Mapping[str, Piece]:
    """What `component download` fetches, by path. `component create -f component.yml` makes the same content of it."""
    record = asset.show(platform, caller, workspace, "component", name, version)
    places = _Places()
    told = {key: value for key, value in record.items() if key not in OUTPUT_ONLY and value != {}}
    document = _localised(told, places)
    text = _yaml(document)
    found = {DOCUMENT: Piece(len(text), text=text)}
    for uri, place in places.by_uri.items():
        for file in platform.checkouts.load(uri.digest).files:
            found["/".join(part for part in (place, file.path) if part)] = Piece(file.size, file.digest)
    return found


def file(platform: Platform, caller: Caller, workspace: str, name: str, version: str, path: str) -> Piece:
    """One of these files."""
    found = files(platform, caller, workspace, name, version).get(path)
    if found is None:
        raise NotFound(f"component `{name}:{version}` has no file `{path}`")
    return found


class _Places:
    """Where each snapshot goes: under its own name, with a number where another one has it."""

    def __init__(self) -> None:
        self.by_uri: dict[SnapshotUri, str] = {}

    def of(self, uri: SnapshotUri) -> str:
        taken = {DOCUMENT, *self.by_uri.values()}
        place, number = uri.name, 1
        while uri not in self.by_uri and place in taken:
            number += 1
            place = f"{number}_{uri.name}"
        return self.by_uri.setdefault(uri, place)


def _localised(value: Any, places: _Places) -> Any:
    """The document with local paths in the place of what was uploaded, and without keys that have no value."""
    if isinstance(value, dict):
        return {key: _localised(each, places) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_localised(each, places) for each in value]
    uri = parse_snapshot_uri(value) if isinstance(value, str) else None
    return value if uri is None else f"./{places.of(uri)}"


def _yaml(document: Mapping[str, Any]) -> bytes:
    import yaml

    text: str = yaml.safe_dump(dict(document), allow_unicode=True, sort_keys=False, width=120)
    return text.encode()
