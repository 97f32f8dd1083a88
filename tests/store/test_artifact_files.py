"""Artifacts as files: whole or not there, unchanged or refused, and never outside of their folder."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.errors import Conflict, NotFound, PenstockError, ServerUnavailable, StorageFull
from penstock.store.artifacts.files import FileArtifacts
from penstock.store.artifacts.interface import DamagedArtifact
from penstock.testing.artifact_contract import digest_of, put
from tests.store.conftest import SmallDisk


@pytest.fixture
def artifacts(tmp_path: Path) -> FileArtifacts:
    return FileArtifacts(tmp_path / "artifacts")


def place_of(folder: Path, digest: str) -> Path:
    return folder / "sha256" / digest[:2] / digest


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if not path.is_dir())


def test_an_artifact_is_a_read_only_file_on_its_shelf(artifacts: FileArtifacts, tmp_path: Path) -> None:
    """Found by its digest alone; nothing else is left in the folder."""
    digest = put(artifacts, b"content")

    place = place_of(tmp_path / "artifacts", digest)
    assert files_in(tmp_path / "artifacts") == [place]
    assert place.read_bytes() == b"content"
    assert stat.S_IMODE(place.stat().st_mode) == 0o444


def test_only_its_owner_enters_the_folder(artifacts: FileArtifacts, tmp_path: Path) -> None:
    """Uploaded code and data are nobody else's business."""
    put(artifacts, b"content")

    assert stat.S_IMODE((tmp_path / "artifacts").stat().st_mode) == 0o700


def test_a_store_without_a_folder_is_empty(artifacts: FileArtifacts, tmp_path: Path) -> None:
    """Asking makes nothing."""
    assert not artifacts.has(digest_of(b"x"))
    assert list(artifacts.listing()) == []
    artifacts.delete(digest_of(b"x"))
    with pytest.raises(NotFound):
        artifacts.open(digest_of(b"x"))
    assert not (tmp_path / "artifacts").exists()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(name=st.text(max_size=80))
def test_reliability_01_no_name_leads_out_of_the_folder(artifacts: FileArtifacts, name: str) -> None:
    """Whatever the text, it is a digest or it is refused before the disk is touched."""
    for ask in (artifacts.has, artifacts.open, artifacts.delete, lambda text: artifacts.put(text, [b"x"])):
        with pytest.raises(PenstockError, match="is not the digest"):
            ask(name)


def test_reliability_04_a_flipped_byte_is_an_error_naming_the_file(
    artifacts: FileArtifacts, tmp_path: Path
) -> None:
    """However the stream is read; putting the artifact again mends it."""
    content = bytes(200_000)
    digest = put(artifacts, content)
    place = place_of(tmp_path / "artifacts", digest)
    place.chmod(0o600)
    with place.open("r+b") as stream:
        stream.seek(150_000)
        stream.write(b"\1")

    with artifacts.open(digest) as damaged, pytest.raises(DamagedArtifact, match=digest) as caught:
        damaged.read()
    with artifacts.open(digest) as damaged, pytest.raises(DamagedArtifact):
        list(iter(lambda: damaged.read(4096), b""))

    assert f"file: {place}" in caught.value.details
    assert caught.value.hint is not None
    put(artifacts, content)
    with artifacts.open(digest) as stream:
        assert stream.read() == content


def test_reliability_04_a_cut_file_is_damaged(artifacts: FileArtifacts, tmp_path: Path) -> None:
    """As a disk that lost its power might leave it."""
    digest = put(artifacts, b"content")
    place_of(tmp_path / "artifacts", digest).chmod(0o600)
    os.truncate(place_of(tmp_path / "artifacts", digest), 0)

    with artifacts.open(digest) as stream, pytest.raises(DamagedArtifact):
        stream.read()


@pytest.mark.parametrize("what", ["link", "folder", "pipe"])
def test_reliability_02_what_is_no_plain_file_is_refused(
    artifacts: FileArtifacts, tmp_path: Path, what: str
) -> None:
    """A link to a file with the right content too, and a pipe is not waited for."""
    digest = put(artifacts, b"content")
    place = place_of(tmp_path / "artifacts", digest)
    place.unlink()
    (tmp_path / "outside").write_bytes(b"content")
    if what == "link":
        place.symlink_to(tmp_path / "outside")
    elif what == "folder":
        place.mkdir()
    else:
        os.mkfifo(place)

    with pytest.raises(Conflict, match="a link or a special file"):
        artifacts.open(digest)


@pytest.mark.parametrize("level", ["sha256", "shelf"])
def test_reliability_02_a_folder_swapped_for_a_link_is_refused(
    artifacts: FileArtifacts, tmp_path: Path, level: str
) -> None:
    """Neither read nor written nor deleted through it."""
    digest = put(artifacts, b"content")
    swapped = tmp_path / "artifacts" / "sha256"
    if level == "shelf":
        swapped /= digest[:2]
    outside = swapped.rename(tmp_path / "outside")
    swapped.symlink_to(outside)
    before = files_in(outside)

    for ask in (
        artifacts.open,
        artifacts.has,
        artifacts.delete,
        lambda name: artifacts.put(name, [b"content"]),
    ):
        with pytest.raises(Conflict, match="a link or a special file"):
            ask(digest)
    assert files_in(outside) == before
    assert files_in(tmp_path / "artifacts") == []


def test_reliability_02_a_swap_after_opening_changes_nothing(
    artifacts: FileArtifacts, tmp_path: Path
) -> None:
    """What is read is what was opened."""
    digest = put(artifacts, b"content")
    place = place_of(tmp_path / "artifacts", digest)
    (tmp_path / "evil").write_bytes(b"evil")

    with artifacts.open(digest) as stream:
        place.unlink()
        place.symlink_to(tmp_path / "evil")
        assert stream.read() == b"content"


def test_reliability_02_a_hard_link_to_other_content_is_damage(
    artifacts: FileArtifacts, tmp_path: Path
) -> None:
    """A hard link is a plain file; its bytes tell."""
    digest = put(artifacts, b"content")
    place = place_of(tmp_path / "artifacts", digest)
    (tmp_path / "secret").write_bytes(b"a secret")
    place.unlink()
    place.hardlink_to(tmp_path / "secret")

    with artifacts.open(digest) as stream, pytest.raises(DamagedArtifact):
        stream.read()


def test_a_link_to_the_whole_folder_is_the_owners_choice(tmp_path: Path) -> None:
    """A home on another disk."""
    (tmp_path / "big-disk").mkdir()
    (tmp_path / "artifacts").symlink_to(tmp_path / "big-disk")
    artifacts = FileArtifacts(tmp_path / "artifacts")

    digest = put(artifacts, b"content")

    assert artifacts.has(digest)
    assert place_of(tmp_path / "big-disk", digest).exists()


def test_a_killed_upload_is_swept_and_a_living_one_is_not(tmp_path: Path) -> None:
    """By the next server's first upload."""
    folder = tmp_path / "artifacts"
    script = """
import sys
from pathlib import Path
from penstock.store.artifacts.files import FileArtifacts
def chunks():
    yield b"half"
    print("half", flush=True)
    sys.stdin.readline()
    yield b" and half"
FileArtifacts(Path(sys.argv[1])).put(sys.argv[2], chunks())
"""
    digest = digest_of(b"half and half")
    command = [sys.executable, "-c", script, str(folder), digest]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as killed,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as living,
    ):
        for writer in (killed, living):
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"half\n"
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
        assert len(files_in(folder)) == 2

        other = put(FileArtifacts(folder), b"other")

        assert len(files_in(folder)) == 2  # the other one, and the half of the living writer
        living.communicate(b"go on\n")
        assert living.returncode == 0
    assert files_in(folder) == sorted(place_of(folder, each) for each in (digest, other))


def test_reliability_21_a_full_disk_leaves_no_half_artifact(small_disk: SmallDisk) -> None:
    """StorageFull, with its cause, and with room the same upload works."""
    artifacts = FileArtifacts(small_disk.path / "artifacts")
    kept = put(artifacts, b"kept")
    small_disk.fill(leave=300_000)
    content = os.urandom(1_000_000)

    with pytest.raises(StorageFull, match="no space is left") as caught:
        artifacts.put(
            digest_of(content), [content[start : start + 65_536] for start in range(0, 1_000_000, 65_536)]
        )

    assert isinstance(caught.value.__cause__, OSError)
    assert files_in(small_disk.path / "artifacts") == [place_of(small_disk.path / "artifacts", kept)]
    small_disk.empty()
    assert artifacts.put(digest_of(content), [content]) == 1_000_000


def test_reliability_21_a_limit_on_files_leaves_no_half_artifact(tmp_path: Path) -> None:
    """The kernel's limit on the size of a file is a full disk too."""
    script = """
import hashlib, resource, sys
from pathlib import Path
from penstock.errors import StorageFull
from penstock.store.artifacts.files import FileArtifacts
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
content = bytes(200_000)
try:
    FileArtifacts(Path(sys.argv[1])).put(hashlib.sha256(content).hexdigest(), [content])
except StorageFull as error:
    print(type(error.__cause__).__name__)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "OSError"
    assert files_in(tmp_path) == []


def test_reliability_21_a_read_only_disk_is_said(small_disk: SmallDisk) -> None:
    """What is there can still be read."""
    artifacts = FileArtifacts(small_disk.path / "artifacts")
    digest = put(artifacts, b"kept")
    small_disk.write_protect()

    with pytest.raises(ServerUnavailable, match="cannot be used: Read-only file system"):
        put(artifacts, b"more")
    with artifacts.open(digest) as stream:
        assert stream.read() == b"kept"
