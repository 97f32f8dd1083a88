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
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from penstock.datastores.fetching import Unreachable, opened
from penstock.datastores.receiving import Open, Receiver, Say, amount, forget_part
from penstock.datastores.url_map import shown
from penstock.errors import Conflict, PenstockError
from penstock.store.beneath import remove_tree
from penstock.store.failures import disk_told_plainly

HOW_TO_MAP = (
    "write `<address>: <local path>` into a YAML file, and name it with "
    "`penstock workspace update --set settings.url_map=<file>` or PENSTOCK_URL_MAP"
)
# Without ETag and Last-Modified a server cannot be asked whether a file has changed: seconds for which it counts as same.
_UNASKED = 24 * 3600.0
# Seconds until one who waits for another one's download looks again.
_LOOK_AGAIN = 0.1


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

    def fetch(
        self, url: str, say: Say = lambda text: None, is_wanted: Callable[[], bool] = lambda: True
    ) -> Path:
        """The file at an http(s) address, as it is there now. Its name is the address's last part; it is read-only.

        NoLongerWanted soon after `is_wanted` says no, also while another one's download is waited for.
        """
        receiver, wanted_at = Receiver(self._open, self._limit, say, is_wanted), self._clock()
        key = hashlib.sha256(url.encode()).hexdigest()[:40]
        place = self._folder / key
        with disk_told_plainly(self._folder), self._alone(key, lambda: receiver.demand_wanted(url)):
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
            entry = _entry_at(place)
            kept = entry if entry is not None and _is_whole(place, entry) else None
            if entry is not None and kept is None:
                say(f"warning: the copy of {shown(url)} is damaged; it is downloaded again")
            try:
                if kept is not None and kept.checked_at > wanted_at:
                    say(f"{shown(url)} has just been downloaded for another one (sha256 {kept.sha256})")
                    return place / kept.sha256 / kept.name
                entry = self._present(url, place, kept, receiver)
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

    def _present(self, url: str, place: Path, kept: Entry | None, receiver: Receiver) -> Entry:
        """The entry of the file as the server has it now."""
        conditions: dict[str, str] = {}
        if kept is not None:
            if kept.etag:
                conditions["If-None-Match"] = kept.etag
            if kept.last_modified:
                conditions["If-Modified-Since"] = kept.last_modified
            if not conditions and self._clock() - kept.checked_at < _UNASKED:
                receiver.say(f"{shown(url)}: the copy of today is used (sha256 {kept.sha256})")
                return kept
        received = receiver.receive(url, place, conditions)
        if received is None:
            assert kept is not None  # nothing else is asked with conditions
            receiver.say(f"{shown(url)} has not changed (sha256 {kept.sha256})")
            entry = replace(kept, checked_at=self._clock())
            _write_entry(place, entry)
            return entry
        entry = Entry(
            address=shown(url),
            name=_name_of(url),
            checked_at=self._clock(),
            **asdict(received),
        )
        _keep(place, entry)
        receiver.say(f"downloaded {shown(url)}: {amount(received.size)}, sha256 {received.sha256}")
        return entry

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
        with self._alone(key):
            remove_tree(self._folder / key)

    @contextmanager
    def _alone(self, key: str, meanwhile: Callable[[], None] | None = None) -> Iterator[None]:
        """One at a time per address; the kernel frees the lock of one who dies.

        `meanwhile` is called again and again while another one has it, and may raise; without it that is a Conflict.
        """
        locks = self._folder / "locks"
        locks.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(locks / key, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if meanwhile is None:
                        raise Conflict("it is being downloaded just now") from None
                    meanwhile()
                    time.sleep(_LOOK_AGAIN)
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


def _keep(place: Path, entry: Entry) -> None:
    """Give the file its name, then say that it is there: in this order, so that an entry never leads to nothing."""
    part = place / "part"
    part.chmod(0o444)
    target = place / entry.sha256
    remove_tree(target)
    target.mkdir()
    part.rename(target / entry.name)
    _write_entry(place, entry)
    forget_part(place)


def _name_of(url: str) -> str:
    """The last part of the address, as a file's name."""
    name = unquote(urlsplit(url).path.rstrip("/").rpartition("/")[2])
    name = "".join(char for char in name if char.isprintable() and char not in "/\\")
    while len(name.encode()) > 200:
        name = name[1:]
    return name if name.strip(". ") else "data"
