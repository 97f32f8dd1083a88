"""Paths of requests for MLflow: one meaning, or refused."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.tracking.paths import UnsafePath, check_artifact_path, check_query, encode_path, read_path

# Reliability test 1: what was used against path checks elsewhere.
TRAVERSALS = [
    "..", ".", "../x", "x/../y", "x/..", "./x", "x/./y", "%2e%2e", "%2E%2e/x", ".%2e", "%252e%252e", "%25252e%25252e/x",
    "%25%32%65%25%32%65", "x/%2e%2e%2fy", "..%2fx", "..%252fx", "..%5cx", "..\\x", "x\\..\\y", "%5c%5chost%5cshare",
    "\\\\host\\share", "//host/share", "C:", "C:/Windows", "c%3A/x", "C|/x", "x%00", "x%00.txt", "%2500", "x%0a", "x\x7f",
    "．．/x", "%ef%bc%8e%ef%bc%8e/x", "‥", "x／y", "%ef%bc%8fetc", "․․/x", "..%c0%af", "%c0%ae%c0%ae/x", "%ff",
    "x∕y", "x⁄y", "＼x", "x//y", "..;/x/%2e%2e", "%2f%2fetc", "file:%2f%2f%2fetc", "a" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("text", TRAVERSALS)
def test_reliability_01_a_path_that_leads_elsewhere_is_refused(text: str) -> None:
    """In whatever spelling it comes."""
    with pytest.raises(UnsafePath):
        read_path(b"/api/2.0/mlflow-artifacts/artifacts/" + text.encode())


@pytest.mark.parametrize("text", ["/etc/passwd", "file:///etc/passwd", "s3://bucket/x", "x:y", *TRAVERSALS])
@pytest.mark.parametrize("name", ["path", "artifact_path", "artifact_file_path", "artifact_directory_path"])
def test_reliability_01_a_query_that_leads_elsewhere_is_refused(name: str, text: str) -> None:
    """Among other parameters, and as the second of its name too."""
    encoded = text if "%" in text else quote(text)
    with pytest.raises(UnsafePath):
        check_query(f"run_uuid=1&{name}=fine&{name}={encoded}".encode())


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b"/api/2.0/mlflow/runs/get", "/api/2.0/mlflow/runs/get"),
        (b"/", "/"),
        (b"/x/", "/x/"),
        (b"/1/abc/artifacts/my%20model/100%25.txt", "/1/abc/artifacts/my model/100%.txt"),
        (b"/h%C3%A4%3F%23.txt", "/hä?#.txt"),
        (b"/..x/...", "/..x/..."),
        (b"/a:b/xy:", "/a:b/xy:"),
        (b"/.hidden/a..b", "/.hidden/a..b"),
    ],
)  # fmt: skip
def test_an_ordinary_path_is_read(raw: bytes, path: str) -> None:
    """Names may hold spaces, percent signs, dots and letters of every script."""
    assert read_path(raw) == path


@given(st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=5))
def test_what_is_read_means_the_same_when_sent_on(segments: list[str]) -> None:
    """MLflow reads from our spelling what we have read and checked."""
    try:
        path = read_path(encode_path("/" + "/".join(segments)).encode())
    except (UnsafePath, UnicodeEncodeError):
        return

    assert read_path(encode_path(path).encode()) == path
    assert not {".", ".."} & set(path.split("/"))


@given(st.binary(max_size=60))
def test_no_bytes_get_past_as_a_parent_folder(raw: bytes) -> None:
    """Whatever comes, it is refused as unsafe or has neither dot segments, nor backslashes, nor control characters."""
    try:
        path = read_path(b"/" + raw)
    except UnsafePath:
        return

    assert not {".", ".."} & set(path.split("/"))
    assert not any(character in path for character in "\\\x00\n\r")


@pytest.mark.parametrize("path", ["", "model", "model/MLmodel", "a b/ä 100%.txt", "x/y:z.txt"])
def test_an_ordinary_artifact_path_passes(path: str) -> None:
    """The root, too."""
    check_artifact_path(path)
