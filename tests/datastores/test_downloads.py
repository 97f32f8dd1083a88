"""The download cache against a real server: asked once, verified always, resumed, bounded."""

import errno
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from penstock.datastores import downloads, fetching, receiving
from penstock.datastores.downloads import Downloads
from penstock.datastores.fetching import refuse_forbidden
from penstock.errors import Conflict, PenstockError, StorageFull
from tests.datastores.conftest import Site


@pytest.fixture
def cache(tmp_path: Path) -> Downloads:
    return Downloads(tmp_path / "downloads")


def with_file(site: Site, content: bytes = b"a,b\n1,2\n", path: str = "/iris.csv") -> str:
    site.files[path], site.etags[path] = content, '"one"'
    return site.url(path)


def test_a_second_use_is_one_conditional_request(site: Site, cache: Downloads) -> None:
    """And no byte of the file."""
    url = with_file(site)

    first, second = cache.fetch(url), cache.fetch(url)

    assert first == second
    assert (first.name, first.read_bytes(), first.stat().st_mode & 0o777) == (
        "iris.csv",
        b"a,b\n1,2\n",
        0o444,
    )
    assert site.statuses == [200, 304]


def test_a_file_that_has_changed_is_downloaded_again(site: Site, cache: Downloads) -> None:
    """The one from before stays for whoever is reading it."""
    url = with_file(site)
    before = cache.fetch(url)
    site.files["/iris.csv"], site.etags["/iris.csv"] = b"new", '"two"'

    after = cache.fetch(url)

    assert (after.read_bytes(), before.read_bytes()) == (b"new", b"a,b\n1,2\n")
    assert site.statuses == [200, 200]


def test_without_a_version_of_the_file_nothing_is_asked_for_a_day(site: Site, tmp_path: Path) -> None:
    """A server that gives neither ETag nor date cannot be asked whether the file has changed."""
    now = [1000.0]
    cache = Downloads(tmp_path / "downloads", clock=lambda: now[0])
    site.files["/x"] = b"x"

    cache.fetch(site.url("/x"))
    cache.fetch(site.url("/x"))
    assert site.statuses == [200]
    now[0] += 25 * 3600
    cache.fetch(site.url("/x"))

    assert site.statuses == [200, 200]


def test_a_damaged_copy_is_noticed_and_fetched_again(site: Site, cache: Downloads) -> None:
    """One flipped byte; the size is the same."""
    url, said = with_file(site), list[str]()
    path = cache.fetch(url)
    path.chmod(0o644)
    path.write_bytes(b"a,b\n1,3\n")

    again = cache.fetch(url, said.append)

    assert again.read_bytes() == b"a,b\n1,2\n"
    assert site.statuses == [200, 200]
    assert any("is damaged" in each for each in said)


def test_a_download_that_breaks_off_goes_on_from_there(site: Site, cache: Downloads) -> None:
    """Twice; the rest alone is asked for, and the whole is what it should be."""
    content = os.urandom(300_000)
    url = with_file(site, content, "/big.bin")
    site.cut_after = [100_000, 50_000]

    path = cache.fetch(url)

    assert path.read_bytes() == content
    assert site.statuses == [200, 206, 206]
    assert [headers.get("range") for _, headers, _ in site.asked] == [None, "bytes=100000-", "bytes=150000-"]


def test_what_changes_between_two_parts_starts_over(site: Site, cache: Downloads) -> None:
    """Halves of two versions are never put together."""
    url = with_file(site, b"1" * 200_000)
    site.cut_after = [100_000]
    asked = iter([False, True])

    def change(text: str) -> None:
        if "broke off" in text and next(asked, True) is False:
            site.files["/iris.csv"], site.etags["/iris.csv"] = b"2" * 200_000, '"two"'

    path = cache.fetch(url, change)

    assert path.read_bytes() == b"2" * 200_000


def _fetch_and_die(folder: Path, url: str) -> None:
    @contextmanager
    def opened(url: str, headers: Any) -> Iterator[Any]:
        with fetching.opened(url, headers) as answer:
            read = answer.read1
            count = iter(range(100))

            def dying(amount: int) -> bytes:
                if next(count) == 2:
                    os.kill(os.getpid(), signal.SIGKILL)
                return read(amount)

            answer.read1 = dying  # type: ignore[method-assign,assignment]
            yield answer

    receiving._CHUNK = 65536
    Downloads(folder, open_address=opened).fetch(url)


def test_a_process_that_is_killed_in_the_middle_leaves_nothing_half(site: Site, tmp_path: Path) -> None:
    """The next one gets the whole file, and asks for the rest only where a part is there."""
    content = os.urandom(1_000_000)
    url = with_file(site, content)
    victim = multiprocessing.get_context("fork").Process(target=_fetch_and_die, args=(tmp_path / "d", url))
    victim.start()
    victim.join(30)
    assert victim.exitcode == -signal.SIGKILL

    path = Downloads(tmp_path / "d").fetch(url)

    assert path.read_bytes() == content
    assert site.statuses[0] == 200
    assert sorted(each.name for each in path.parent.parent.iterdir()) == sorted(
        ["entry.json", path.parent.name]
    )


def test_eight_at_once_download_once(site: Site, cache: Downloads) -> None:
    """Who wants what another fetches waits for it."""
    url = with_file(site)
    paths: list[Path] = []
    threads = [threading.Thread(target=lambda: paths.append(cache.fetch(url))) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)

    assert len(set(paths)) == 1
    assert len(paths) == 8
    assert site.statuses[0] == 200
    assert set(site.statuses[1:]) <= {304}  # of those that came when it was there


def test_who_waited_for_a_download_asks_for_nothing(site: Site, cache: Downloads) -> None:
    """Two at once are one request."""
    url = with_file(site)
    site.hold["/iris.csv"] = threading.Event()
    is_waiting, paths = threading.Event(), list[Path]()

    def waits() -> bool:
        is_waiting.set()
        return True

    first = threading.Thread(target=lambda: paths.append(cache.fetch(url)))
    first.start()
    while not site.asked:
        first.join(0.01)
    second = threading.Thread(target=lambda: paths.append(cache.fetch(url, is_wanted=waits)))
    second.start()
    assert is_waiting.wait(30)
    site.hold["/iris.csv"].set()
    for each in (first, second):
        each.join(30)

    assert len(set(paths)) == 1
    assert len(paths) == 2
    assert site.statuses == [200]


def test_without_a_network_the_copy_is_used_and_what_was_never_here_is_told(
    site: Site, cache: Downloads, tmp_path: Path
) -> None:
    """With the address, and how to map it."""
    url, said = with_file(site), list[str]()
    path = cache.fetch(url)

    @contextmanager
    def unplugged(url: str, headers: Any) -> Iterator[Any]:
        raise fetching.Unreachable("Network is unreachable")
        yield

    offline = Downloads(tmp_path / "downloads", open_address=unplugged)

    assert offline.fetch(url, said.append) == path
    assert "cannot be asked (Network is unreachable); the copy from before is used" in said[0]
    with pytest.raises(
        PenstockError, match=r"https://example\.com/x\.csv\?…` cannot be downloaded"
    ) as refusal:
        offline.fetch("https://example.com/x.csv?sig=hunter2")
    assert "settings.url_map" in str(refusal.value.hint)
    assert "hunter2" not in refusal.value.message


def test_what_is_too_large_is_refused(site: Site, tmp_path: Path) -> None:
    """As soon as it is known: by its length, or where the server does not say it, while it comes."""
    url = with_file(site, b"x" * 5000)
    cache = Downloads(tmp_path / "downloads", limit=1000)

    with pytest.raises(PenstockError, match="larger than 1000 bytes"):
        cache.fetch(url)
    site.says_length = False
    with pytest.raises(PenstockError, match="larger than 1000 bytes"):
        cache.fetch(url)

    assert list((tmp_path / "downloads").rglob("part")) == []


def test_a_full_disk_is_told_before_and_while(
    site: Site, cache: Downloads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And leaves no part behind."""
    url = with_file(site)
    usage = receiving.shutil.disk_usage("/")
    with monkeypatch.context() as patch:
        patch.setattr(receiving.shutil, "disk_usage", lambda path: usage._replace(free=1000))
        with pytest.raises(StorageFull, match="there is no room for"):
            cache.fetch(url)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(receiving.os, "fsync", full)
        with pytest.raises(StorageFull):
            cache.fetch(url)
    assert cache.fetch(url).read_bytes() == b"a,b\n1,2\n"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.0 304 Not Modified\r\n\r\n", "says that the file has not changed, and was not asked"),
        (b"HTTP/1.0 204 No Content\r\n\r\n", "the server answered 204 No Content"),
        (b"HTTP/1.0 202 Accepted\r\nContent-Length: 1\r\n\r\nx", "the server answered 202 Accepted"),
        (
            b"HTTP/1.0 206 Partial\r\nContent-Range: bytes 0-0/100\r\nContent-Length: 1\r\n\r\nx",
            "sends a part of the file",
        ),
        (b"HTTP/1.0 200 OK\r\nContent-Length: -5\r\n\r\nx", "the length `-5`, which is none"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nx", "which is none"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: \xb2\r\n\r\nx", "which is none"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 900\r\n\r\nx", "1 bytes of 900 bytes arrived"),
        (b"GARBAGE\r\n\r\n", "cannot be downloaded"),
    ],
)
def test_a_server_that_lies_leaves_no_file(site: Site, cache: Downloads, answer: bytes, said: str) -> None:
    """Nothing, a part, or an answer to another question is never taken for the file."""
    site.raw["/x.csv"] = answer

    with pytest.raises(PenstockError, match=said):
        cache.fetch(site.url("/x.csv"))

    assert [each.bytes for each in cache.kept() if each.address != "unfinished"] == []


def test_a_part_that_is_the_whole_already_starts_over(site: Site, tmp_path: Path, cache: Downloads) -> None:
    """A machine may stop between the last byte and the entry: then nothing is left to ask for."""
    url = with_file(site)
    path = cache.fetch(url)
    place = path.parent.parent
    (place / "part").write_bytes(path.read_bytes())
    (place / "part.json").write_text('{"validator": "\\"one\\""}')

    assert cache.fetch(url).read_bytes() == b"a,b\n1,2\n"
    assert site.statuses == [200, 416, 304]


def test_what_comes_compressed_is_kept_so_with_a_warning(site: Site, cache: Downloads) -> None:
    """It was not asked for; whoever reads the file has to know."""
    site.raw["/x.gz"] = b"HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nzz"
    said: list[str] = []

    assert cache.fetch(site.url("/x.gz"), said.append).read_bytes() == b"zz"
    assert any("comes compressed (gzip)" in each for each in said)


def test_a_download_ends_when_nobody_wants_it_and_the_next_one_goes_on(
    site: Site, cache: Downloads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also for whoever only waits for another one's download."""
    monkeypatch.setattr(receiving, "_ASK_AGAIN_AFTER", 0.0)
    content = os.urandom(200_000)
    url, wanted = with_file(site, content), threading.Event()
    site.hold["/iris.csv"] = threading.Event()
    wanted.set()
    ends: list[BaseException] = []

    def fetch() -> None:
        try:
            cache.fetch(url, is_wanted=wanted.is_set)
        except PenstockError as error:
            ends.append(error)

    threads = [threading.Thread(target=fetch) for _ in range(2)]
    for each in threads:
        each.start()
    while not site.asked:
        threads[0].join(0.01)
    wanted.clear()
    for each in threads:
        each.join(30)

    assert [type(each) for each in ends] == [receiving.NoLongerWanted] * 2
    del site.hold["/iris.csv"]
    assert cache.fetch(url).read_bytes() == content
    assert site.statuses == [200, 206]


def test_redirects_are_followed_within_bounds(site: Site, cache: Downloads) -> None:
    """Not in circles, not to other schemes, not to where clouds keep secrets."""
    with_file(site)
    site.redirects = {
        "/moved": site.url("/iris.csv"),
        "/round": site.url("/round"),
        "/file": "file:///etc/passwd",
        "/secrets": "http://169.254.169.254/latest/meta-data/",
    }

    assert cache.fetch(site.url("/moved")).read_bytes() == b"a,b\n1,2\n"
    for path, said in (
        ("/round", "cannot be downloaded"),
        ("/file", "is not allowed"),
        ("/secrets", "is not asked"),
        ("/absent", "the server answered 404"),
    ):
        with pytest.raises(PenstockError, match=said):
            cache.fetch(site.url(path))


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/iam",
        "http://[fe80::1]/x",
        "http://[::ffff:169.254.169.254]/x",
        "http://metadata.google.internal/computeMetadata/v1/",
        "http://100.100.100.200/x",
        "https://168.63.129.16/x",
    ],
)
def test_a_clouds_own_secrets_are_never_asked_for(url: str) -> None:
    """By whatever name. Other private addresses are the user's own."""
    with pytest.raises(PenstockError, match="secrets"):
        refuse_forbidden(url)
    refuse_forbidden("http://192.168.1.5/data.csv")
    refuse_forbidden("http://10.0.0.1/data.csv")


def test_what_a_name_leads_to_is_looked_at_after_connecting(
    site: Site, cache: Downloads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name may be resolved to anything: nothing is sent before the peer is known."""
    url = with_file(site)
    monkeypatch.setattr(fetching, "_METADATA_ADDRESSES", frozenset({"127.0.0.1"}))

    with pytest.raises(PenstockError, match="secrets"):
        cache.fetch(url.replace("127.0.0.1", "localhost"))

    assert site.asked == []


def test_no_credentials_of_an_address_are_written_down(site: Site, cache: Downloads, tmp_path: Path) -> None:
    """Neither in what is said nor in the cache's books."""
    site.files["/x.csv?sig=hunter2"] = b"x"
    said: list[str] = []

    path = cache.fetch(site.url("/x.csv?sig=hunter2"), said.append)

    assert path.name == "x.csv"
    assert "hunter2" not in " ".join(said)
    assert b"hunter2" not in (path.parent.parent / "entry.json").read_bytes()


def test_the_cache_is_counted_and_removed_entry_by_entry(site: Site, cache: Downloads) -> None:
    """One that is being fetched stays."""
    url = with_file(site)
    path = cache.fetch(url)

    (kept,) = cache.kept()
    assert kept.address == url
    assert kept.bytes > 0
    with cache._alone(kept.key), pytest.raises(Conflict):
        cache.remove(kept.key)
    cache.remove(kept.key)

    assert list(cache.kept()) == []
    assert not path.exists()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/a/b.csv", "b.csv"), ("/a/b.csv?x=1", "b.csv"), ("/", "data"), ("/a%2Fb%00.csv", "ab.csv"),
        ("/..", "data"), ("/%2e%2e", "data"), ("/" + "x" * 400 + ".csv", "x" * 196 + ".csv"),
    ],
)  # fmt: skip
def test_a_file_is_called_after_its_address(path: str, name: str) -> None:
    """By a name that is no path."""
    assert downloads._name_of(f"https://example.com{path}") == name
