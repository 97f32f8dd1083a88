"""Snapshots laid out as folders: verified, whole or not there, and never the artifact itself."""

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from penstock.errors import Conflict, InvalidDocument, NotFound, StorageFull
from penstock.resources.snapshots import Snapshot, SnapshotFile, take_snapshot
from penstock.store import beneath
from penstock.store.artifacts.files import FileArtifacts
from penstock.store.artifacts.interface import ArtifactStore, DamagedArtifact
from penstock.store.checkouts import Checkouts
from penstock.store.laid_out import LaidOut
from penstock.testing.artifact_contract import digest_of, put
from penstock.testing.artifacts import MemoryArtifacts
from tests.store.conftest import SmallDisk

FILES = {
    "train.py": b"print('train')\n",
    "lib/deep/er.py": b"x = 1\n",
    "run.sh": b"#!/bin/sh\n",
    "empty": b"",
}


@pytest.fixture
def artifacts(tmp_path: Path) -> FileArtifacts:
    return FileArtifacts(tmp_path / "artifacts")


@pytest.fixture
def checkouts(tmp_path: Path, artifacts: FileArtifacts) -> Checkouts:
    return Checkouts(tmp_path / "checkouts", artifacts)


def keep(artifacts: ArtifactStore, files: Mapping[str, bytes] = FILES, *, is_folder: bool = True) -> Snapshot:
    """Upload as a client does: every file, then the manifest."""
    entries = [
        SnapshotFile(path, put(artifacts, content), len(content), path.endswith(".sh"))
        for path, content in sorted(files.items())
    ]
    snapshot = Snapshot("src", is_folder, tuple(entries))
    assert put(artifacts, snapshot.manifest()) == snapshot.digest
    return snapshot


def keep_manifest(artifacts: ArtifactStore, files: object, folder: object = True) -> str:
    """A manifest that no client of ours would write."""
    text = json.dumps({"folder": folder, "files": files}, separators=(",", ":"), ensure_ascii=False)
    return put(artifacts, text.encode())


def content_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def modes_in(folder: Path) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")]}


def blob(tmp_path: Path, content: bytes) -> Path:
    digest = digest_of(content)
    return tmp_path / "artifacts" / "sha256" / digest[:2] / digest


def damage(place: Path) -> None:
    """Flip one byte, and hide it as well as one can."""
    before = place.stat()
    place.chmod(0o600)
    content = bytearray(place.read_bytes())
    content[0] ^= 1
    place.write_bytes(content)
    place.chmod(stat.S_IMODE(before.st_mode))
    os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_snapshot_comes_back_as_it_was_taken(
    tmp_path: Path, artifacts: FileArtifacts, checkouts: Checkouts
) -> None:
    """From a real folder, through the store, to an equal folder: taking it again gives the same digest."""
    source = tmp_path / "source"
    for name, content in FILES.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(content)
    (source / "run.sh").chmod(0o755)
    snapshot, local = take_snapshot(source, project_root=tmp_path)
    for digest, path in local.items():
        artifacts.put(digest, [path.read_bytes()])
    put(artifacts, snapshot.manifest())

    for number, writable in enumerate((True, False)):
        into = checkouts.checkout(snapshot.digest, tmp_path / "out" / str(number), writable=writable)

        assert into == tmp_path / "out" / str(number)
        assert content_of(into) == FILES
        assert take_snapshot(into, project_root=tmp_path)[0].digest == snapshot.digest


def test_a_single_file_becomes_that_file(
    tmp_path: Path, artifacts: FileArtifacts, checkouts: Checkouts
) -> None:
    """Under the name that the caller gives."""
    snapshot = keep(artifacts, {"": b"a,b\n1,2\n"}, is_folder=False)

    shared = checkouts.checkout(snapshot.digest, tmp_path / "in" / "taxi.csv", writable=False)
    private = checkouts.checkout(snapshot.digest, tmp_path / "work" / "taxi.csv", writable=True)

    assert shared.read_bytes() == private.read_bytes() == b"a,b\n1,2\n"
    assert stat.S_IMODE(shared.stat().st_mode) == 0o444
    assert os.access(private, os.W_OK)
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["taxi.csv"]
    assert checkouts.checkout(snapshot.digest, tmp_path / "in" / "taxi.csv", writable=False) == shared


def test_an_empty_folder_is_a_snapshot_too(
    tmp_path: Path, artifacts: FileArtifacts, checkouts: Checkouts
) -> None:
    """Where everything was ignored."""
    snapshot = keep(artifacts, {})

    for name, writable in (("a", True), ("b", False)):
        into = checkouts.checkout(snapshot.digest, tmp_path / name, writable=writable)
        assert list(into.iterdir()) == []


def test_what_is_for_many_readers_cannot_be_written(
    tmp_path: Path, artifacts: FileArtifacts, checkouts: Checkouts
) -> None:
    """Files 0444, programs and folders 0555."""
    into = checkouts.checkout(keep(artifacts).digest, tmp_path / "shared", writable=False)

    assert modes_in(into) == {0o444, 0o555}
    assert stat.S_IMODE((into / "run.sh").stat().st_mode) == 0o555
    assert stat.S_IMODE((into / "train.py").stat().st_mode) == 0o444


def test_a_private_copy_has_the_usual_modes(
    tmp_path: Path, artifacts: FileArtifacts, checkouts: Checkouts
) -> None:
    """What the umask of the user leaves."""
    before = os.umask(0o027)
    try:
        into = checkouts.checkout(keep(artifacts).digest, tmp_path / "private", writable=True)
    finally:
        os.umask(before)

    assert modes_in(into) == {0o640, 0o750}
    assert stat.S_IMODE((into / "run.sh").stat().st_mode) == 0o750


@pytest.mark.parametrize("writable", [True, False])
def test_no_file_is_the_artifact_itself(
    tmp_path: Path, artifacts: FileArtifacts, checkouts: Checkouts, writable: bool
) -> None:
    """A script that writes to its input, even as root, must not reach what others have too."""
    into = checkouts.checkout(keep(artifacts).digest, tmp_path / "out", writable=writable)

    for name, content in FILES.items():
        assert not (into / name).samefile(blob(tmp_path, content))
        assert (into / name).stat().st_nlink == 1
    (into / "train.py").chmod(0o600)
    (into / "train.py").write_bytes(b"overwritten")
    with artifacts.open(digest_of(FILES["train.py"])) as stream:
        assert stream.read() == FILES["train.py"]


def test_any_artifact_store_will_do(tmp_path: Path) -> None:
    """One whose streams are no files too, where the kernel cannot copy."""
    artifacts = MemoryArtifacts()
    files = {**FILES, "large": os.urandom(3_000_000)}

    into = Checkouts(tmp_path / "books", artifacts).checkout(
        keep(artifacts, files).digest, tmp_path / "out", writable=True
    )

    assert content_of(into) == files


def test_a_shared_checkout_is_made_once(
    tmp_path: Path, artifacts: FileArtifacts, checkouts: Checkouts
) -> None:
    """The second step gets the same files, without any artifact being read; another server knows it too."""
    snapshot = keep(artifacts)
    into = checkouts.checkout(snapshot.digest, tmp_path / "shared", writable=False)
    before = (into / "train.py").stat()
    for digest in list(artifacts.digests()):
        artifacts.delete(digest)

    checkouts.checkout(snapshot.digest, into, writable=False)
    Checkouts(tmp_path / "checkouts", artifacts).checkout(snapshot.digest, into, writable=False)

    assert (into / "train.py").stat() == before


@pytest.mark.parametrize(
    "spoil",
    [
        lambda into: damage(into / "train.py"),
        lambda into: (into.chmod(0o700), (into / "train.py").unlink()),
        lambda into: (into.chmod(0o700), (into / "more").write_text("x")),
        lambda into: (into / "lib" / "deep").chmod(0o700),
        lambda into: (into.chmod(0o700), (into / "more").mkdir()),
        lambda into: (into.chmod(0o700), (into / "lib").rename(into / "bil")),
        lambda into: (into.chmod(0o700), (into / "train.py").unlink(), (into / "train.py").symlink_to("empty")),
        lambda into: (into.chmod(0o700), (into / "train.py").unlink(), os.mkfifo(into / "train.py")),
        lambda into: (
            into.chmod(0o700), (into / "lib").chmod(0o700), (into / "lib").rename(into.parent / "lib"),
            (into / "lib").symlink_to(into.parent / "lib"), into.chmod(0o555),
        ),
    ],
    ids=["byte", "removed", "added", "mode", "folder", "renamed", "link", "pipe", "linked-folder"],
)  # fmt: skip
def test_reliability_04_a_spoiled_shared_checkout_is_mended(
    tmp_path: Path, artifacts: FileArtifacts, checkouts: Checkouts, spoil: object
) -> None:
    """Root ignores modes: before the next step reads it, it is what it was."""
    snapshot = keep(artifacts)
    into = checkouts.checkout(snapshot.digest, tmp_path / "shared", writable=False)
    spoil(into)  # type: ignore[operator]

    checkouts.checkout(snapshot.digest, into, writable=False)

    assert content_of(into) == FILES
    assert modes_in(into) == {0o444, 0o555}
    assert not any(path.is_symlink() for path in into.rglob("*"))


def test_a_touched_checkout_is_read_again_and_kept(
    tmp_path: Path, artifacts: FileArtifacts, checkouts: Checkouts
) -> None:
    """A backup made hard links, or the notes got lost: the same files stay, for steps that are reading them."""
    snapshot = keep(artifacts)
    into = checkouts.checkout(snapshot.digest, tmp_path / "shared", writable=False)
    inode = (into / "train.py").stat().st_ino
    (tmp_path / "backup").hardlink_to(into / "train.py")

    checkouts.checkout(snapshot.digest, into, writable=False)
    Checkouts(tmp_path / "new-books", artifacts).checkout(snapshot.digest, into, writable=False)

    assert (into / "train.py").stat().st_ino == inode


def test_other_content_is_never_replaced(
    tmp_path: Path, artifacts: FileArtifacts, checkouts: Checkouts
) -> None:
    """What we did not put there is not ours to remove; a private copy is always fresh."""
    snapshot = keep(artifacts)
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "thesis.tex").write_text("years of work")
    (tmp_path / "file").write_text("a file")
    (tmp_path / "link").symlink_to(tmp_path / "empty-folder")
    (tmp_path / "empty-folder").mkdir()

    for name in ("theirs", "file", "link"):
        for writable in (True, False):
            with pytest.raises(Conflict, match="exists already"):
                checkouts.checkout(snapshot.digest, tmp_path / name, writable=writable)
    checkouts.checkout(snapshot.digest, tmp_path / "empty-folder", writable=True)
    with pytest.raises(Conflict, match="exists already"):
        checkouts.checkout(snapshot.digest, tmp_path / "empty-folder", writable=True)

    assert (tmp_path / "theirs" / "thesis.tex").read_text() == "years of work"
    assert (tmp_path / "file").read_text() == "a file"
    assert (tmp_path / "link").is_symlink()
    assert content_of(tmp_path / "empty-folder") == FILES


@pytest.mark.parametrize("writable", [True, False])
def test_reliability_04_a_flipped_byte_is_an_error_naming_the_file(
    tmp_path: Path, artifacts: FileArtifacts, checkouts: Checkouts, writable: bool
) -> None:
    """The name that the user knows, and the file to remove; nothing is laid out."""
    snapshot = keep(artifacts)
    damage(blob(tmp_path, FILES["lib/deep/er.py"]))

    with pytest.raises(DamagedArtifact, match=r"file `lib/deep/er\.py` of snapshot .* is damaged") as caught:
        checkouts.checkout(snapshot.digest, tmp_path / "out" / "code", writable=writable)

    assert str(blob(tmp_path, FILES["lib/deep/er.py"])) in " ".join(caught.value.details)
    assert caught.value.hint is not None
    assert list((tmp_path / "out").iterdir()) == []
    put(artifacts, FILES["lib/deep/er.py"])  # as the hint says: removed, and uploaded again
    checkouts.checkout(snapshot.digest, tmp_path / "out" / "code", writable=writable)


def test_reliability_04_a_flipped_byte_in_the_manifest_is_an_error(
    tmp_path: Path, artifacts: FileArtifacts, checkouts: Checkouts
) -> None:
    """Before anything that it says is believed."""
    snapshot = keep(artifacts)
    damage(blob(tmp_path, snapshot.manifest()))

    with pytest.raises(DamagedArtifact, match=snapshot.digest):
        checkouts.checkout(snapshot.digest, tmp_path / "out", writable=True)


def test_an_absent_file_is_named(tmp_path: Path, artifacts: FileArtifacts, checkouts: Checkouts) -> None:
    """By the name that the user knows; an absent snapshot by its digest."""
    snapshot = keep(artifacts)
    artifacts.delete(digest_of(FILES["train.py"]))

    with pytest.raises(NotFound, match=r"file `train\.py`"):
        checkouts.checkout(snapshot.digest, tmp_path / "out", writable=True)
    with pytest.raises(NotFound, match=digest_of(b"absent")):
        checkouts.checkout(digest_of(b"absent"), tmp_path / "out", writable=True)
    assert not (tmp_path / "out").exists()


def _entry(path: object, content: bytes = b"x", **other: object) -> list[object]:
    return [
        path,
        other.get("digest", digest_of(content)),
        other.get("size", len(content)),
        other.get("executable", False),
    ]


@pytest.mark.parametrize(
    "files",
    [
        [_entry("/etc/cron.d/evil")], [_entry("../evil")], [_entry("a/../../evil")], [_entry("..")], [_entry("a//b")],
        [_entry("./a")], [_entry("a/")], [_entry("")], [_entry("a\0b")], [_entry("a\\..\\b")], [_entry("C:/evil")],
        [_entry("a"), _entry("a")], [_entry("a"), _entry("a/b")], [_entry("b"), _entry("a")], [_entry("x" * 300)],
        [_entry(7)], [_entry("a", digest="../../etc/passwd")], [_entry("a", digest=None)], [_entry("a", size=-1)],
        [_entry("a", size="1")], [_entry("a", executable=1)], [["a"]], [["a", digest_of(b"x"), 1, False, "device"]],
        [{"path": "a"}], "a", None, 7, [_entry("\N{TWO DOT LEADER}/evil")],
    ],
)  # fmt: skip
@pytest.mark.parametrize("writable", [True, False])
def test_reliability_03_a_manifest_cannot_lead_outside(
    tmp_path: Path, artifacts: FileArtifacts, checkouts: Checkouts, files: object, writable: bool
) -> None:
    """Absolute paths, `..`, doubles, files that are folders, and whatever else is no list of plain files: refused whole."""
    put(artifacts, b"x")
    digest = keep_manifest(artifacts, files)

    with pytest.raises(InvalidDocument, match="manifest of a snapshot"):
        checkouts.checkout(digest, tmp_path / "out" / "code", writable=writable)

    assert not (tmp_path / "out" / "code").exists()
    assert not (tmp_path / "evil").exists()


def test_reliability_03_a_manifest_that_is_too_large_is_not_read(
    tmp_path: Path, checkouts: Checkouts, artifacts: FileArtifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any artifact's digest may be given as a snapshot's, that of ten gigabytes of data too."""
    monkeypatch.setattr("penstock.store.checkouts._LARGEST_MANIFEST", 1000)
    digest = put(artifacts, bytes(5000))

    with pytest.raises(InvalidDocument, match="1 problem") as caught:
        checkouts.checkout(digest, tmp_path / "out", writable=True)

    assert "too large" in caught.value.problems[0].message


def test_reliability_03_a_size_that_is_a_lie_is_refused(
    tmp_path: Path, artifacts: FileArtifacts, checkouts: Checkouts
) -> None:
    """The digest is right, the manifest is not."""
    put(artifacts, b"x")
    digest = keep_manifest(artifacts, [_entry("a", size=2)])

    with pytest.raises(InvalidDocument):
        checkouts.checkout(digest, tmp_path / "out", writable=True)
    assert not (tmp_path / "out").exists()


def test_reliability_02_a_link_planted_while_building_is_not_followed(
    tmp_path: Path, artifacts: FileArtifacts, checkouts: Checkouts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of the unfinished tree is swapped for a link between two files: nothing is written through it."""
    snapshot = keep(artifacts, {"lib/a.py": b"a", "lib/b.py": b"b"})
    outside = tmp_path / "outside"
    outside.mkdir()
    create_file = beneath.create_file

    def create_and_swap(name: str, outer: int, mode: int) -> int:
        descriptor = create_file(name, outer, mode)
        if name == "a.py":
            (lib,) = (tmp_path / "out").glob(".*/lib")
            lib.rename(tmp_path / "moved")
            lib.symlink_to(outside)
        return descriptor

    monkeypatch.setattr(beneath, "create_file", create_and_swap)

    with pytest.raises(Conflict, match="`lib` in Penstock's folder is a link"):
        checkouts.checkout(snapshot.digest, tmp_path / "out" / "code", writable=True)
    assert list(outside.iterdir()) == []
    assert list((tmp_path / "out").iterdir()) == []


def test_reliability_02_an_artifact_swapped_for_a_link_is_refused(
    tmp_path: Path, artifacts: FileArtifacts, checkouts: Checkouts
) -> None:
    """Even one to a file with the right content; of a hard link, the bytes tell."""
    snapshot = keep(artifacts)
    place = blob(tmp_path, FILES["train.py"])
    (tmp_path / "secret").write_bytes(b"a secret")
    place.unlink()
    place.symlink_to(tmp_path / "secret")
    with pytest.raises(Conflict, match="a link or a special file"):
        checkouts.checkout(snapshot.digest, tmp_path / "out", writable=True)

    place.unlink()
    place.hardlink_to(tmp_path / "secret")
    with pytest.raises(DamagedArtifact, match=r"`train\.py`"):
        checkouts.checkout(snapshot.digest, tmp_path / "out", writable=True)
    assert not (tmp_path / "out").exists()


def test_a_name_that_the_file_system_cannot_tell_apart_is_said(
    tmp_path: Path, artifacts: FileArtifacts, checkouts: Checkouts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS, where `A.py` and `a.py` are one file; here names are folded on their way to the kernel."""
    snapshot = keep(artifacts, {"A.py": b"1", "a.py": b"2"})
    create_file = beneath.create_file
    monkeypatch.setattr(
        beneath, "create_file", lambda name, outer, mode: create_file(name.lower(), outer, mode)
    )

    with pytest.raises(Exception, match=r"file `a\.py` .* does not tell its name from another"):
        checkouts.checkout(snapshot.digest, tmp_path / "out", writable=True)
    assert not (tmp_path / "out").exists()


def test_threads_that_want_the_same_get_the_same(
    tmp_path: Path, artifacts: FileArtifacts, checkouts: Checkouts
) -> None:
    """One builds, the others wait; private copies of one snapshot do not disturb each other."""
    snapshot = keep(artifacts, {f"{number}.py": os.urandom(2000) for number in range(50)})
    failures: list[BaseException] = []
    together = threading.Barrier(6)

    def lay_out(number: int) -> None:
        together.wait()
        try:
            checkouts.checkout(snapshot.digest, tmp_path / "shared" / "code", writable=False)
            checkouts.checkout(snapshot.digest, tmp_path / f"private-{number}", writable=True)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=lay_out, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert [path.name for path in (tmp_path / "shared").iterdir()] == ["code"]
    assert all(len(content_of(tmp_path / f"private-{number}")) == 50 for number in range(6))


def test_a_killed_checkout_can_be_repeated(
    tmp_path: Path, artifacts: FileArtifacts, checkouts: Checkouts
) -> None:
    """What was half-built is not taken for the whole, and does not stay."""
    snapshot = keep(artifacts, {f"{number:03}.py": b"x" * number for number in range(200)})
    script = """
import os, sys
from pathlib import Path
from penstock.store import beneath
from penstock.store.artifacts.files import FileArtifacts
from penstock.store.checkouts import Checkouts
from penstock.store.laid_out import LaidOut
create_file = beneath.create_file
def create_and_wait(name, outer, mode):
    if name == "100.py":
        print("half", flush=True)
        sys.stdin.read()
    return create_file(name, outer, mode)
beneath.create_file = create_and_wait
root = Path(sys.argv[1])
Checkouts(root / "checkouts", FileArtifacts(root / "artifacts")).checkout(
    sys.argv[2], root / "out" / "code", writable=sys.argv[3] == "True"
)
"""
    for writable in (False, True):
        with subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path), snapshot.digest, str(writable)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        ) as killed:  # fmt: skip
            assert killed.stdout is not None
            assert killed.stdout.readline() == b"half\n"
            os.kill(killed.pid, signal.SIGKILL)
        assert not (tmp_path / "out" / "code").exists()

        into = checkouts.checkout(snapshot.digest, tmp_path / "out" / "code", writable=writable)

        assert len(content_of(into)) == 200
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["code"]
        beneath.remove_tree(into)


def test_reliability_21_a_full_disk_leaves_no_half_checkout(small_disk: SmallDisk, tmp_path: Path) -> None:
    """StorageFull, with its cause; with room it works."""
    artifacts = FileArtifacts(tmp_path / "artifacts")
    checkouts = Checkouts(tmp_path / "checkouts", artifacts)
    snapshot = keep(artifacts, {f"{number}.bin": os.urandom(100_000) for number in range(10)})
    small_disk.fill(leave=400_000)

    for writable in (True, False):
        with pytest.raises(StorageFull, match="no space is left") as caught:
            checkouts.checkout(snapshot.digest, small_disk.path / "out", writable=writable)
        assert isinstance(caught.value.__cause__, OSError)
        assert [path.name for path in small_disk.path.iterdir()] == ["ballast"]

    small_disk.empty()
    checkouts.checkout(snapshot.digest, small_disk.path / "out", writable=False)


def test_a_power_cut_right_after_a_checkout_is_mended(
    tmp_path: Path, artifacts: FileArtifacts, checkouts: Checkouts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder has its name, what is in it did not reach the disk, and nobody has written down how it looked."""
    snapshot = keep(artifacts)

    def cut(note: LaidOut) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(LaidOut, "write", cut)
        with pytest.raises(KeyboardInterrupt):
            checkouts.checkout(snapshot.digest, tmp_path / "shared", writable=False)
    (tmp_path / "shared" / "train.py").chmod(0o600)
    (tmp_path / "shared" / "train.py").write_bytes(b"")

    into = checkouts.checkout(snapshot.digest, tmp_path / "shared", writable=False)

    assert content_of(into) == FILES


def test_notes_about_removed_places_are_forgotten(
    tmp_path: Path, artifacts: FileArtifacts, checkouts: Checkouts
) -> None:
    """Those about places that are still there stay."""
    snapshot = keep(artifacts)
    for name in ("stays", "goes"):
        checkouts.checkout(snapshot.digest, tmp_path / name, writable=False)
    beneath.remove_tree(tmp_path / "goes")

    checkouts.forget_removed()

    notes = [json.loads(path.read_text()) for path in (tmp_path / "checkouts" / "places").iterdir()]
    assert [note["place"] for note in notes] == [str(tmp_path / "stays")]


def test_a_note_that_cannot_be_read_costs_time_only(
    tmp_path: Path, artifacts: FileArtifacts, checkouts: Checkouts
) -> None:
    """As a disk that was full might leave it."""
    snapshot = keep(artifacts)
    into = checkouts.checkout(snapshot.digest, tmp_path / "shared", writable=False)
    (note,) = (tmp_path / "checkouts" / "places").iterdir()

    for text in ("", "{", "[]", "7", '{"place": 1}'):
        note.write_text(text)
        checkouts.checkout(snapshot.digest, into, writable=False)
        assert content_of(into) == FILES


def test_removing_a_tree_follows_no_link(tmp_path: Path) -> None:
    """Write-protected folders go too, what a link leads to stays, and nothing at all is fine."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "kept").write_text("kept")
    tree = tmp_path / "tree" / "inner"
    tree.mkdir(parents=True)
    (tree / "link").symlink_to(tmp_path / "outside")
    (tree / "file").write_text("x")
    tree.chmod(0o555)
    (tmp_path / "link").symlink_to(tmp_path / "outside")

    for name in ("tree", "link", "absent"):
        beneath.remove_tree(tmp_path / name)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["outside"]
    assert (tmp_path / "outside" / "kept").read_text() == "kept"
