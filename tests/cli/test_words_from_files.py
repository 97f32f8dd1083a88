"""`@FILE` on a command line."""

import io
from pathlib import Path

import pytest

from penstock.cli.words_from_files import filled_in
from penstock.errors import UsageError
from tests.cli.conftest import Penstock
from tests.client.fake_server import FakeServer


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands are typed in, with files of notes."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_bytes(b"\xef\xbb\xbfone\r\ntwo = 2\n\n")
    (tmp_path / "bytes").write_bytes(b"ab\xff")
    (tmp_path / "latest").mkdir()
    return tmp_path


def test_a_words_file_takes_its_place(folder: Path) -> None:
    """As a value, behind a `=`, and as both; without the mark that Windows sets in front, and without the last lines' ends."""
    words = [
        "--description",
        "@notes.txt",
        "--description=@notes.txt",
        "a.b=@notes.txt",
        f"@{folder}/notes.txt",
    ]
    text = "one\ntwo = 2"

    assert filled_in(words) == ["--description", text, f"--description={text}", f"a.b={text}", text]


def test_what_names_no_file_is_itself() -> None:
    """Labels, expressions, addresses, folders."""
    words = [
        "@", "@latest", "azureml:iris@latest", "path=azureml:iris@latest", "[?@=='x']", "@.name", "user@notes.txt", "a=b@notes.txt",
        "@@notes.txt", "@~nobody-of-that-name/x", "@no\0file", "--x=",
    ]  # fmt: skip

    assert filled_in(words) == words


def test_stdin_is_a_file_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """`@-`; a stdin that is closed is empty."""
    monkeypatch.setattr("sys.stdin", io.StringIO("typed\n"))
    assert filled_in(["--set", "tags.a=@-"]) == ["--set", "tags.a=typed"]
    monkeypatch.setattr("sys.stdin", None)
    assert filled_in(["@-"]) == [""]


def test_a_file_that_is_no_text_is_named() -> None:
    """It is not guessed at."""
    with pytest.raises(UsageError, match="@bytes: bytes is not text in UTF-8: invalid start byte at byte 2"):
        filled_in(["@bytes"])


def test_commands_read_them(penstock: Penstock, fake: FakeServer) -> None:
    """A JSON file as the value of `--set`, a text as a description."""
    fake.on("PATCH", "/api/v1/workspaces/w", {"name": "w"})
    Path("tags.json").write_text('{"a": "b"}\n')

    assert penstock("workspace update -n w --set tags=@tags.json description=@notes.txt").code == 0

    (asked,) = fake.asked("PATCH", "/api/v1/workspaces/w")
    assert asked.json["set"] == {"tags": {"a": "b"}, "description": "one\ntwo = 2"}
