"""A person's map from addresses to local files and folders: a YAML file of `address: path`.

An address stands for itself and for everything below it; of several that fit, the longest counts. The ways in which
Azure writes one place (`wasbs://c@a.blob…/p`, `abfss://c@a.dfs…/p`, `https://a.blob…/c/p`) are one address.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from penstock.errors import InvalidDocument, PenstockError
from penstock.resources.yaml_source import escaped, read_yaml

_SCHEMES = ("http", "https", "wasb", "wasbs", "abfs", "abfss", "adl")
_PORTS = {"http": 80, "https": 443}
_FORM = "`https://host/path: local path`, one line for each address"


@dataclass(frozen=True)
class Address:
    """An address in the one form in which addresses are compared."""

    host: str
    parts: tuple[str, ...]
    query: str

    def begins(self, other: "Address") -> bool:
        """Whether `other` is this place, or below it. A query that this one names has to be the same."""
        if self.query and (self.query, self.parts) != (other.query, other.parts):
            return False
        return self.host == other.host and self.parts == other.parts[: len(self.parts)]


@dataclass(frozen=True)
class Mapped:
    """What stands for an address: `root` is the path that the map names, `inside` the rest of the address."""

    root: Path
    inside: str
    where: str

    def existing(self, url: str) -> Path:
        """The file or folder itself. Resolved, then checked: a link may not lead out of what the map names."""
        if not self.root.exists():
            raise PenstockError(
                f"`{shown(url)}` is mapped to {self.root}, and nothing is there",
                details=(self.where,),
                hint="put the data there, or correct the map",
            )
        root = self.root.resolve()
        path = (root / self.inside).resolve() if self.inside else root
        if path != root and root not in path.parents:
            raise PenstockError(
                f"`{shown(url)}` leads out of {self.root}, which the map names for it", details=(self.where,)
            )
        if not path.exists():
            raise PenstockError(
                f"`{shown(url)}` is mapped to {path}, and nothing is there",
                details=(self.where,),
                hint="put the data there, or correct the map",
            )
        return path


@dataclass(frozen=True)
class _Entry:
    address: Address
    place: Path
    where: str


class UrlMap:
    """The entries of one file; without a file, none."""

    def __init__(self, entries: tuple[_Entry, ...] = (), file: str | None = None) -> None:
        self._entries = entries
        self.file = file

    def find(self, url: str) -> Mapped | None:
        """What stands for an address, without a look at the disk; None where the map does not name it."""
        address = address_of(url)
        if address is None or not self._entries:
            return None
        fitting = [entry for entry in self._entries if entry.address.begins(address)]
        if not fitting:
            return None
        best = max(fitting, key=lambda entry: (len(entry.address.parts), bool(entry.address.query)))
        rest = address.parts[len(best.address.parts) :]
        return Mapped(best.place, "/".join(rest), best.where)


def read_url_map(file: str | None) -> UrlMap:
    """The map that a file holds. Raises PenstockError with file and line for what no map can say."""
    if not file:
        return UrlMap()
    try:
        read = read_yaml(Path(file), name=file)
    except InvalidDocument as error:
        where = [f"{each.file or file}:{each.line or 1}: {each.message}" for each in error.problems]
        raise PenstockError(
            "the map of addresses cannot be read", details=where, hint=f"write {_FORM}"
        ) from error
    if read.data is None:
        return UrlMap(file=file)
    if not isinstance(read.data, Mapping):
        raise _wrong(file, 1, "the file is no mapping")
    entries = []
    for key, value in read.data.items():
        position = read.positions.get(f"/{escaped(key)}")
        line = position.line if position else 1
        address = address_of(key)
        if address is None:
            raise _wrong(file, line, f"`{shown(key)}` is not an address", _hint_for(key))
        if not isinstance(value, str) or not value.strip() or "\0" in value:
            raise _wrong(file, line, f"`{shown(key)}` has no local path")
        if re.match(r"\w[\w+.-]+://", value):
            raise _wrong(file, line, f"`{shown(key)}` is mapped to another address: `{shown(value)}`")
        place = Path(os.path.normpath(Path(file).parent / os.path.expanduser(value)))
        entries.append(_Entry(address, place, f"{file}:{line}"))
    return UrlMap(tuple(entries), file)


def _wrong(file: str, line: int, message: str, hint: str | None = None) -> PenstockError:
    return PenstockError(
        f"the map of addresses cannot be read: {message}",
        details=(f"{file}:{line}",),
        hint=hint or f"write {_FORM}",
    )


def _hint_for(key: str) -> str | None:
    if key.startswith("azureml:"):
        return "for a datastore, create one of `type: local` with `penstock datastore create`"
    return f"addresses begin with {', '.join(f'{scheme}://' for scheme in _SCHEMES)}"


def address_of(url: str) -> Address | None:
    """The address in the form in which addresses are compared; None for what is none, or steps out with `..`."""
    try:
        split = urlsplit(web_form(url))
        port = split.port
    except ValueError:
        return None
    scheme, host = split.scheme.lower(), (split.hostname or "").lower()
    if scheme not in _SCHEMES or not host:
        return None
    parts = tuple(unquote(part) for part in split.path.split("/") if part not in ("", "."))
    if any(part == ".." or "/" in part or "\0" in part for part in parts):
        return None
    # One account of Azure is reached under both names, and holds the same files.
    host = re.sub(r"^([a-z0-9-]+)\.dfs\.core\.", r"\1.blob.core.", host)
    known = f"{scheme}://{host}" + (f":{port}" if port not in (None, _PORTS.get(scheme)) else "")
    return Address(known, parts, split.query)


def web_form(url: str) -> str:
    """The https form of `wasb(s)://container@host/path` and `abfs(s)://…`; anything else as it is."""
    match = re.fullmatch(r"(?i)(wasbs?|abfss?)://([^@/?#]+)@([^/?#]+)([/?#].*)?", url)
    if match is None:
        return url
    _, container, host, rest = match.groups()
    return f"https://{host}/{container}{rest or ''}"


def shown(url: str) -> str:
    """The address for messages and logs: without its query, which may hold a signature, and without a user's name."""
    plain, mark, _ = url.partition("?")
    plain = re.sub(r"(?i)^(https?://)[^/@]*@", r"\1", plain)
    text = plain + ("?…" if mark else "")
    text = text if len(text) <= 300 else text[:299] + "…"
    return "".join(char if char.isprintable() else "?" for char in text)
