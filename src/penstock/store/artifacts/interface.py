"""What every store of bytes promises."""

import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple, Protocol

from penstock.errors import PenstockError

_DIGEST = re.compile(r"[0-9a-f]{64}")


class DamagedArtifact(PenstockError):
    """Bytes that were kept are not what they were."""

    code = "DamagedArtifact"
    status = 500


class Blob(NamedTuple):
    """One kept artifact: `size` in bytes; `modified` in seconds since 1970 (UTC), when it was put last."""

    digest: str
    size: int
    modified: float


class ArtifactStore(Protocol):
    """Bytes by digest: the SHA-256 of the content as 64 lower-case hexadecimal digits. Anything else is refused.

    Any number of threads and processes may use one store at once. What is kept never changes; whether something is
    still needed is for the caller to know. Back-ends subclass this and write the first five methods.
    """

    def put(self, digest: str, chunks: Iterable[bytes]) -> int:
        """Keep what `chunks` give, which must have that digest; the answer is its size.

        All or nothing: after an error (PenstockError where the digest differs, StorageFull, or whatever `chunks` raises)
        nothing is left behind. Putting again replaces the bytes by the same bytes, and so mends a damaged artifact.
        """
        ...

    def open(self, digest: str) -> BinaryIO:
        """A stream to read from the beginning; the caller closes it. NotFound where there is none.

        The digest is verified while the stream is read: DamagedArtifact comes where its end would come. Whoever stops
        earlier has read bytes that nobody vouches for.
        """
        ...

    def has(self, digest: str) -> bool: ...

    def delete(self, digest: str) -> None:
        """It goes; that it was not there is no error. Streams that are open may be read to their end."""
        ...

    def listing(self) -> Iterator[Blob]:
        """Everything that is kept, in no order. What comes or goes meanwhile may be in it or not."""
        ...

    def missing(self, digests: Iterable[str]) -> tuple[str, ...]:
        """Those of `digests` that are not kept, each once, in their order."""
        return tuple(digest for digest in dict.fromkeys(digests) if not self.has(digest))

    def digests(self) -> Iterator[str]:
        return (blob.digest for blob in self.listing())

    def usage(self) -> int:
        """Bytes that all artifacts have together."""
        return sum(blob.size for blob in self.listing())


def checked_digest(digest: str) -> str:
    """The digest itself, so that it can be part of a path; PenstockError for any other text."""
    if _DIGEST.fullmatch(digest) is None:
        raise PenstockError(
            f"`{digest[:100]}` is not the digest of an artifact",
            details=("expected: 64 hexadecimal digits in lower case, the SHA-256 of the content",),
        )
    return digest


def other_content(digest: str, actual: str) -> PenstockError:
    """What came to be put is not what its digest says."""
    return PenstockError(
        f"the bytes that came for artifact {digest} have another digest",
        details=(f"theirs is {actual}",),
        hint="the file may have changed while it was sent; send it again",
    )
