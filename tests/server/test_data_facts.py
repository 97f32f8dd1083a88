"""What is recorded of a version of data: at once, in the background, and after a server was killed."""

import gzip
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from penstock.profiling.running import Question
from penstock.server.verbs import data_facts, data_profile
from tests.server.conftest import Api

DEADLINE = 60.0


def created(api: Api, path: Path, kind: str = "uri_file", name: str = "d", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = api.create("data", name=name, type=kind, path=api.upload(path), **more)
    return found


def shown_when(api: Api, is_there: Callable[[dict[str, Any]], bool], version: str = "1") -> dict[str, Any]:
    deadline = time.monotonic() + DEADLINE
    while True:
        found: dict[str, Any] = api.get(f"workspaces/default/data/d/versions/{version}")
        if is_there(found) or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def test_a_version_says_what_is_in_it(api: Api, tmp_path: Path) -> None:
    """Digest, size and number of files; columns with types, and rows. They are output only."""
    (tmp_path / "t.csv").write_text("a,b\n1,x\n2,y\n")

    found = created(api, tmp_path / "t.csv")

    assert found["content_digest"] in found["path"]
    assert (found["size_bytes"], found["files"], found["row_count"]) == (12, 1, 2)
    assert found["schema"] == [{"name": "a", "type": "int64"}, {"name": "b", "type": "string"}]
    assert "facts" not in found
    assert found["creation_context"]["created_at"][:19] == found["creation_context"]["last_modified_at"][:19]
    again = api.create(
        "data",
        name="d",
        version="9",
        type="uri_file",
        path=api.upload(tmp_path / "t.csv"),
        row_count=77,
        schema=[],
    )
    assert again["row_count"] == 2


def test_folders_and_tables_have_rows_too(api: Api, tmp_path: Path) -> None:
    folder = tmp_path / "t"
    folder.mkdir()
    for number in (1, 2):
        pl.DataFrame({"x": [number] * 5}).write_parquet(folder / f"{number}.parquet")
    table = tmp_path / "table"
    table.mkdir()
    (table / "a.csv").write_text("x\n1\n2\n3\n")
    (table / "MLTable").write_text(
        "type: mltable\npaths:\n  - file: a.csv\ntransformations:\n  - read_delimited:\n      delimiter: ','\n  - take: 2\n"
    )

    assert created(api, folder, "uri_folder", "folder")["row_count"] == 10
    found = created(api, table, "mltable", "table")
    assert (found["row_count"], found["schema"], found["files"]) == (2, [{"name": "x", "type": "int64"}], 2)


def test_what_is_no_table_has_no_rows_and_no_error(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is asked about what is no table by its name."""
    asked: list[Question] = []
    monkeypatch.setattr(data_profile, "ask", lambda question, **more: asked.append(question))
    (tmp_path / "model.pkl").write_bytes(b"\x80\x04")
    images = tmp_path / "images"
    images.mkdir()
    (images / "1.png").write_bytes(b"\x89PNG")

    for found in (created(api, tmp_path / "model.pkl"), created(api, images, "uri_folder", "images")):
        assert {"content_digest", "size_bytes", "files"} <= found.keys()
        assert not {"schema", "row_count", "facts"} & found.keys()
    assert asked == []


def test_a_broken_table_is_a_version_that_says_so(api: Api, tmp_path: Path) -> None:
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n" * 1000)[:-30])
    (tmp_path / "config.json").write_text('{"a": 1}')

    broken = created(api, tmp_path / "t.csv.gz")
    assert broken["facts"].startswith("t.csv.gz cannot be read")
    assert "row_count" not in broken
    config = created(api, tmp_path / "config.json", name="config")
    assert not {"schema", "row_count", "facts"} & config.keys()


def test_the_same_content_again_is_told(api: Api, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n1\n")
    document = {"name": "d", "type": "uri_file", "path": api.upload(tmp_path / "t.csv")}

    first = api.post("workspaces/default/data", document=document)
    second = api.post("workspaces/default/data", document=document)

    assert first["warnings"] == []
    assert [(each["code"], each["message"]) for each in second["warnings"]] == [
        ("note", "same content as version 1")
    ]
    assert second["record"]["content_digest"] == first["record"]["content_digest"]


def test_the_same_content_is_not_read_again(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.csv").write_text("a\n1\n")
    first = created(api, tmp_path / "t.csv")
    asked: list[Question] = []
    monkeypatch.setattr(data_profile, "ask", lambda question, **more: asked.append(question))

    second = created(api, tmp_path / "t.csv")

    assert (second["version"], second["row_count"], second["schema"]) == ("2", 1, first["schema"])
    assert asked == []


def test_large_data_is_a_version_before_it_is_read(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`create` does not wait for it, and says so; the facts appear."""
    monkeypatch.setattr(data_facts, "READ_AT_ONCE", 3)
    (tmp_path / "t.csv").write_text("a\n1\n2\n")

    answer = api.post(
        "workspaces/default/data",
        document={"name": "d", "type": "uri_file", "path": api.upload(tmp_path / "t.csv")},
    )

    assert answer["record"]["facts"] == "pending"
    assert "in the background" in answer["warnings"][0]["message"]
    found = shown_when(api, lambda record: "facts" not in record)
    assert found["row_count"] == 2


def test_facts_that_a_killed_server_left_pending_are_found_by_the_next(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.csv").write_text("a\n1\n2\n3\n")
    with monkeypatch.context() as killed:
        killed.setattr(data_facts, "_learn", lambda *given: None)
        record = created(api, tmp_path / "t.csv")
        assert record["facts"] == "pending"

    data_facts.resume(api.platform)

    assert shown_when(api, lambda record: "facts" not in record)["row_count"] == 3


def test_a_place_in_a_datastore_has_the_facts_of_the_time(api: Api, tmp_path: Path) -> None:
    """What can be known is recorded; of an address nothing is, and of a place where nothing is yet neither."""
    folder = api.platform.home.datastore("default", "workspaceblobstore") / "raw"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("x\n1\n2\n")
    address = "azureml://datastores/workspaceblobstore/paths/raw/"

    found = api.create("data", name="d", type="uri_folder", path=address)

    assert (found["row_count"], found["files"], found["size_bytes"]) == (2, 1, 6)
    assert len(found["content_digest"]) == 64
    gone = api.create("data", name="gone", type="uri_folder", path=address + "not/there/")
    web = api.create("data", name="web", type="uri_file", path="https://example.org/a.csv")
    for each in (gone, web):
        assert not data_facts.TOLD & each.keys()


def test_facts_are_looked_for_when_a_version_without_any_is_shown(api: Api, tmp_path: Path) -> None:
    """Such as one that a job has made, or an older Penstock."""
    (tmp_path / "t.csv").write_text("a\n1\n")
    created(api, tmp_path / "t.csv")
    with api.platform.database.transaction() as tx:
        before = tx.assets.get("default", "data", "d", "1")
        bare = {key: value for key, value in before.spec.items() if key not in data_facts.TOLD}
        tx.assets.update_mutable("default", "data", "d", "1", modified_at=before.modified_at, spec=bare)

    assert "row_count" not in api.get("workspaces/default/data/d/versions/1")
    assert shown_when(api, lambda found: "row_count" in found)["row_count"] == 1


def test_a_shared_version_keeps_its_facts(api: Api, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n1\n")
    mine = created(api, tmp_path / "t.csv")
    api.post("registries", document={"name": "shared"})

    shared = api.post("workspaces/default/data/d/versions/1/share", registry="shared")["record"]

    assert {key: shared[key] for key in ("content_digest", "row_count", "schema")} == {
        key: mine[key] for key in ("content_digest", "row_count", "schema")
    }
