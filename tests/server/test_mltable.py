"""Data of type mltable: what is looked into before a version is made, and what a step gets of it."""

from pathlib import Path
from typing import Any

import pytest

from tests.server.conftest import Api

TABLE = (
    "type: mltable\npaths:\n  - file: ./a.csv\ntransformations:\n  - read_delimited:\n      delimiter: ','\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a table of one file."""
    made = tmp_path / "taxi"
    made.mkdir()
    (made / "a.csv").write_text("a\n1\n")
    (made / "MLTable").write_text(TABLE)
    return made


def refused(api: Api, folder: Path, **more: Any) -> list[tuple[Any, Any, str]]:
    """File, line and message of every problem; nothing was registered."""
    document = {"name": "d", "type": "mltable", "path": api.upload(folder)}
    _, error = api.refused("POST", "workspaces/default/data", json={"document": document, **more})
    assert api.get("workspaces/default/data") == []
    return [(each.get("file"), each.get("line"), each["message"]) for each in error["problems"]]


def test_a_folder_with_a_table_is_registered(api: Api, folder: Path) -> None:
    """As a place in the default datastore, with its type."""
    data = api.create("data", name="d", type="mltable", path=api.upload(folder))

    assert data["type"] == "mltable"
    assert data["path"].endswith("/taxi/")


def test_everything_wrong_with_the_file_is_said_with_its_line(api: Api, folder: Path) -> None:
    """Unknown keys, values of another kind, an expression that is none: all at once."""
    (folder / "MLTable").write_text(
        "type: mltable\npaths:\n  - fil: ./a.csv\ntransformations:\n  - read_delimited:\n      sep: ';'\n"
        "  - filter: 'a ='\n  - read_parquet\nother: 1\n"
    )

    found = refused(api, folder)

    assert [(file, line) for file, line, _ in found] == [("taxi/MLTable", line) for line in (3, 6, 7, 9, 8)]
    said = "\n".join(message for _, _, message in found)
    assert "`fil` is not a field of an item of `paths`" in said
    assert "`sep` is not a field of `read_delimited`" in said
    assert "filter `a =`: `=` is not understood" in said
    assert "`read_parquet` must be the first transformation" in said
    assert "`other` is not a field of an MLTable file" in said


@pytest.mark.parametrize(
    ("item", "says"),
    [
        ("file: ./b.csv", "`file: ./b.csv` names nothing in the folder"),
        ("folder: ./data", "`folder: ./data` names nothing in the folder"),
        ("pattern: ./*.tsv", "`pattern: ./*.tsv` names nothing in the folder"),
        ("file: ../other/a.csv", "`../other/a.csv` leads out of the folder, and is not uploaded"),
        ("file: /data/a.csv", "`/data/a.csv` is a place on one machine"),
    ],
)
def test_a_path_that_is_not_in_the_folder_is_refused(api: Api, folder: Path, item: str, says: str) -> None:
    """What lies elsewhere on the author's machine is on no other."""
    (folder / "MLTable").write_text(f"paths:\n- {item}\n")

    ((file, line, message),) = refused(api, folder)

    assert (file, line) == ("taxi/MLTable", 2)
    assert says in message


def test_addresses_need_no_file_in_the_folder(api: Api, folder: Path) -> None:
    """A table may name places in datastores, and public addresses."""
    (folder / "MLTable").write_text(
        "paths:\n- file: azureml://datastores/workspaceblobstore/paths/x.csv\n- pattern: https://x.y/*.csv\n"
    )

    assert api.create("data", name="d", type="mltable", path=api.upload(folder))["version"] == "1"


def test_a_setting_without_effect_is_named_with_its_line(api: Api, folder: Path) -> None:
    """What other writers put into MLTable files is kept, and said to do nothing."""
    (folder / "MLTable").write_text(
        "paths:\n- file: ./a.csv\ntransformations:\n- read_delimited:\n    partition_size: 100\n"
    )
    document = {"name": "d", "type": "mltable", "path": api.upload(folder)}

    (warning,) = api.post("workspaces/default/data", document=document)["warnings"]

    assert (warning["file"], warning["line"]) == ("taxi/MLTable", 5)
    assert "`partition_size` is recorded and has no effect: files are read whole" in warning["message"]


def test_validation_can_be_skipped_but_not_the_file(api: Api, folder: Path) -> None:
    """`skip_validation` takes what the file says; without a file called `MLTable` there is no table."""
    (folder / "MLTable").write_text("unheard: of\n")
    document = {"name": "d", "type": "mltable", "path": api.upload(folder)}
    (folder / "MLTable").rename(folder / "mltable.yml")

    said = refused(api, folder, skip_validation=True)
    made = api.post("workspaces/default/data", document=document, skip_validation=True)

    assert said == [(None, None, "`taxi` holds no file named `MLTable`")]
    assert made["record"]["type"] == "mltable"


def test_a_job_that_declares_another_type_than_the_asset_is_refused(api: Api, folder: Path) -> None:
    """Edge case 4.4, for tables: the asset's own type counts."""
    api.create("data", name="d", type="mltable", path=api.upload(folder))
    job = {
        "type": "command",
        "command": "true",
        "environment": {"image": "x"},
        "inputs": {"x": {"type": "uri_folder", "path": "azureml:d:1"}},
    }

    _, error = api.refused("POST", "workspaces/default/jobs", json={"document": job})

    assert "`azureml:d:1` is a mltable" in error["problems"][0]["message"]


def job_that_reads(path: str) -> dict[str, Any]:
    return {
        "type": "pipeline",
        "inputs": {"t": {"type": "mltable", "path": path}},
        "jobs": {
            key: {
                "command": "true ${{inputs.x}}",
                "environment": {"image": "x"},
                "inputs": {"x": {"type": "mltable", "path": "${{parent.inputs.t}}"}},
            }
            for key in ("a", "b")
        },
    }


@pytest.mark.parametrize(
    ("item", "line", "says"),
    [
        ("file: ./b.csv", 2, "`file: ./b.csv` names nothing in the folder"),
        ("pattern: https://x.y/a/*.csv", 2, "`https://x.y/a` cannot be fetched as a uri_folder"),
        (
            "file: http://169.254.169.254/a.csv",
            2,
            "under such addresses a cloud tells a machine's own secrets",
        ),
        ("fil: ./b.csv", 2, "`fil` is not a field of an item of `paths`"),
    ],
)
def test_a_job_that_reads_a_local_table_is_refused_when_it_is_created(
    api: Api, folder: Path, item: str, line: int, says: str
) -> None:
    """With the line of the MLTable file, once however many steps read it; nothing waits for an environment first."""
    (folder / "MLTable").write_text(f"paths:\n- {item}\n")

    _, error = api.refused(
        "POST", "workspaces/default/jobs", json={"document": job_that_reads(api.upload(folder))}
    )

    (problem,) = error["problems"]
    assert (problem["file"], problem["line"]) == ("taxi/MLTable", line)
    assert says in problem["message"]
    assert api.get("workspaces/default/jobs") == []


def test_a_job_that_declares_a_folder_without_a_table_is_refused(api: Api, folder: Path) -> None:
    """At the input, with what is there instead; a setting without effect is a warning as for data assets."""
    (folder / "MLTable").rename(folder / "MLTable.yml")
    document = job_that_reads(api.upload(folder))

    _, error = api.refused("POST", "workspaces/default/jobs", json={"document": document})

    (problem,) = error["problems"]
    assert (problem["pointer"], problem["message"]) == (
        "/inputs/t",
        "`taxi` holds no file named `MLTable`",
    )
    assert "it holds `MLTable.yml`" in problem["hint"]
    (folder / "MLTable").write_text(
        "paths:\n- file: ./a.csv\ntransformations:\n- read_delimited: {partition_size: 9}\n"
    )
    made = api.post("workspaces/default/jobs", document=job_that_reads(api.upload(folder)))
    assert ["`partition_size`" in each["message"] for each in made["warnings"]].count(True) == 1
