"""Following and downloading jobs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.client import jobs as jobs_module
from penstock.client.client import Client
from penstock.client.downloads import place_within
from penstock.errors import NotFound, PenstockError, ServerUnavailable
from tests.client.fake_server import FakeServer, HangUp, Request, lines

JOB = "/api/v1/workspaces/demo/jobs/happy_frog"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_module.time, "sleep", lambda seconds: None)


def test_a_stream_ends_with_its_end(fake: FakeServer, client: Client) -> None:
    """Lines come as they are, to the one that says end."""
    sent = [
        {"kind": "log", "text": "hi\n", "cursor": "1"},
        {"kind": "end", "status": "Completed", "cursor": "2"},
    ]
    fake.answers["GET", f"{JOB}/stream"] = lambda request: (200, lines(*sent))

    assert list(client.jobs.stream("happy_frog")) == sent


def test_a_stream_goes_on_where_it_was_cut(fake: FakeServer, client: Client) -> None:
    """A server that dies in the middle is asked again, from the last line that came."""

    def answer(request: Request) -> tuple[int, Any]:
        if request.query["after"] == ["0"]:
            return 200, _then_hang_up({"kind": "log", "text": "one\n", "cursor": "c1"})
        return 200, lines({"kind": "end", "status": "Completed", "cursor": "c2"})

    fake.answers["GET", f"{JOB}/stream"] = answer

    assert [event["kind"] for event in client.jobs.stream("happy_frog")] == ["log", "end"]
    assert [request.query["after"] for request in fake.asked("GET", f"{JOB}/stream")] == [["0"], ["c1"]]


def test_a_stream_that_only_breaks_is_given_up(fake: FakeServer, client: Client) -> None:
    """With the reason, and the way to look."""
    fake.answers["GET", f"{JOB}/stream"] = lambda request: (200, lines())

    with pytest.raises(ServerUnavailable, match="again and again") as caught:
        list(client.jobs.stream("happy_frog"))

    assert "penstock job show -n happy_frog" in str(caught.value.hint)


def test_a_job_that_does_not_exist_is_not_waited_for(fake: FakeServer, client: Client) -> None:
    """An error of the server is no broken stream."""
    with pytest.raises(NotFound):
        list(client.jobs.stream("happy_frog"))

    assert len(fake.asked("GET", f"{JOB}/stream")) == 1


def test_lines_are_whole_however_they_arrive(fake: FakeServer, client: Client) -> None:
    """A line in many chunks, many lines in one, and empty ones that keep the connection alive."""
    text = json.dumps({"kind": "log", "text": "ä"}, ensure_ascii=False).encode() + b"\n\n\n"
    end = b'{"kind":"end","status":"Completed"}'
    pieces = [text[:9], text[9:21], text[21:] + text, end]
    fake.answers["GET", f"{JOB}/stream"] = lambda request: (200, iter(pieces))

    events = list(client.jobs.stream("happy_frog"))

    assert [event.get("text") for event in events] == ["ä", "ä", None]


def test_a_download_writes_every_file_at_its_place(fake: FakeServer, client: Client, tmp_path: Path) -> None:
    """artifacts and named outputs, straight under the folder; old files are replaced."""
    contents = {
        "artifacts/outputs/ä b.txt": b"hello",
        "named-outputs/model/MLmodel": b"",
        "artifacts/x": b"new",
    }
    _offer(fake, contents)
    (tmp_path / "to" / "artifacts").mkdir(parents=True)
    (tmp_path / "to" / "artifacts" / "x").write_text("old")

    written = client.jobs.download("happy_frog", tmp_path / "to", all_outputs=True)

    assert {
        path.relative_to((tmp_path / "to").resolve()).as_posix(): path.read_bytes() for path in written
    } == contents
    assert sorted(entry.name for entry in (tmp_path / "to").iterdir()) == ["artifacts", "named-outputs"]
    assert fake.asked("GET", f"{JOB}/files")[0].query == {"all": ["true"]}


def test_a_download_that_breaks_leaves_nothing_behind(
    fake: FakeServer, client: Client, tmp_path: Path
) -> None:
    """All files or none."""
    _offer(fake, {"artifacts/a": b"aaa", "artifacts/b": b"bbb"})

    def hang_up(request: Request) -> tuple[int, Any]:
        raise HangUp

    fake.answers["GET", f"{JOB}/files/artifacts/b"] = hang_up

    with pytest.raises(ServerUnavailable):
        client.jobs.download("happy_frog", tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_arrives_short_is_an_error(fake: FakeServer, client: Client, tmp_path: Path) -> None:
    """Its size was promised."""
    _offer(fake, {"artifacts/a": b"aaa"})
    fake.on("GET", f"{JOB}/files/artifacts/a", b"a")

    with pytest.raises(ServerUnavailable, match="1 of 3 bytes"):
        client.jobs.download("happy_frog", tmp_path)


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "a/../../x", "a//b", "a/./b", "a\\b", "a\0b", "", ".."]
)
def test_a_path_that_leaves_the_folder_is_refused(tmp_path: Path, path: str) -> None:
    """Whatever the server says."""
    with pytest.raises(PenstockError, match="leads out"):
        place_within(tmp_path, path)


def test_a_link_that_leaves_the_folder_is_refused(fake: FakeServer, client: Client, tmp_path: Path) -> None:
    """A link in the folder is no way out of it; nothing is fetched."""
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (inside / "artifacts").symlink_to(outside)
    _offer(fake, {"artifacts/x": b"evil"})

    with pytest.raises(PenstockError, match="leads out"):
        client.jobs.download("happy_frog", inside)

    assert list(outside.iterdir()) == []


def _offer(fake: FakeServer, contents: dict[str, bytes]) -> None:
    from penstock.client.connection import escaped

    files = [{"path": path, "size": len(content)} for path, content in contents.items()]
    fake.on("GET", f"{JOB}/files", {"files": files})
    for path, content in contents.items():
        fake.on("GET", f"{JOB}/files/{escaped(*path.split('/'))}", content)


def _then_hang_up(event: dict[str, Any]) -> Iterator[bytes]:
    yield json.dumps(event).encode() + b"\n"
    raise HangUp
