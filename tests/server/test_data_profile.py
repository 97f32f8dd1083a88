"""Profiles over the API: of versions, of places, of files; kept, streamed, ended when nobody waits."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from penstock.client.connection import Address, Connection
from penstock.client.data import Data
from penstock.errors import NotFound, PenstockError, PermissionDenied
from penstock.identity.tokens import Caller
from penstock.server.verbs import data_profile
from tests.server.conftest import Api

DEADLINE = 30.0


@pytest.fixture
def data(api: Api) -> Iterator[Data]:
    connection = Connection(Address(socket=api.platform.home.socket))
    yield Data(connection, "/api/v1/workspaces/default", "data", lambda text: None)
    connection.close()


@pytest.fixture
def rides(api: Api, tmp_path: Path) -> Path:
    """A file, registered as `rides:1`."""
    file = tmp_path / "rides.csv"
    file.write_text("cost,paid\n1.5,true\n2.5,false\n,true\n")
    api.create("data", name="rides", type="uri_file", path=api.upload(file))
    return file


def kept(api: Api) -> list[Path]:
    return sorted(api.platform.home.profiles.glob("*"))


def test_a_versions_profile_is_made_once(api: Api, data: Data, rides: Path) -> None:
    """The second who asks has what was kept; also for another version with the same content."""
    first = data.profile("rides", version="1")

    assert (first["data"], first["row_count"]) == ("azureml:rides:1", 3)
    assert [each["nulls"] for each in first["columns"]] == [1, 0]
    files = kept(api)
    assert len(files) == 1
    files[0].write_text(json.dumps({**json.loads(files[0].read_text()), "row_count": 33}))
    api.create("data", name="other", type="uri_file", path=api.upload(rides))
    assert data.profile("other", label="latest")["row_count"] == 33
    assert data.profile(path="azureml:rides@latest", columns=["paid"])["columns"][0]["name"] == "paid"
    files[0].write_text("{ half")
    assert data.profile("rides")["row_count"] == 3


def test_some_columns_are_not_kept_as_all(api: Api, data: Data, rides: Path) -> None:
    found = data.profile("rides", columns=["paid"])

    assert [each["name"] for each in found["columns"]] == ["paid"]
    assert kept(api) == []
    with pytest.raises(NotFound, match="no column `cots`"):
        data.profile("rides", columns=["cots"])


def test_a_place_in_a_datastore_is_looked_at_as_it_is_now(api: Api, data: Data) -> None:
    """Its content may change; a changed file has another profile."""
    folder = api.platform.home.datastore("default", "workspaceblobstore") / "raw"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("x\n1\n2\n")
    address = "azureml://datastores/workspaceblobstore/paths/raw/"
    api.create("data", name="raw", type="uri_folder", path=address)

    assert data.profile("raw")["row_count"] == 2
    (folder / "b.csv").write_text("x\n3\n")
    assert data.profile("raw")["row_count"] == 3
    assert data.profile(path=address)["row_count"] == 3


def test_an_mltable_is_profiled_by_its_own_rules(api: Api, data: Data, tmp_path: Path) -> None:
    """Files that its address names included."""
    place = api.platform.home.datastore("default", "workspaceblobstore") / "raw"
    place.mkdir(parents=True)
    (place / "a.csv").write_text("x,y\n1,a\n2,b\n")
    folder = tmp_path / "table"
    folder.mkdir()
    (folder / "MLTable").write_text(
        "type: mltable\npaths:\n  - file: azureml://datastores/workspaceblobstore/paths/raw/a.csv\n"
        "transformations:\n  - read_delimited:\n      delimiter: ','\n  - drop_columns: y\n"
    )
    api.create("data", name="table", type="mltable", path=api.upload(folder))

    found = data.profile("table")

    assert (found["row_count"], [each["name"] for each in found["columns"]]) == (2, ["x"])
    assert kept(api) == []


def test_a_path_is_read_where_it_lies(api: Api, data: Data, rides: Path, tmp_path: Path) -> None:
    """Nothing of it is uploaded or kept."""
    stored = set(api.platform.home.artifacts.rglob("*"))
    (tmp_path / "semi.txt").write_text("note\na;b\n1;2\n")

    assert data.profile(path=rides)["row_count"] == 3
    found = data.profile(path=tmp_path / "semi.txt", skip_rows=1, delimiter=";")
    assert [each["name"] for each in found["columns"]] == ["a", "b"]
    assert kept(api) == []
    assert set(api.platform.home.artifacts.rglob("*")) == stored
    with pytest.raises(PenstockError, match="does not exist"):
        data.profile(path=tmp_path / "gone.csv")


def test_a_path_is_its_owners(api: Api, rides: Path) -> None:
    """Whoever else may read the workspace's data may not read the machine's."""
    member = Caller("person", "default")

    with pytest.raises(PermissionDenied, match="owner only"):
        data_profile.place(api.platform, member, "default", str(rides))
    assert data_profile.place(api.platform, member, "default", "azureml:rides:1").kind == "uri_file"


def test_a_local_path_and_a_server_elsewhere(rides: Path) -> None:
    there = Data(
        Connection(Address(url="https://penstock.example.org")), "/api/v1/workspaces/default", "data", print
    )

    with pytest.raises(PenstockError, match="server on this machine"):
        there.profile(path=rides)


def test_what_is_no_table_is_told(api: Api, data: Data, tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"\x80\x04")
    api.create("data", name="model", type="uri_file", path=api.upload(tmp_path / "model.pkl"))

    with pytest.raises(PenstockError, match=r"^model\.pkl is not read as a table"):
        data.profile("model")
    with pytest.raises(NotFound, match="was not found"):
        data.profile("nothing")
    status, record = api.refused("GET", "workspaces/default/profile", params={"path": "rides.csv"})
    assert (status, record["message"]) == (400, "`rides.csv` is not a reference")


@pytest.mark.parametrize("verb", ["profile", "validate"])
def test_whoever_hangs_up_ends_the_reading(api: Api, tmp_path: Path, verb: str) -> None:
    """The process that reads goes away with the one who waits for it, who was told how far it had come."""
    fifo = tmp_path / "endless.csv"
    fifo.write_text("a\n")
    rows = 3_000_000
    pl.select(pl.int_range(rows).alias("a"), pl.int_range(rows).cast(pl.String).alias("b")).write_csv(fifo)

    place = "/api/v1/workspaces/default/"
    asked: tuple[str, str, dict[str, Any]] = ("GET", f"{place}profile", {"params": {"path": str(fifo)}})
    if verb == "validate":
        expected = {"columns": {"b": {"unique": True, "matches": "^[0-9]+$"}}}
        asked = ("POST", f"{place}data:validate", {"json": {"path": str(fifo), "expectations": expected}})
    with api.http.stream(asked[0], asked[1], **asked[2]) as answer:
        first = next(line for line in answer.iter_lines() if line)

    assert "rows" in json.loads(first)
    deadline = time.monotonic() + DEADLINE
    while _children() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _children() == []


def _children() -> list[str]:
    """Processes of ours that read tables."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            parent = each.joinpath("stat").read_text().rpartition(")")[2].split()[1]
            words: Any = each.joinpath("cmdline").read_bytes()
        except OSError:
            continue
        if parent == str(os.getpid()) and b"penstock.profiling.child" in words:
            found.append(each.name)
    return found
