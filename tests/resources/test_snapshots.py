"""Snapshots of local files and folders."""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import InvalidDocument
from penstock.resources.snapshots import (
    Snapshot,
    SnapshotFile,
    SnapshotUri,
    parse_snapshot_uri,
    take_snapshot,
)

EMPTY = hashlib.sha256(b"").hexdigest()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a folder of code."""
    folder = tmp_path / "project"
    (folder / "src" / "lib").mkdir(parents=True)
    (folder / "README.md").write_text("a project")
    (folder / "src" / "train.py").write_text("print(1)\n")
    (folder / "src" / "lib" / "__init__.py").write_text("")
    return folder


def paths_of(folder: Path, **options: object) -> list[str]:
    return [file.path for file in take_snapshot(folder, **options)[0].files]  # type: ignore[arg-type]


def trouble_with(folder: Path, **options: object) -> list[str]:
    with pytest.raises(InvalidDocument) as caught:
        take_snapshot(folder, **options)  # type: ignore[arg-type]
    return [problem.message for problem in caught.value.problems]


def test_a_folder_is_the_list_of_its_files(project: Path) -> None:
    """Paths, digests, sizes; and where each digest can be read."""
    snapshot, local = take_snapshot(project / "src")

    code = hashlib.sha256(b"print(1)\n").hexdigest()
    assert snapshot.is_folder
    assert snapshot.files == (
        SnapshotFile("lib/__init__.py", EMPTY, 0, False),
        SnapshotFile("train.py", code, 9, False),
    )
    assert local[code].read_text() == "print(1)\n"
    assert snapshot.uri == f"snapshot://{snapshot.digest}/src/"


def test_a_file_is_a_snapshot_too(project: Path) -> None:
    """Its name is in the URI and not in the manifest: the same content has one digest under any name."""
    (project / "other.py").write_text("print(1)\n")

    one, _ = take_snapshot(project / "src" / "train.py")
    other, _ = take_snapshot(project / "other.py")

    assert (one.digest, one.is_folder) == (other.digest, False)
    assert one.uri == f"snapshot://{one.digest}/train.py"
    assert other.uri.endswith("/other.py")


def test_the_manifest_is_canonical_json(project: Path) -> None:
    """The digest is that of these very bytes, so that anybody can check it."""
    snapshot, _ = take_snapshot(project / "src")

    record = json.loads(snapshot.manifest())
    assert record == {
        "folder": True,
        "files": [[f.path, f.digest, f.size, f.executable] for f in snapshot.files],
    }
    assert hashlib.sha256(snapshot.manifest()).hexdigest() == snapshot.digest
    assert b" " not in snapshot.manifest()
    assert Snapshot.from_manifest(snapshot.manifest(), "src") == snapshot


def test_only_content_counts(project: Path) -> None:
    """Place, name and times change nothing; a byte, a path and the executable bit do."""
    before = take_snapshot(project / "src")[0].digest
    copied = shutil.copytree(project / "src", project / "copy")
    os.utime(copied / "train.py", (1, 1))
    assert take_snapshot(copied)[0].digest == before

    (copied / "train.py").chmod(0o755)
    assert take_snapshot(copied)[0].digest != before
    (copied / "train.py").chmod(0o644)
    (copied / "train.py").write_text("print(2)\n")
    assert take_snapshot(copied)[0].digest != before


def test_git_and_bytecode_never_count(project: Path) -> None:
    """Running the code once, or committing it, does not change its digest."""
    before = take_snapshot(project / "src")[0].digest

    (project / "src" / "__pycache__").mkdir()
    (project / "src" / "__pycache__" / "train.pyc").write_text("x")
    (project / "src" / "lib" / ".git").write_text("gitdir: elsewhere")

    assert take_snapshot(project / "src")[0].digest == before


def test_the_ignore_file_in_the_root_of_the_folder_counts(project: Path) -> None:
    """Edge case 1.3: neither one in a parent nor one further down has an effect; `apply_ignore=False` switches it off."""
    src = project / "src"
    (project / ".amlignore").write_text("train.py")
    (src / "lib" / ".amlignore").write_text("*")
    assert paths_of(src) == ["lib/.amlignore", "lib/__init__.py", "train.py"]

    (src / ".amlignore").write_text("lib/\n")
    assert paths_of(src) == [".amlignore", "train.py"]
    assert paths_of(src, apply_ignore=False) == [
        ".amlignore",
        "lib/.amlignore",
        "lib/__init__.py",
        "train.py",
    ]

    (src / ".amlignore").write_text("*\n!lib/__init__.py\n")
    assert paths_of(src) == ["lib/__init__.py"]


def test_links_inside_the_project_are_followed(project: Path) -> None:
    """Their targets' content is taken, files and folders alike."""
    (project / "shared").mkdir()
    (project / "shared" / "util.py").write_text("x")
    (project / "src" / "shared").symlink_to("../shared")
    (project / "src" / "again.py").symlink_to("train.py")

    snapshot, local = take_snapshot(project / "src")

    assert [file.path for file in snapshot.files] == [
        "again.py",
        "lib/__init__.py",
        "shared/util.py",
        "train.py",
    ]
    assert all(not path.is_symlink() for path in local.values())


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_link_out_of_the_project_is_an_error(project: Path, what: str) -> None:
    """Nothing from outside is uploaded by a link that came with somebody's repository."""
    outside = project.parent / "outside"
    outside.mkdir()
    (outside / "secret").write_text("s")
    (project / "src" / "link").symlink_to(outside / "secret" if what == "file" else outside)

    assert trouble_with(project / "src") == [
        f"link `{project}/src/link` leaves the project: it leads to {outside}{'/secret' if what == 'file' else ''}, "
        f"and the project is {project}"
    ]
    assert len(paths_of(project / "src", project_root=Path("/"))) == 3


def test_a_link_in_the_middle_of_the_way_out_is_an_error(project: Path) -> None:
    """A link to a folder of the project that holds a link out is no way round."""
    (project.parent / "outside").mkdir()
    (project / "shared").mkdir()
    (project / "shared" / "out").symlink_to(project.parent / "outside")
    (project / "src" / "shared").symlink_to("../shared")

    assert "leaves the project" in trouble_with(project / "src")[0]


def test_a_folder_that_is_itself_a_link_out_is_an_error(project: Path) -> None:
    """The named folder is held to the same rule."""
    (project.parent / "outside").mkdir()
    (project / "code").symlink_to(project.parent / "outside")

    assert "leaves the project" in trouble_with(project / "code")[0]


def test_links_in_circles_are_errors_and_end(project: Path) -> None:
    """A link to a folder around it, a link to itself, a link to nothing: all are named at once."""
    (project / "src" / "lib" / "up").symlink_to("..")
    (project / "src" / "self").symlink_to("self")
    (project / "src" / "gone").symlink_to("nowhere")

    messages = sorted(trouble_with(project / "src"))

    assert messages == [
        f"link `{project}/src/gone` leads nowhere: there is no nowhere",
        f"link `{project}/src/lib/up` leads back to a folder that it lies in",
        f"link `{project}/src/self` leads nowhere: there is no self",
    ]


def test_what_is_left_out_cannot_be_in_the_way(project: Path) -> None:
    """A bad link that the ignore file names is no problem, also where files below are brought back."""
    (project / "src" / "gone").symlink_to("nowhere")
    (project / "src" / "lib" / "up").symlink_to("..")
    (project / "src" / ".amlignore").write_text("gone\nlib/up\n!lib/keep\n")

    assert paths_of(project / "src") == [".amlignore", "lib/__init__.py", "train.py"]


def test_pipes_and_sockets_are_errors_and_nobody_waits_for_them(project: Path) -> None:
    """Reading a pipe would wait for ever."""
    os.mkfifo(project / "src" / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(project / "src" / "sock"))
        messages = trouble_with(project / "src")

    assert f"`{project}/src/pipe` is a pipe, socket or device, and no file" in messages
    assert len(messages) == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_an_error(project: Path) -> None:
    """The message names the file."""
    (project / "src" / "train.py").chmod(0)

    assert trouble_with(project / "src") == [f"`{project}/src/train.py` cannot be read: Permission denied"]


def test_an_unreadable_file_is_named_and_not_skipped(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As above, for whoever runs the tests as root."""
    genuine = os.open

    def refuse(path: object, *rest: object) -> int:
        if str(path).endswith("train.py"):
            raise PermissionError(13, "Permission denied")
        return genuine(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("penstock.resources.folder_walk.os.open", refuse)

    assert trouble_with(project / "src") == [f"`{project}/src/train.py` cannot be read: Permission denied"]


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS refuses such names itself")
def test_a_name_that_is_no_text_is_an_error(project: Path) -> None:
    """It could not be written into a manifest; the message can be printed all the same."""
    (project / "src" / os.fsdecode(b"\xff.py")).write_text("x")
    (project / "src" / "new\nline").write_text("x")

    messages = trouble_with(project / "src")

    assert len(messages) == 2
    assert all(message.isprintable() for message in messages)


def test_a_missing_path_is_said_to_be_missing(project: Path) -> None:
    """One problem, with the path."""
    assert trouble_with(project / "nothing") == [f"`{project}/nothing` does not exist"]


def test_an_empty_folder_is_a_snapshot_without_files(project: Path) -> None:
    """Empty folders below are not kept, as in git."""
    (project / "empty" / "below").mkdir(parents=True)

    snapshot, local = take_snapshot(project / "empty")

    assert (snapshot.is_folder, snapshot.files, local) == (True, (), {})


def test_names_with_all_sorts_of_characters_travel(project: Path) -> None:
    """Blanks, percent signs, quotes and other alphabets are names like others."""
    folder = project / 'a b%2f "ü"#?'
    folder.mkdir()
    (folder / "x%2e%2e.py").write_text("x")

    snapshot, _ = take_snapshot(folder)

    assert parse_snapshot_uri(snapshot.uri) == SnapshotUri(snapshot.digest, folder.name, True)
    assert Snapshot.from_manifest(snapshot.manifest(), folder.name) == snapshot


FILES = st.lists(
    st.tuples(st.sampled_from(["a", "b/c", "b/d", "ü", "z z"]), st.integers(0, 10**12), st.booleans()),
    unique_by=lambda entry: entry[0],
)


@given(FILES)
def test_every_manifest_comes_back_as_it_was(files: list[tuple[str, int, bool]]) -> None:
    """Writing and reading are inverses."""
    entries = tuple(SnapshotFile(path, EMPTY, size, mode) for path, size, mode in sorted(files))
    snapshot = Snapshot("x", True, entries)

    assert Snapshot.from_manifest(snapshot.manifest(), "x") == snapshot


def manifest(files: object, folder: object = True) -> bytes:
    return json.dumps({"folder": folder, "files": files}, separators=(",", ":"), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "forged",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        manifest([["../x", EMPTY, 0, False]]),
        manifest([["/etc/x", EMPTY, 0, False]]),
        manifest([["a//b", EMPTY, 0, False]]),
        manifest([["a/./b", EMPTY, 0, False]]),
        manifest([["a\\b", EMPTY, 0, False]]),
        manifest([["a\0b", EMPTY, 0, False]]),
        manifest([["", EMPTY, 0, False]]),
        manifest([["．．/x", EMPTY, 0, False]]),
        manifest([["a", EMPTY, 0, False], ["a", EMPTY, 0, False]]),
        manifest([["b", EMPTY, 0, False], ["a", EMPTY, 0, False]]),
        manifest([["a", EMPTY, 0, False], ["a/b", EMPTY, 0, False]]),
        manifest([["a", EMPTY, 0, False], ["a-", EMPTY, 0, False], ["a/b", EMPTY, 0, False]]),
        manifest([["a", "../../x", 0, False]]),
        manifest([["a", EMPTY.upper(), 0, False]]),
        manifest([["a", EMPTY, -1, False]]),
        manifest([["a", EMPTY, True, False]]),
        manifest([["a", EMPTY, 0, 1]]),
        manifest([["a", EMPTY, 0]]),
        manifest([[1, EMPTY, 0, False]]),
        manifest([["a", None, 0, False]]),
        manifest("abc"),
        manifest([["a", EMPTY, 0, False]], folder=1),
        manifest([["x", EMPTY, 0, False]], folder=False),
        manifest([], folder=False),
        manifest([]) + b"\n",
        b'{"files":[],"folder":true}',
        b'{"folder":true,"files":[],"more":1}',
    ],
)
def test_reliability_01_a_forged_manifest_is_refused(forged: bytes) -> None:
    """A manifest may come from anybody: paths out of the folder, doubles, and any other spelling are refused."""
    with pytest.raises(InvalidDocument, match="not the manifest of a snapshot"):
        Snapshot.from_manifest(forged, "x")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "src",
        "snapshot://",
        f"snapshot://{EMPTY}",
        f"snapshot://{EMPTY}/",
        f"snapshot://{EMPTY[:-1]}/x",
        f"snapshot://{EMPTY.upper()}/x",
        f"snapshot://{EMPTY}/a/b",
        f"snapshot://{EMPTY}/a//",
        f"snapshot://{EMPTY}/a?x",
        f"snapshot://{EMPTY}/a#x",
        f"snapshot://{EMPTY}/a b",
        f"snapshot://{EMPTY}/%61",
        f"snapshot://{EMPTY}/%FF",
        f"snapshot://{EMPTY}/x\n",
        f" snapshot://{EMPTY}/x",
        f"SNAPSHOT://{EMPTY}/x",
    ],
)
def test_what_is_no_snapshot_uri_is_none(text: str) -> None:
    """One snapshot under one name has one URI; every other text is something else."""
    assert parse_snapshot_uri(text) is None


def test_taking_a_snapshot_needs_no_library(project: Path) -> None:
    """Also with an ignore file, the standard library is enough: this is on the way of every `job create`."""
    (project / "src" / ".amlignore").write_text("*.csv\n")
    code = (
        "import sys; from pathlib import Path; from penstock.resources.snapshots import take_snapshot;"
        f"take_snapshot(Path({str(project / 'src')!r}));"
        "print(*{name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}; {code}"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert set(done.stdout.split()) <= {"penstock", "__main__"}
