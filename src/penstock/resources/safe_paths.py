"""Which relative paths and names may come from outside: everything that cannot lead out of the folder it is put under.

These are checks of texts, made early for a clear error. Whoever opens a file still resolves the path and checks
containment there: a link can lead anywhere.
"""

import re
import unicodedata
from urllib.parse import unquote

LONGEST_PATH = 4096
"""Bytes, as the operating systems have it; a part may have `LONGEST_NAME`."""
LONGEST_NAME = 255

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE = re.compile(r"[A-Za-z]:(/|$)")
_SEPARATOR = re.compile(r"[/\\]")
# Each round undoes one layer of percent-encoding; what is still changing after that was made to deceive.
_MOST_LAYERS = 5


def is_safe_name(name: str) -> bool:
    """Whether a text is one plain part of a path."""
    return "/" not in name and unsafe_part(name) is None


def unsafe_part(path: str) -> str | None:
    """What is wrong with a relative path that is used as it stands, ready to follow `` path `x` ``; None if nothing."""
    if _CONTROL.search(path):
        return "holds a control character"
    if "\\" in path:
        return "holds a backslash"
    if path.startswith("/"):
        return "starts with `/`"
    if _DRIVE.match(path):
        return "starts with a drive letter"
    parts = path.split("/")
    if ".." in parts:
        return "holds `..`"
    if "" in parts or "." in parts:
        return "holds an empty part or `.`"
    return _unsafe_bytes(path, parts)


def disguised_part(path: str) -> str | None:
    """As `unsafe_part`, for a text that somebody may decode later: `..` and separators in any encoding are refused."""
    plain = path
    for _ in range(_MOST_LAYERS):
        decoded = unquote(plain)
        if decoded == plain:
            break
        plain = decoded
    else:
        return "is encoded too many times"
    if "\N{REPLACEMENT CHARACTER}" in plain:
        return "holds an encoding that is not UTF-8"
    if len(_SEPARATOR.findall(plain)) != len(_SEPARATOR.findall(path)):
        return "holds an encoded separator"
    if _CONTROL.search(plain):
        return "holds an encoded control character"
    # Full-width and other look-alikes: NFKC turns them into what they look like.
    folded = _SEPARATOR.split(unicodedata.normalize("NFKC", plain))
    if ".." in folded or (plain != path and "." in folded):
        return "holds `..` in disguise"
    return None


def _unsafe_bytes(path: str, parts: list[str]) -> str | None:
    try:
        if len(path.encode()) > LONGEST_PATH or any(len(part.encode()) > LONGEST_NAME for part in parts):
            return "is too long"
    except UnicodeEncodeError:
        return "is not valid UTF-8"
    if any(unicodedata.normalize("NFKC", part) in (".", "..") for part in parts):
        return "holds `..` in disguise"
    return None
