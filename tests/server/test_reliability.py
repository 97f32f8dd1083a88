"""What a hostile document or a full disk can do to a server: nothing that stays."""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from penstock.settings import Home
from tests.server.conftest import Api
from tests.server.test_process import ask, running

TRAVERSALS = (
    "../../etc/passwd",
    "..",
    "%2e%2e/%2e%2e/etc/passwd",
    "%252e%252e%252fetc%252fpasswd",
    "..\\..\\etc\\passwd",
    "C:\\windows\\win.ini",
    "\\\\server\\share",
    "x\x00y",
    "．．/etc/passwd",
    "a/../../../etc/passwd",
    "file:///etc/passwd",
    "//example.com/etc/passwd",
    "x?../../etc",
    "x#../../etc",
    "/etc/passwd",
    "a" * 5000,
)
ROUTES = (
    "workspaces/{x}",
    "workspaces/{x}/jobs",
    "workspaces/default/jobs/{x}",
    "workspaces/default/jobs/{x}/files",
    "workspaces/default/jobs/{x}/stream",
    "workspaces/default/computes/{x}",
    "workspaces/default/environments/{x}/versions/{x}",
    "workspaces/default/data/{x}/versions/{x}",
    "workspaces/default/data/d/labels/{x}",
)


@pytest.mark.parametrize("text", TRAVERSALS)
def test_reliability_01_no_route_follows_a_traversal(api: Api, text: str) -> None:
    """Plain, encoded once, encoded twice: not found or refused, never served, never a defect of ours."""
    for route in ROUTES:
        for encoded in (
            text.replace("\x00", "%00").replace("\\", "%5C"),
            quote(text, safe=""),
            quote(quote(text, safe="")),
        ):
            with contextlib.suppress(httpx.InvalidURL):
                answer = api.http.get(f"/api/v1/{route.replace('{x}', encoded)}")
                assert answer.status_code in (200, 307, 404, 405, 422), (route, answer.text)
                assert "root:" not in answer.text
                if (
                    answer.status_code == 200
                ):  # a path that the client itself made shorter names another thing of ours
                    assert answer.json() in ([], api.get("workspaces")) or "resourceGroup" in answer.text


@given(some.text(min_size=1, max_size=60) | some.sampled_from(TRAVERSALS))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_reliability_01_no_name_in_a_document_leaves_the_home(api: Api, name: str) -> None:
    """Names become folders: what is no plain name is refused before anything is made."""
    unsafe = name in (".", "..") or any(part in name for part in ("/", "\\", "\x00"))
    documents: list[tuple[str, dict[str, Any]]] = [
        ("workspaces", {"name": name}),
        ("workspaces/default/data", {"name": name, "type": "uri_folder", "path": "https://example.com/x/"}),
        ("workspaces/default/environments", {"name": name, "image": "x"}),
        ("workspaces/default/computes", {"name": name, "type": "amlcompute"}),
        ("workspaces/default/jobs", {"name": name, "command": "true", "environment": "azureml:nothing:1"}),
    ]
    for path, document in documents:
        answer = api.http.post(f"/api/v1/{path}", json={"document": document})
        assert answer.status_code in (201, 409, 422), answer.text
        assert not (unsafe and answer.status_code == 201), (path, name)


@pytest.mark.parametrize("text", [each for each in TRAVERSALS if len(each) < 1000 and ".." in each])
def test_reliability_01_a_datastore_path_stays_in_its_datastore(api: Api, text: str) -> None:
    """For reading and for writing."""
    store = f"azureml://datastores/workspaceblobstore/paths/{text}"
    base = {"command": "cat ${{inputs.i}}", "environment": {"image": "x"}}
    reading = {**base, "inputs": {"i": {"type": "uri_file", "path": store}}}
    writing = {
        **base,
        "command": "touch ${{outputs.o}}",
        "outputs": {"o": {"type": "uri_file", "path": store}},
    }

    for document in (reading, writing):
        status, error = api.refused("POST", "workspaces/default/jobs", json={"document": document})
        assert status == 422, error


def test_reliability_01_a_link_in_a_datastore_leads_nowhere(api: Api, tmp_path: Path) -> None:
    """Resolved, then checked where it is opened: a symlink out of the datastore is not followed."""
    from penstock.errors import PenstockError
    from penstock.jobs.plans import InDatastore

    (tmp_path / "secret.txt").write_text("secret")
    root = api.platform.home.datastore("default", "workspaceblobstore")
    root.mkdir(parents=True)
    (root / "link").symlink_to(tmp_path)

    with pytest.raises(PenstockError, match="leaves datastore"):
        api.platform.runner.locator("default").path_of(InDatastore("workspaceblobstore", "link/secret.txt"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real filesystem of 24 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mounting, check=False, capture_output=True).returncode != 0:
        pytest.skip("a real small filesystem needs the right to mount one")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path, leave: int) -> Path:
    """Take up the disk but for so many bytes."""
    ballast = folder / "ballast"
    with ballast.open("wb") as stream:
        stream.write(b"\0" * max(0, shutil.disk_usage(folder).free - leave))
    return ballast


def test_reliability_21_a_full_disk_is_said_and_survived(small_disk: Path) -> None:
    """An upload that does not fit is refused with the cause; the server goes on and works again once there is room."""
    home = Home(small_disk / "home")
    with (
        running(home),
        httpx.Client(
            transport=httpx.HTTPTransport(uds=str(home.socket)), base_url="http://penstock", timeout=30
        ) as http,
    ):
        ballast = fill(small_disk, 100_000)
        body = b"x" * 5_000_000
        import hashlib

        answer = http.put(f"/api/v1/blobs/{hashlib.sha256(body).hexdigest()}", content=body)

        assert answer.status_code == 507, answer.text
        assert answer.json()["code"] == "StorageFull"
        assert not [
            path for path in home.artifacts.rglob("*") if path.is_file() and path.stat().st_size > 1000
        ]
        assert ask(home, "health").status_code == 200
        ballast.unlink()
        assert http.put(f"/api/v1/blobs/{hashlib.sha256(body).hexdigest()}", content=body).status_code == 201


def test_reliability_21_a_job_on_a_full_disk_ends_with_the_cause(small_disk: Path) -> None:
    """A job that meets a full disk is never left open once there is room to write its end."""
    home = Home(small_disk / "home")
    document = {"name": "full", "command": "true", "environment": {"image": "python:3.11"}}
    with (
        running(home),
        httpx.Client(
            transport=httpx.HTTPTransport(uds=str(home.socket)), base_url="http://penstock", timeout=30
        ) as http,
    ):
        ballast = fill(small_disk, 400_000)
        created = http.post("/api/v1/workspaces/default/jobs", json={"document": document})
        if created.status_code != 201:
            assert created.json()["code"] == "StorageFull"
            ballast.unlink()
            return
        ballast.unlink()
        deadline = time.monotonic() + 120
        while (job := http.get("/api/v1/workspaces/default/jobs/full").json())["status"] not in (
            "Completed", "Failed", "Canceled"
        ):  # fmt: skip
            assert time.monotonic() < deadline, job["status"]
            time.sleep(0.1)

        assert job["status"] in ("Completed", "Failed")
        if job["status"] == "Failed":
            assert "space" in job["error"]["message"] or "space" in " ".join(job["error"]["details"])
