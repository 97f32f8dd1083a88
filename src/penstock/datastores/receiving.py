"""Receiving one file over HTTP: the question, what is made of the answer, a part that is gone on with.

A server is believed in nothing that can be checked: a part is taken for the rest of a file only where it begins where
ours ends, and a file for whole only where as much arrived as was announced.
"""

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import BinaryIO

from penstock.datastores.fetching import Unreachable
from penstock.datastores.url_map import shown
from penstock.errors import PenstockError, StorageFull

Say = Callable[[str], None]
Open = Callable[[str, Mapping[str, str]], AbstractContextManager[HTTPResponse]]

_CHUNK = 1024 * 1024
_ATTEMPTS = 4
# Left free on the disk, for statuses and logs.
_MARGIN = 64 * 1024 * 1024
_WORTH_TELLING = 50 * 1024 * 1024
# Seconds between two questions whether the file is still wanted: each may cost a query.
_ASK_AGAIN_AFTER = 1.0


class NoLongerWanted(PenstockError):
    """Whoever asked for the file does not wait for it any more. What has arrived is kept for the next one."""


class _StartOver(Unreachable):
    """What is here of the file does not fit what the server has."""


@dataclass(frozen=True)
class Received:
    """A whole file at the place's `part`, and what the server said of it."""

    sha256: str
    size: int
    etag: str | None
    last_modified: str | None


@dataclass(frozen=True)
class Receiver:
    """How files are received: by whom they are opened, how large they may be (bytes, 0 for any), who is told, when to stop."""

    open_address: Open
    limit: int
    say: Say
    is_wanted: Callable[[], bool]

    def receive(self, url: str, place: Path, conditions: Mapping[str, str]) -> Received | None:
        """The file, as `part` in the folder `place`; None where the server says that it has not changed.

        `conditions` are the headers that ask for that. A part from before is gone on with.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            self.demand_wanted(url)  # it may have been waited for
            try:
                return self._asked(url, place, conditions)
            except (Unreachable, HTTPException) as error:
                may_go_on = isinstance(error, _StartOver) or _begun(place)[0] > 0
                if attempt == _ATTEMPTS or not may_go_on:
                    raise Unreachable(str(error) or type(error).__name__) from error
                self.say(f"{shown(url)}: the connection broke off ({error}); going on from there")
        raise AssertionError("the last attempt returns or raises")

    def _asked(self, url: str, place: Path, conditions: Mapping[str, str]) -> Received | None:
        part = place / "part"
        begun, validator = _begun(place)
        headers = {"Range": f"bytes={begun}-", "If-Range": validator} if begun else dict(conditions)
        with self.open_address(url, headers) as answer:
            if answer.status == 304:
                if begun or not conditions:
                    raise PenstockError(
                        f"`{shown(url)}` cannot be downloaded: the server says that the file has not changed, and was not asked"
                    )
                return None
            if answer.status == 416 or (answer.status == 206 and _begin_of(answer) != begun):
                forget_part(place)
                raise _StartOver("the file has changed meanwhile")
            if answer.status == 206 and not begun:
                raise PenstockError(
                    f"`{shown(url)}` cannot be downloaded: the server sends a part of the file, and the whole was asked for"
                )
            begun = begun if answer.status == 206 else 0
            total = _total(url, answer, begun)
            self._refuse_too_large(url, place, total, begun)
            (place / "part.json").write_text(json.dumps({"validator": _validator(answer)}))
            self.say(f"downloading {shown(url)}" + (f", {amount(total)}" if total is not None else ""))
            if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
                self.say(
                    f"warning: {shown(url)} comes compressed ({answer.headers['Content-Encoding']}), and is kept so"
                )
            with open(part, "r+b" if begun else "wb") as stream:
                try:
                    digest, size = self._written(url, place, answer, stream, begun, total)
                    stream.flush()
                    os.fsync(stream.fileno())
                except NoLongerWanted:
                    raise
                except (PenstockError, OSError):  # it is too large, or the disk is full
                    part.unlink(missing_ok=True)
                    raise
            if total is not None and size < total:
                raise Unreachable(f"{amount(size)} of {amount(total)} arrived")
        return Received(digest, size, answer.headers.get("ETag"), answer.headers.get("Last-Modified"))

    def _written(
        self, url: str, place: Path, answer: HTTPResponse, stream: BinaryIO, begun: int, total: int | None
    ) -> tuple[str, int]:
        """Digest and size of the whole file, the part from before included."""
        digest = hashlib.sha256()
        rest = begun
        while rest and (piece := stream.read(min(_CHUNK, rest))):
            digest.update(piece)
            rest -= len(piece)
        size, told, asked_at = begun, 0, time.monotonic()
        while piece := _next_piece(answer):
            size += len(piece)
            self._refuse_too_large(url, place, size, size)
            stream.write(piece)
            digest.update(piece)
            tenth = size * 10 // total if total else 0
            if total and total > _WORTH_TELLING and tenth > told:
                told = tenth
                self.say(f"  {tenth * 10} % of {amount(total)}")
            if time.monotonic() - asked_at > _ASK_AGAIN_AFTER:
                asked_at = time.monotonic()
                self.demand_wanted(url)
        return digest.hexdigest(), size

    def demand_wanted(self, url: str) -> None:
        """Return while somebody waits for the file; else NoLongerWanted."""
        if not self.is_wanted():
            raise NoLongerWanted(f"`{shown(url)}` is no longer waited for")

    def _refuse_too_large(self, url: str, place: Path, size: int | None, have: int) -> None:
        if size is None:
            return
        if self.limit and size > self.limit:
            raise PenstockError(
                f"`{shown(url)}` is larger than {amount(self.limit)}",
                hint="raise PENSTOCK_DOWNLOAD_LIMIT_MB for the server, or download it yourself and map the address",
            )
        free = shutil.disk_usage(place).free
        if size - have + _MARGIN > free and size > have:
            raise StorageFull(
                f"there is no room for `{shown(url)}`: {amount(size - have)} are to come, {amount(free)} are free",
                hint="free some space (`penstock du` shows what takes it, `penstock gc` removes what nothing needs)",
            )


def forget_part(place: Path) -> None:
    """What has arrived of a file goes, with what is known of it."""
    for name in ("part", "part.json"):
        (place / name).unlink(missing_ok=True)


def _next_piece(answer: HTTPResponse) -> bytes:
    """What has arrived, as it arrives; nothing at the end. Whatever breaks on the way is the network's, not the disk's."""
    try:
        return answer.read1(_CHUNK)
    except OSError as error:
        raise Unreachable(str(error) or type(error).__name__) from error


def _begun(place: Path) -> tuple[int, str]:
    """How much of a file is here, and what the server called the version that it is a part of."""
    try:
        validator = json.loads((place / "part.json").read_text()).get("validator")
        size = (place / "part").stat().st_size
    except (FileNotFoundError, ValueError, AttributeError):
        return 0, ""
    return (size, str(validator)) if validator and size else (0, "")


def _validator(answer: HTTPResponse) -> str | None:
    """What If-Range takes: an ETag that means the same bytes, else the date."""
    etag = answer.headers.get("ETag")
    if etag and not etag.startswith("W/"):
        return str(etag)
    return answer.headers.get("Last-Modified")


def _begin_of(answer: HTTPResponse) -> int | None:
    """Where a part begins, as the server says."""
    match = re.match(r"bytes ([0-9]{1,18})-", str(answer.headers.get("Content-Range", "")))
    return int(match[1]) if match else None


def _total(url: str, answer: HTTPResponse, begun: int) -> int | None:
    """The size of the whole file, where the server says it."""
    ranged = re.fullmatch(r"bytes [0-9]+-[0-9]+/([0-9]{1,18})", str(answer.headers.get("Content-Range", "")))
    if begun and ranged:
        return int(ranged[1])
    length = answer.headers.get("Content-Length")
    if length is None:
        return None
    if not re.fullmatch(r"[0-9]{1,18}", length.strip()):
        raise PenstockError(
            f"`{shown(url)}` cannot be downloaded: the server gives the length `{length[:30]}`, which is none"
        )
    return int(length) + begun


def amount(size: float) -> str:
    """A number of bytes as people read it."""
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
