"""What every artifact store keeps. Subclass `ArtifactContract`, name the class `Test…`, give the fixture `artifacts`.

class TestOurBucket(ArtifactContract):
    @pytest.fixture
    def artifacts(self) -> ArtifactStore:
        return BucketArtifacts(...)
"""

import hashlib
import threading
from collections.abc import Iterator

import pytest

from penstock.errors import NotFound, PenstockError
from penstock.store.artifacts.interface import ArtifactStore

_ALMOST = (
    "",
    "0" * 63,
    "0" * 65,
    "A" * 64,
    "0" * 64 + "\n",
    "../" + "0" * 61,
    "/etc/passwd",
    "g" * 64,
    "٠" * 64,
    "\0",
)


def digest_of(content: bytes) -> str:
    """The digest under which an artifact with this content is kept."""
    return hashlib.sha256(content).hexdigest()


def put(artifacts: ArtifactStore, content: bytes) -> str:
    """Keep the content; the answer is its digest."""
    artifacts.put(digest_of(content), [content])
    return digest_of(content)


class ArtifactContract:
    """The tests. `artifacts` is a store with nothing in it."""

    def test_what_was_put_is_read_again(self, artifacts: ArtifactStore) -> None:
        """In one piece or in many, byte for byte, and the size is the answer."""
        content = bytes(range(256)) * 8192
        chunks = [content[start : start + 1000] for start in range(0, len(content), 1000)]

        size = artifacts.put(digest_of(content), chunks)

        assert size == len(content)
        with artifacts.open(digest_of(content)) as stream:
            assert stream.read() == content

    def test_a_stream_can_be_read_in_pieces(self, artifacts: ArtifactStore) -> None:
        """As a server reads it that sends it on."""
        digest = put(artifacts, b"abc" * 1000)

        with artifacts.open(digest) as stream:
            pieces = list(iter(lambda: stream.read(512), b""))

        assert b"".join(pieces) == b"abc" * 1000

    def test_nothing_is_an_artifact_too(self, artifacts: ArtifactStore) -> None:
        """An empty file is a file."""
        digest = digest_of(b"")

        assert artifacts.put(digest, []) == 0
        assert artifacts.has(digest)
        with artifacts.open(digest) as stream:
            assert stream.read() == b""

    def test_putting_twice_changes_nothing(self, artifacts: ArtifactStore) -> None:
        """Two clients may send the same file."""
        digest = put(artifacts, b"same")

        put(artifacts, b"same")

        assert [(blob.digest, blob.size) for blob in artifacts.listing()] == [(digest, 4)]

    def test_other_content_than_the_digest_says_is_refused(self, artifacts: ArtifactStore) -> None:
        """The error names both digests, and nothing is kept."""
        with pytest.raises(PenstockError, match="another digest") as caught:
            artifacts.put(digest_of(b"this"), [b"that"])

        assert digest_of(b"that") in " ".join(caught.value.details)
        assert list(artifacts.listing()) == []

    def test_chunks_that_break_off_leave_nothing(self, artifacts: ArtifactStore) -> None:
        """The error of whoever gives the bytes comes out as it is."""

        def half() -> Iterator[bytes]:
            yield b"half"
            raise ConnectionResetError("the client went away")

        with pytest.raises(ConnectionResetError, match="went away"):
            artifacts.put(digest_of(b"half and half"), half())

        assert list(artifacts.listing()) == []
        assert not artifacts.has(digest_of(b"half and half"))

    @pytest.mark.parametrize("text", _ALMOST)
    def test_only_a_digest_is_a_digest(self, artifacts: ArtifactStore, text: str) -> None:
        """Nothing else may become part of a path."""
        for ask in (artifacts.has, artifacts.open, artifacts.delete, lambda name: artifacts.put(name, [b""])):
            with pytest.raises(PenstockError, match="is not the digest of an artifact"):
                ask(text)

    def test_an_absent_artifact_is_not_found(self, artifacts: ArtifactStore) -> None:
        """The error names it."""
        with pytest.raises(NotFound, match=digest_of(b"absent")):
            artifacts.open(digest_of(b"absent"))

    def test_missing_names_each_absent_one_once_and_in_order(self, artifacts: ArtifactStore) -> None:
        """What a client has to send."""
        kept = put(artifacts, b"kept")
        one, two = digest_of(b"one"), digest_of(b"two")

        assert artifacts.missing([two, kept, one, two]) == (two, one)

    def test_a_deleted_artifact_is_gone(self, artifacts: ArtifactStore) -> None:
        """And deleting it again is no error."""
        digest = put(artifacts, b"gone")

        artifacts.delete(digest)
        artifacts.delete(digest)

        assert not artifacts.has(digest)
        assert artifacts.missing([digest]) == (digest,)

    def test_an_open_stream_outlives_the_deletion(self, artifacts: ArtifactStore) -> None:
        """Who has begun to read may read to the end."""
        digest = put(artifacts, b"still here")

        with artifacts.open(digest) as stream:
            artifacts.delete(digest)
            assert stream.read() == b"still here"

    def test_usage_and_digests_come_from_the_listing(self, artifacts: ArtifactStore) -> None:
        """Sizes are in bytes."""
        digests = {put(artifacts, b"12345"), put(artifacts, b"123")}

        assert set(artifacts.digests()) == digests
        assert artifacts.usage() == 8
        assert all(blob.modified > 0 for blob in artifacts.listing())

    def test_many_threads_may_put_the_same_and_other_content(self, artifacts: ArtifactStore) -> None:
        """All succeed, and everything can be read."""
        contents = [b"shared" * 1000, *(str(number).encode() * 100 for number in range(20))]
        failures: list[BaseException] = []

        def put_all() -> None:
            try:
                for content in contents:
                    put(artifacts, content)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=put_all) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert failures == []
        assert set(artifacts.digests()) == {digest_of(content) for content in contents}
        for content in contents:
            with artifacts.open(digest_of(content)) as stream:
                assert stream.read() == content
