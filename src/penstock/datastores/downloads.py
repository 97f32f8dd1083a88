"""A cache of what was downloaded: one folder per address, its file by checksum, verified whenever it is used.

    <address's digest>/entry.json       what the file is, and what the server said of it
                       <sha256>/<name>  the file, read-only
                       part, part.json  a download that is not finished, and what it is a part of

A second use asks the server once whether the file has changed. What cannot be asked is used as it is, with a warning.
"""

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from penstock.datastores.fetching import Unreachable, opened
from penstock.datastores.url_map import shown
from penstock.errors import Conflict, PenstockError, StorageFull
from penstock.store.beneath import remove_tree
from penstock.store.failures import disk_told_plainly

Say = Callable[[str], None]
Open = Callable[[str, Mapping[str, str]], AbstractContextManager[HTTPResponse]]

HOW_TO_MAP = (
    "write `<address>: <local path>` into a YAML file, and name it with "
    "`penstock workspace update --set settings.url_map=<file>` or PENSTOCK_URL_MAP"
)
_CHUNK = 1024 * 1024
_ATTEMPTS = 4
# Left free on the disk, for statuses and logs.
_MARGIN = 64 * 1024 * 1024
# Without ETag and Last-Modified a server cannot be asked whether a file has changed: seconds for which it counts as same.
_UNASKED = 24 * 3600.0
_WORTH_TELLING = 50 * 1024 * 1024


@dataclass(frozen=True)
class Entry:
    """What is known of a downloaded file. Times are seconds since 1970. The address is without its query."""

    address: str
    name: str
    sha256: str
    size: int
    etag: str | None
    last_modified: str | None
    checked_at: float


@dataclass(frozen=True)
class Kept:
    """A file of the cache as housekeeping sees it."""

    key: str
    address: str
    used_at: float
    bytes: int


class Downloads:
    """The cache in `folder`. Threads and processes may use it at once; who wants what another fetches waits for it."""

    def __init__(
        self,
        folder: Path,
        *,
        limit: int = 0,
        clock: Callable[[], float] = time.time,
        open_address: Open = opened,
    ) -> None:
        self._folder = folder
        self._limit = limit
        self._clock = clock
        self._open = open_address

    def fetch(self, url: str, say: Say = lambda text: None) -> Path:
        """The file at an http(s) address, as it is there now. Its name is the address's last part; it is read-only."""
        key = hashlib.sha256(url.encode()).hexdigest()[:40]
        place = self._folder / key
        with disk_told_plainly(self._folder), self._alone(key):
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
            entry = _entry_at(place)
            kept = entry if entry is not None and _is_whole(place, entry) else None
            if entry is not None and kept is None:
                say(f"warning: the copy of {shown(url)} is damaged; it is downloaded again")
            try:
                entry = self._present(url, place, kept, say)
            except Unreachable as error:
                if kept is None:
                    raise PenstockError(
                        f"`{shown(url)}` cannot be downloaded: {error}",
                        hint=f"if the data is on this machine, map the address to it: {HOW_TO_MAP}",
                    ) from error
                say(f"warning: {shown(url)} cannot be asked ({error}); the copy from before is used")
                entry = kept
            os.utime(place / "entry.json", (self._clock(), self._clock()))
        return place / entry.sha256 / entry.name

    def _present(self, url: str, place: Path, kept: Entry | None, say: Say) -> Entry:
        """The entry of the file as the server has it now."""
        headers: dict[str, str] = {}
        if kept is not None:
            if kept.etag:
                headers["If-None-Match"] = kept.etag
            if kept.last_modified:
                headers["If-Modified-Since"] = kept.last_modified
            if not headers and self._clock() - kept.checked_at < _UNASKED:
                say(f"{shown(url)}: the copy of today is used (sha256 {kept.sha256})")
                return kept
        for attempt in range(_ATTEMPTS):
            try:
                entry = self._asked(url, place, kept, headers, say)
                break
            except (Unreachable, HTTPException, TimeoutError, ConnectionError) as error:
                if attempt + 1 == _ATTEMPTS or not _is_begun(place):
                    raise Unreachable(str(error) or type(error).__name__) from error
                say(f"{shown(url)}: the connection broke off ({error}); going on from there")
        return entry

    def _asked(
        self, url: str, place: Path, kept: Entry | None, conditions: Mapping[str, str], say: Say
    ) -> Entry:
        part, note = place / "part", place / "part.json"
        begun, validator = _begun(part, note)
        headers = {"Range": f"bytes={begun}-", "If-Range": validator} if begun else dict(conditions)
        with self._open(url, headers) as answer:
            if answer.status == 304 and kept is not None:
                say(f"{shown(url)} has not changed (sha256 {kept.sha256})")
                entry = Entry(**{**asdict(kept), "checked_at": self._clock()})
                _write_entry(place, entry)
                return entry
            if answer.status == 416:  # the part is longer than the file is now
                part.unlink(missing_ok=True)
                note.unlink(missing_ok=True)
                raise Unreachable("the file has changed meanwhile")
            if answer.status != 206 or not _continues(answer, begun):
                begun = 0
            total = _total(answer, begun)
            self._refuse_too_large(url, total, begun)
            note.write_text(json.dumps({"validator": _validator(answer)}))
            say(f"downloading {shown(url)}" + (f", {_amount(total)}" if total is not None else ""))
            with open(part, "r+b" if begun else "wb") as stream:
                try:
                    digest, size = self._written(url, answer, stream, begun, total, say)
                except (PenstockError, OSError) as error:
                    if not isinstance(error, TimeoutError | ConnectionError):
                        part.unlink(missing_ok=True)
                    raise
                stream.flush()
                os.fsync(stream.fileno())
            if total is not None and size < total:
                raise Unreachable(f"{_amount(size)} of {_amount(total)} arrived")
            entry = Entry(
                address=shown(url),
                name=_name_of(url),
                sha256=digest,
                size=size,
                etag=answer.headers.get("ETag"),
                last_modified=answer.headers.get("Last-Modified"),
                checked_at=self._clock(),
            )
        _keep(place, part, entry)
        note.unlink(missing_ok=True)
        say(f"downloaded {shown(url)}: {_amount(size)}, sha256 {digest}")
        return entry

    def _written(
        self, url: str, answer: HTTPResponse, stream: BinaryIO, begun: int, total: int | None, say: Say
    ) -> tuple[str, int]:
        """Digest and size of the whole file, the part from before included."""
        digest = hashlib.sha256()
        rest = begun
        while rest and (piece := stream.read(min(_CHUNK, rest))):
            digest.update(piece)
            rest -= len(piece)
        size, told = begun, 0
        while piece := answer.read(_CHUNK):
            size += len(piece)
            self._refuse_too_large(url, size, size)
            stream.write(piece)
            digest.update(piece)
            tenth = size * 10 // total if total else 0
            if total and total > _WORTH_TELLING and tenth > told:
                told = tenth
                say(f"  {tenth * 10} % of {_amount(total)}")
        return digest.hexdigest(), size

    def _refuse_too_large(self, url: str, size: int | None, have: int) -> None:
        if size is None:
            return
        if self._limit and size > self._limit:
            raise PenstockError(
                f"`{shown(url)}` is larger than {_amount(self._limit)}",
                hint="raise PENSTOCK_DOWNLOAD_LIMIT_MB for the server, or download it yourself and map the address",
            )
        free = shutil.disk_usage(self._folder).free
        if size - have + _MARGIN > free and size > have:
            raise StorageFull(
                f"there is no room for `{shown(url)}`: {_amount(size - have)} are to come, {_amount(free)} are free",
                hint="free some space (`penstock du` shows what takes it, `penstock gc` removes what nothing needs)",
            )

    # Housekeeping

    def kept(self) -> Iterator[Kept]:
        """Everything that is in the cache, unfinished downloads too."""
        for place in sorted(self._folder.glob("*/")):
            if place.name == "locks":
                continue
            entry, note = _entry_at(place), place / "entry.json"
            changed = (note if note.exists() else place).stat().st_mtime
            size = sum(file.lstat().st_blocks * 512 for file in place.rglob("*") if not file.is_dir())
            yield Kept(place.name, entry.address if entry else "unfinished", changed, size)

    def remove(self, key: str) -> None:
        """One address's files go. Conflict where somebody is fetching it just now."""
        with self._alone(key, wait=False):
            remove_tree(self._folder / key)

    @contextmanager
    def _alone(self, key: str, *, wait: bool = True) -> Iterator[None]:
        """One at a time per address; the kernel frees the lock of one who dies."""
        locks = self._folder / "locks"
        locks.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(locks / key, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                raise Conflict("it is being downloaded just now") from None
            yield
        finally:
            os.close(lock)


def _entry_at(place: Path) -> Entry | None:
    try:
        return Entry(**json.loads((place / "entry.json").read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None  # absent, or written by a machine that stopped half-way


def _write_entry(place: Path, entry: Entry) -> None:
    written = place / "entry.json.new"
    with open(written, "w", encoding="utf-8") as stream:
        json.dump(asdict(entry), stream)
        stream.flush()
        os.fsync(stream.fileno())
    written.rename(place / "entry.json")


def _is_whole(place: Path, entry: Entry) -> bool:
    """Whether the file still is what was downloaded."""
    path = place / entry.sha256 / entry.name
    if path.is_symlink() or not path.is_file() or path.stat().st_size != entry.size:
        return False
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == entry.sha256


def _keep(place: Path, part: Path, entry: Entry) -> None:
    """Give the file its name, then say that it is there: in this order, so that an entry never leads to nothing."""
    part.chmod(0o444)
    target = place / entry.sha256
    remove_tree(target)
    target.mkdir()
    part.rename(target / entry.name)
    _write_entry(place, entry)


def _begun(part: Path, note: Path) -> tuple[int, str]:
    """How much of a file is here, and what the server called the version that it is a part of."""
    try:
        validator = json.loads(note.read_text()).get("validator")
        size = part.stat().st_size
    except (FileNotFoundError, ValueError, AttributeError):
        return 0, ""
    return (size, str(validator)) if validator and size else (0, "")


def _is_begun(place: Path) -> bool:
    return _begun(place / "part", place / "part.json")[0] > 0


def _validator(answer: HTTPResponse) -> str | None:
    """What If-Range takes: an ETag that means the same bytes, else the date."""
    etag = answer.headers.get("ETag")
    if etag and not etag.startswith("W/"):
        return str(etag)
    return answer.headers.get("Last-Modified")


def _continues(answer: HTTPResponse, begun: int) -> bool:
    return str(answer.headers.get("Content-Range", "")).startswith(f"bytes {begun}-")


def _total(answer: HTTPResponse, begun: int) -> int | None:
    length = answer.headers.get("Content-Length")
    return int(length) + begun if length and length.isdigit() else None


def _name_of(url: str) -> str:
    """The last part of the address, as a file's name."""
    name = unquote(urlsplit(url).path.rstrip("/").rpartition("/")[2])
    name = "".join(char for char in name if char.isprintable() and char not in "/\\")
    while len(name.encode()) > 200:
        name = name[1:]
    return name if name.strip(". ") else "data"


def _amount(size: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
