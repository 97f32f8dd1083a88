"""Reading the path of a request for MLflow so that it means one thing only, or refusing it."""

import re
import unicodedata
from urllib.parse import parse_qsl, quote, unquote, unquote_to_bytes

from penstock.errors import PenstockError

# Characters. Far above MLflow's longest artifact path, far below what makes matching slow.
_LONGEST = 4096
# Query parameters in which clients and pages send artifact paths.
_PATH_PARAMETERS = frozenset({"path", "artifact_path", "artifact_file_path", "artifact_directory_path"})
_MOST_DECODINGS = 5


class UnsafePath(PenstockError):
    """A path that another reader could take for another one."""


def read_path(raw: bytes) -> str:
    """The decoded path of a request's target (percent-encoded, without query); UnsafePath if it is ambiguous."""
    if len(raw) > _LONGEST:
        raise UnsafePath(f"the path has {len(raw)} characters, at most {_LONGEST} are read")
    if not raw.startswith(b"/"):
        raise UnsafePath("the path does not begin with a slash")
    segments = [_segment(part) for part in raw[1:].split(b"/")]
    if "" in segments[:-1]:
        raise UnsafePath("the path has an empty segment (`//`)")
    return "/" + "/".join(segments)


def encode_path(path: str) -> str:
    """A decoded path as it goes on to MLflow, in one canonical spelling."""
    return quote(path, safe="/-._~!$&'()*+,;=:@")


def check_query(query: bytes) -> None:
    """Refuse a query that carries an artifact path which leaves its place."""
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=1000)
    except ValueError as error:  # UnicodeDecodeError is one
        raise UnsafePath("the query cannot be decoded") from error
    for name, value in pairs:
        if name in _PATH_PARAMETERS:
            check_artifact_path(value)


def check_artifact_path(path: str) -> None:
    """Refuse an artifact path (decoded) that is absolute or has a segment which leads elsewhere."""
    if len(path) > _LONGEST:
        raise UnsafePath(f"the path has {len(path)} characters, at most {_LONGEST} are read")
    if path.startswith("/") or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", path):
        raise UnsafePath("an artifact path is relative to its run")
    if "//" in path:
        raise UnsafePath("the path has an empty segment (`//`)")
    for segment in path.split("/"):
        check_segment(segment)


def check_segment(segment: str) -> None:
    """Refuse a decoded segment that, decoded again or normalised, is more than a name."""
    for spelling in _spellings(segment):
        if spelling in (".", ".."):
            raise UnsafePath("the path has a segment `.` or `..`")
        if any(character in spelling for character in "/\\"):
            raise UnsafePath("the path has an encoded slash or a backslash")
        if any(ord(character) < 32 or ord(character) == 127 for character in spelling):
            raise UnsafePath("the path has a control character")
        if re.fullmatch(r"[A-Za-z][:|]", spelling):
            raise UnsafePath("the path has a drive letter")


def _segment(raw: bytes) -> str:
    try:
        segment = unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnsafePath("the path is not UTF-8") from error
    check_segment(segment)
    return segment


def _spellings(segment: str) -> list[str]:
    """The segment as it is, as it is after each further decoding, and each of these in compatibility form."""
    found = [segment]
    while (decoded := unquote(found[-1])) != found[-1]:
        if len(found) > _MOST_DECODINGS:
            raise UnsafePath("the path is encoded several times over")
        found.append(decoded)
    # NFKC turns full-width dots and slashes into plain ones, and `…` into three dots. U+2024 becomes a dot too.
    # U+2215 and U+2044 only look like slashes: no reader that we know takes them for one, people do.
    folded = [re.sub("[\u2044\u2215\u29f8]", "/", unicodedata.normalize("NFKC", text)) for text in found]
    return found + folded
