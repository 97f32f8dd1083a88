"""An artifact store that forgets: for tests that need one and are not about it."""

import hashlib
import io
import time
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from penstock.errors import NotFound
from penstock.store.artifacts.interface import ArtifactStore, Blob, checked_digest, other_content


class MemoryArtifacts(ArtifactStore):
    """Artifacts in a dictionary."""

    def __init__(self) -> None:
        self._blobs: dict[str, tuple[bytes, float]] = {}

    def put(self, digest: str, chunks: Iterable[bytes]) -> int:
        content = b"".join(chunks)
        if (actual := hashlib.sha256(content).hexdigest()) != checked_digest(digest):
            raise other_content(digest, actual)
        self._blobs[digest] = (content, time.time())
        return len(content)

    def open(self, digest: str) -> BinaryIO:
        if not self.has(digest):
            raise NotFound(f"artifact {digest} was not found")
        return io.BytesIO(self._blobs[digest][0])

    def has(self, digest: str) -> bool:
        return checked_digest(digest) in self._blobs

    def delete(self, digest: str) -> None:
        self._blobs.pop(checked_digest(digest), None)

    def listing(self) -> Iterator[Blob]:
        for digest, (content, put_at) in list(self._blobs.items()):
            yield Blob(digest, len(content), put_at)
