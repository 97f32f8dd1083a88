"""Validating data through the API: versions, files of this machine, what is kept and what is told."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from penstock.client.connection import Address, Connection
from penstock.client.data import Data
from penstock.errors import PermissionDenied
from penstock.identity.tokens import Caller
from penstock.server.verbs.data_validation import Asked
from penstock.server.verbs.data_validation import of_path as check_of_path
from tests.server.conftest import Api

EXPECTED: dict[str, Any] = {"columns": {"fare": {"type": "number", "min": 0}}}


@pytest.fixture
def taxi(api: Api, tmp_path: Path) -> Path:
    """A data asset `taxi` of one file, version 1."""
    file = tmp_path / "taxi.csv"
    file.write_text("fare,tip\n1.5,0\n-2,1\n3,0\n")
    api.create("data", name="taxi", type="uri_file", path=api.upload(file))
    return file


def validate(api: Api, name: str = "taxi", **body: Any) -> Any:
    return answer(api, f"workspaces/default/data/{name}/validate", **body)["validation"]


def answer(api: Api, route: str, **body: Any) -> Any:
    """The last of the lines that the answer is."""
    found = api.http.post(f"/api/v1/{route}", json=body)
    assert found.status_code == 200, found.text
    return json.loads(found.text.splitlines()[-1])


def validate_path(api: Api, place: Path) -> Any:
    body = {"path": str(place), "expectations": {"rows": 2}}
    return answer(api, "workspaces/default/data:validate", **body)["validation"]


def statuses(report: Any) -> dict[str, str]:
    return {result["name"]: result["status"] for result in report["results"]}


def test_a_report_says_what_was_expected_and_found(api: Api, taxi: Path) -> None:
    """With counts, and rows by their numbers."""
    report = validate(api, expectations=EXPECTED, source="e.yml")

    failed = next(result for result in report["results"] if result["status"] == "failed")
    assert (report["passed"], report["rows"], report["columns"]) == (False, 3, 2)
    assert report["data"] == {"name": "taxi", "version": "1", "reference": "azureml:taxi:1"}
    assert report["expectations"]["source"] == "e.yml"
    assert report["counts"] == {"passed": 3, "failed": 1, "warning": 0, "not_applicable": 0}
    assert (failed["name"], failed["pointer"], failed["failing"], failed["checked"]) == (
        "fare.min", "/columns/fare/min", 1, 3,
    )  # fmt: skip
    assert failed["examples"] == [{"row": 2, "value": -2.0}]


def test_no_row_is_shown_where_none_may_be(api: Api, taxi: Path) -> None:
    """The counts stay."""
    report = validate(api, expectations=EXPECTED, examples=0)

    assert [result["examples"] for result in report["results"]] == [[]] * 4
    assert next(result for result in report["results"] if result["status"] == "failed")["failing"] == 1


def test_the_last_result_stays_with_the_version(api: Api, taxi: Path) -> None:
    """When, against what, and whether it passed; an event says so too. The version itself is as it was."""
    before = api.get("workspaces/default/data/taxi/versions/1")
    failed = validate(api, expectations=EXPECTED)
    passed = validate(api, expectations={"rows": 3})

    shown = api.get("workspaces/default/data/taxi/versions/1")
    kept = shown.pop("last_validation")
    with api.platform.database.reading() as tx:
        events = [event for event in tx.events.after("default", 0, 100) if event.type == "data.validated"]
    assert shown == before
    assert kept == {
        "validated_at": passed["validated_at"], "expectations": passed["expectations"]["digest"], "passed": True,
        "rows": 3, "counts": {"passed": 1, "failed": 0, "warning": 0, "not_applicable": 0},
    }  # fmt: skip
    assert [(event.subject, event.body["passed"]) for event in events] == [
        ("data/taxi:1", False),
        ("data/taxi:1", True),
    ]
    assert failed["expectations"]["digest"] == events[0].body["expectations"]


def test_expectations_are_found_by_the_name_of_the_asset(api: Api, taxi: Path) -> None:
    """Given when a version is made, or kept by a validation; a version without has those of the newest that has some."""
    taxi.write_text("fare\n1\n")
    api.create("data", name="taxi", type="uri_file", path=api.upload(taxi), expectations=EXPECTED)
    taxi.write_text("fare\n-1\n")
    api.create("data", name="taxi", type="uri_file", path=api.upload(taxi))

    first, latest = validate(api, version="1"), validate(api)
    own = validate(api, version="2", expectations={"rows": 1}, keep=True)
    later = validate(api, label="latest")

    assert (first["passed"], latest["passed"], latest["data"]["version"]) == (False, False, "3")
    assert latest["expectations"]["source"] == "the expectations of taxi:2"
    assert own["passed"] is later["passed"] is True
    assert list(statuses(later)) == ["rows"]


def test_the_same_version_again_takes_other_expectations(api: Api, taxi: Path) -> None:
    """They are no content: the bytes are what they were."""
    path = api.get("workspaces/default/data/taxi/versions/1")["path"]

    again = api.create("data", name="taxi", version="1", type="uri_file", path=path, expectations=EXPECTED)

    assert (again["version"], again["expectations"]) == ("1", EXPECTED)
    assert validate(api)["expectations"]["source"] == "the expectations of taxi:1"


def test_without_any_expectations_the_next_step_is_told(api: Api, taxi: Path) -> None:
    """Nothing is checked against nothing."""
    status, error = api.refused("POST", "workspaces/default/data/taxi/validate", json={})

    assert status == 404
    assert error["message"] == "no expectations are kept with data `taxi`"
    assert "penstock data validate -n taxi -f" in error["hint"]


def test_what_expectations_get_wrong_is_told_at_its_place(api: Api, taxi: Path) -> None:
    """And nothing is kept of it; neither with a validation nor with a new version."""
    wrong = {"columns": {"fare": {"mni": 0}}}

    _, sent = api.refused(
        "POST", "workspaces/default/data/taxi/validate", json={"expectations": wrong, "keep": True}
    )
    document = {"name": "taxi", "type": "uri_file", "path": api.upload(taxi), "expectations": wrong}
    _, made = api.refused("POST", "workspaces/default/data", json={"document": document})

    assert [problem["pointer"] for problem in sent["problems"]] == ["/columns/fare/mni"]
    assert [problem["pointer"] for problem in made["problems"]] == ["/expectations/columns/fare/mni"]
    versions = api.get("workspaces/default/data", name="taxi")
    assert [each.keys() & {"expectations", "last_validation"} for each in versions] == [set()]


def test_files_of_this_machine_are_checked_where_they_lie(api: Api, tmp_path: Path) -> None:
    """A file, a folder, a table: told from what is there. Nothing is registered."""
    folder = tmp_path / "rides"
    folder.mkdir()
    (folder / "a.csv").write_text("fare\n1\n")
    (folder / "b.csv").write_text("fare\n2\n")

    found = [validate_path(api, place) for place in (folder, folder / "a.csv")]

    assert [report["passed"] for report in found] == [True, False]
    assert [report["data"]["type"] for report in found] == ["uri_folder", "uri_file"]
    assert api.get("workspaces/default/data") == []


def test_a_version_that_is_no_table_is_told_so(api: Api, tmp_path: Path) -> None:
    """Nothing is recorded of it."""
    (tmp_path / "model.bin").write_bytes(b"\x00\x01\x02")
    api.create("data", name="m", type="uri_file", path=api.upload(tmp_path / "model.bin"))

    found = answer(api, "workspaces/default/data/m/validate", expectations={"rows": 1})

    assert "model.bin" in found["error"]["message"]
    assert "last_validation" not in api.get("workspaces/default/data/m/versions/1")


def test_what_is_expected_goes_with_data_into_a_registry(api: Api, taxi: Path) -> None:
    """What was found does not: it is about the version where it was found."""
    validate(api, expectations={"rows": 3}, keep=True)
    api.post("registries", document={"name": "shared"})
    api.post("workspaces/default/data/taxi/versions/1/share", registry="shared")

    shared = api.get("registries/shared/data/taxi/versions/1")
    report = answer(api, "registries/shared/data/taxi/validate")["validation"]

    assert shared["expectations"] == {"rows": 3}
    assert "last_validation" not in shared
    assert report["passed"]
    assert report["data"]["reference"].startswith("azureml://registries/shared/data/taxi")


def test_text_is_read_as_it_is_said_to_be(api: Api, tmp_path: Path) -> None:
    """Which files of a folder, what divides the values: as for a profile."""
    folder = tmp_path / "rides"
    folder.mkdir()
    (folder / "a.txt").write_text("made by a machine\nfare;tip\n1;2\n")
    (folder / "notes.md").write_text("nothing")
    api.create("data", name="odd", path=api.upload(folder))

    report = validate(
        api,
        "odd",
        expectations={"columns": {"fare": {"max": 1}, "tip": None}},
        pattern="*.txt",
        delimiter=";",
        skip_rows=1,
    )

    assert (report["passed"], report["rows"], report["columns"]) == (True, 1, 2)


def test_what_a_profile_proposes_is_met_and_goes_back_into_validation(api: Api, tmp_path: Path) -> None:
    """Of a version it names the asset; of some columns it says nothing about others."""
    file = tmp_path / "rides.csv"
    file.write_text(
        "ride,fare,paid\n" + "".join(f"{n},{n % 50},{'yes' if n % 3 else 'no'}\n" for n in range(300))
    )
    api.create("data", name="rides", type="uri_file", path=api.upload(file))
    with closing(Connection(Address(socket=api.platform.home.socket))) as connection:
        data = Data(connection, "/api/v1/workspaces/default", "data", lambda text: None)

        whole = data.profile("rides", propose=True)["proposal"]
        some = data.profile(path=file, columns=["fare"], propose=True)["proposal"]
        (tmp_path / "e.yml").write_text(whole)
        report = data.validate(expectations=tmp_path / "e.yml", keep=True)
        (tmp_path / "e.yml").write_text(some)
        by_path = data.validate(path="azureml:rides@latest", expectations=tmp_path / "e.yml")

    assert whole.startswith("# Proposed from rides:1: 300 rows, 3 columns.")
    assert "\ndata: azureml:rides@latest\n" in whole
    assert "  paid: {type: text, nulls: 0, allowed: ['no', 'yes']}" in whole
    assert (report["data"]["version"], set(statuses(report).values())) == ("1", {"passed"})
    assert "extra_columns" not in some
    assert by_path["passed"]
    assert (
        api.get("workspaces/default/data/rides/versions/1")["expectations"]["data"] == "azureml:rides@latest"
    )


def test_only_the_owner_names_files_of_the_machine(api: Api, taxi: Path) -> None:
    """A token of somebody else checks what is registered."""
    person = Caller("person")

    with pytest.raises(PermissionDenied):
        check_of_path(api.platform, person, "default", str(taxi), Asked(EXPECTED))
