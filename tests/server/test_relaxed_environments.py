"""A relaxed environment in the API: found out when it is created, kept with the version, marked wherever it is shown."""

import time
from dataclasses import replace
from typing import Any

import pytest

from penstock.environments.environments import EnvironmentRequest, Environments, LockedEnvironment, Relaxation
from penstock.errors import EnvironmentCannotBeBuilt, Problem
from tests.server.conftest import Api

OLD = {"name": "old", "dependencies": ["python=3.5", {"pip": ["scikit-learn==0.24.1"]}]}
NOTHING = {"dependencies": ["pip"]}
ROWS = [
    {"what": "python", "asked": "3.5", "taken": "3.11", "why": "no Python 3.5 here"},
    {"what": "scikit-learn", "asked": "==0.24.1", "taken": "1.0.2", "why": "no wheel for Python 3.11"},
    {"what": "azureml-sdk", "asked": "any", "taken": None, "why": "means nothing here"},
]
MARK = {"mark": "relaxed", "relaxed": ROWS}
RELAX = {"Penstock-Settings": '{"environments": {"relax": true}}'}


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What OLD asks for can be had by relaxing alone; what is taken has no package that would have to be fetched."""
    resolve, check, foreseen = Environments.resolve, Environments.check, Environments.foreseen

    def is_old(request: EnvironmentRequest) -> bool:
        return "scikit-learn" in str(request.conda)

    def without(request: EnvironmentRequest) -> EnvironmentRequest:
        return replace(request, conda=NOTHING) if is_old(request) and request.relax else request

    def resolve_relaxed(
        self: Environments, request: EnvironmentRequest, *more: Any, **named: Any
    ) -> LockedEnvironment:
        if "impossible" in str(request.conda):
            raise EnvironmentCannotBeBuilt("environment `old` cannot be built")
        locked = resolve(self, without(request), *more, **named)
        if not is_old(request) or not request.relax:
            return locked
        found = (Relaxation(**row, pointer="/conda_file/dependencies/0") for row in ROWS)
        return replace(locked, relaxations=tuple(found))

    def obstacles(self: Environments, request: EnvironmentRequest, *_: Any) -> tuple[Problem, ...]:
        where = f"{request.pointer}/conda_file/dependencies/1/pip/0"
        if "impossible" not in str(request.conda):
            return check(self, without(request))
        return (Problem(where, "no release of `impossible`", hint="leave it out"),) * 2

    monkeypatch.setattr(Environments, "resolve", resolve_relaxed)
    monkeypatch.setattr(Environments, "check", lambda self, request: check(self, without(request)))
    monkeypatch.setattr(Environments, "foreseen", lambda self, request: foreseen(self, without(request)))
    monkeypatch.setattr(Environments, "obstacles", obstacles)


def create(api: Api, *, relax: bool = True, **more: Any) -> dict[str, Any]:
    document = {"name": "old", "image": "x", "conda_file": OLD, **more}
    answer = api.http.post(
        "/api/v1/workspaces/default/environments",
        json={"document": document},
        headers=RELAX if relax else {},
    )
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()["record"]
    return found


def job(api: Api, environment: object, *, relax: bool = False, **more: Any) -> dict[str, Any]:
    """A job that has ended."""
    document = {"type": "command", "command": "echo done", "environment": environment, **more}
    answer = api.http.post(
        "/api/v1/workspaces/default/jobs", json={"document": document}, headers=RELAX if relax else {}
    )
    assert answer.status_code == 201, answer.text
    return ended(api, answer.json()["record"]["name"])


def ended(api: Api, name: str) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        record: dict[str, Any] = api.get(f"workspaces/default/jobs/{name}")
        if record["status"] in ("Completed", "Failed", "Canceled"):
            return record
        time.sleep(0.05)
    raise AssertionError(f"job {name} has not ended")


def test_what_was_taken_is_kept_with_the_version(api: Api) -> None:
    """What its author wrote stays as it is written; the mark and the rows stand beside it, in lists too."""
    made = create(api)

    assert made["conda_file"] == OLD
    assert {name: made[name] for name in MARK} == MARK
    assert api.get("workspaces/default/environments/old/versions/1") == made
    (row,) = api.get("workspaces/default/environments")
    (version,) = api.get("workspaces/default/environments", name="old")
    assert {name: row[name] for name in MARK} == MARK == {name: version[name] for name in MARK}


def test_what_was_taken_is_a_conda_file_that_pins_it(api: Api) -> None:
    """Each package with its version, and the Python: it needs no relaxing any more."""
    pinned = create(api)["pinned_conda_file"]

    python, pip, others = pinned["dependencies"]
    assert python.startswith("python=3.")
    assert pip.startswith("pip=")
    assert all("==" in line for line in others["pip"])
    assert "mark" not in create(api, name="pinned", conda_file=pinned)


def test_nothing_is_marked_where_nothing_was_taken_otherwise(api: Api) -> None:
    """Though it was allowed."""
    made = create(api, conda_file={"dependencies": ["pip"]})

    assert not {"mark", "relaxed", "pinned_conda_file"} & made.keys()


def test_the_same_again_is_the_same_version_and_unrelaxed_is_another(api: Api) -> None:
    """A mark belongs to the content: nobody gets a relaxed version who did not allow it."""
    versions = [
        create(api, conda_file={"dependencies": ["pip", {"pip": ["scikit-learn"]}]}, relax=relax)["version"]
        for relax in (False, False, True, True, False)
    ]

    assert versions == ["1", "1", "2", "2", "3"]


def test_the_workspace_allows_it_and_a_request_counts_before_it(api: Api) -> None:
    """Who wins, from the workspace to the variable of whoever asks."""
    api.http.patch("/api/v1/workspaces/default", json={"set": {"settings.environments.relax": True}})

    by_workspace = create(api, relax=False)
    refused = api.refused(
        "POST",
        "workspaces/default/environments",
        json={"document": {"name": "other", "image": "x", "conda_file": OLD}},
        headers={"Penstock-Settings": '{"environments": {"relax": false}}'},
    )

    assert by_workspace["mark"] == "relaxed"
    assert refused[0] == 422


def test_every_obstacle_that_is_left_is_told_and_nothing_is_registered(api: Api) -> None:
    """By its line, with the remedy."""
    conda = {"dependencies": ["pip", {"pip": ["impossible"]}]}
    status, error = api.refused(
        "POST",
        "workspaces/default/environments",
        json={"document": {"name": "old", "image": "x", "conda_file": conda}},
        headers=RELAX,
    )

    assert status == 422
    assert [each["pointer"] for each in error["problems"]] == ["/conda_file/dependencies/1/pip/0"] * 2
    assert error["problems"][0]["hint"] == "leave it out"
    assert api.get("workspaces/default/environments") == []


@pytest.mark.parametrize("kind", ["environments", "jobs", "components"])
def test_who_is_refused_for_what_cannot_be_had_is_told_how_to_relax(api: Api, kind: str) -> None:
    """At the line that asks, with the way around it; `check` says the same."""
    environment = {"name": "old", "image": "x", "conda_file": OLD}
    document = {
        "environments": environment,
        "jobs": {"type": "command", "command": "echo", "environment": environment},
        "components": {"name": "c", "type": "command", "command": "echo", "environment": environment},
    }[kind]

    _, error = api.refused("POST", f"workspaces/default/{kind}", json={"document": document})
    checked = api.post("workspaces/default/documents:check", document=document)

    assert error["problems"][0]["pointer"].endswith("/conda_file/dependencies/0")
    assert "`--relax`, PENSTOCK_RELAX=1" in error["hint"]
    if kind == "jobs":
        assert checked["missing"][0]["hint"] == error["problems"][0]["hint"]


def test_the_mark_outlives_a_change_and_an_archive(api: Api) -> None:
    """They change what describes a version; what it is made of stays."""
    made = create(api)
    place = "workspaces/default/environments/old"

    changed = api.http.patch(f"/api/v1/{place}/versions/1", json={"set": {"tags.a": "1"}}).json()
    api.http.post(f"/api/v1/{place}/archive", json={})
    archived = api.get(f"{place}/versions/1")
    api.http.post(f"/api/v1/{place}/restore", json={})

    for each in (changed, archived, api.get(f"{place}/versions/1")):
        assert {name: each[name] for name in ("mark", "relaxed", "pinned_conda_file")} == {
            name: made[name] for name in ("mark", "relaxed", "pinned_conda_file")
        }


def test_a_registry_keeps_the_mark_without_asking_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was taken in the workspace is what is shared, whatever the index says today."""
    made = create(api)
    api.post("registries", document={"name": "team"})
    monkeypatch.delattr(Environments, "resolve")

    shared = api.post("workspaces/default/environments/old/versions/1/share", registry="team")["record"]

    assert [shared[name] for name in ("mark", "relaxed", "pinned_conda_file")] == [
        made[name] for name in ("mark", "relaxed", "pinned_conda_file")
    ]
    assert api.get("registries/team/environments")[0]["mark"] == "relaxed"


def test_what_show_prints_is_a_file_again(api: Api) -> None:
    """The fields of the record are dropped without a word, and nothing is relaxed that nobody allowed."""
    made = create(api, conda_file={"dependencies": ["pip", {"pip": ["scikit-learn"]}]})

    again = create(api, relax=False, **{**made, "name": "again", "version": None})

    assert "mark" not in again


def told_of(api: Api, name: str) -> list[dict[str, Any]]:
    """What following an ended job says."""
    import json

    with api.http.stream("GET", f"/api/v1/workspaces/default/jobs/{name}/stream") as answer:
        return [json.loads(line) for line in answer.iter_lines() if line.strip()]


@pytest.mark.parametrize("allowed_by", ["the version", "the request", "the workspace"])
def test_a_step_says_that_it_ran_relaxed(api: Api, allowed_by: str) -> None:
    """In its record and to who follows it; a version that was relaxed needs no flag."""
    environment: object = {"image": "x", "conda_file": OLD}
    if allowed_by == "the version":
        create(api)
        environment = "azureml:old@latest"
    elif allowed_by == "the workspace":
        api.http.patch("/api/v1/workspaces/default", json={"set": {"settings.environments.relax": True}})

    record = job(api, environment, relax=allowed_by == "the request")

    assert record["status"] == "Completed", record["error"]
    assert {name: record[name] for name in MARK} == MARK
    lines = told_of(api, record["name"])
    progress = "".join(line["text"] for line in lines if line["kind"] == "progress")
    assert (
        "is relaxed: python 3.5 → 3.11, scikit-learn 0.24.1 → 1.0.2, azureml-sdk any → left out" in progress
    )
    assert "scikit-learn 0.24.1 → 1.0.2: no wheel for Python 3.11" in progress
    (warning,) = lines[-1]["warnings"]
    assert warning.startswith(f"job `{record['name']}` ran in a relaxed environment: python 3.5 → 3.11")
    assert [line.get("mark") for line in lines if line["kind"] == "status"] == ["relaxed"]


def test_a_pipeline_says_which_of_its_steps_ran_relaxed(api: Api) -> None:
    """Its own record has the rows by step; a step that ran as asked has no mark. The reasons are told once."""
    create(api)
    steps = {
        key: {"type": "command", "command": "echo done", "environment": environment}
        for key, environment in (
            ("prep", {"image": "x"}),
            ("train", "azureml:old:1"),
            ("score", "azureml:old:1"),
        )
    }
    made = api.create("jobs", type="pipeline", settings={"default_compute": "azureml:local"}, jobs=steps)

    record = ended(api, made["name"])

    assert record["status"] == "Completed", record["error"]
    assert {row["step"] for row in record["relaxed"]} == {"train", "score"}
    assert record["mark"] == "relaxed"
    assert [record["jobs"][key].get("mark") for key in steps] == [None, "relaxed", "relaxed"]
    assert record["jobs"]["train"]["relaxed"] == ROWS
    lines = told_of(api, record["name"])
    progress = "".join(line["text"] for line in lines if line["kind"] == "progress")
    assert progress.count("is relaxed: ") == 2
    assert progress.count(ROWS[1]["why"] or "") == 1
    assert len(lines[-1]["warnings"]) == 2


def test_who_uses_a_relaxed_version_is_told_when_the_job_is_created_checked_or_planned(api: Api) -> None:
    """Before anything runs."""
    create(api)
    document = {"type": "command", "command": "echo", "environment": "azureml:old:1"}
    notice = "environment `old:1` is relaxed: python 3.5 → 3.11"

    made = api.post("workspaces/default/jobs", document=document)
    judged = api.post("workspaces/default/jobs:validate", document=document)
    checked = api.post("workspaces/default/documents:check", document=document)
    (step,) = api.post("workspaces/default/jobs:plan", document=document)["record"]["steps"]

    assert any(warning["message"].startswith(notice) for warning in made["warnings"])
    assert any(warning["message"].startswith(notice) for warning in judged["warnings"])
    assert checked["relaxed"] == [{"environment": "old:1", "relaxed": ROWS}]
    assert {name: step["environment"][name] for name in MARK} == MARK
    ended(api, made["record"]["name"])


def test_a_plan_says_that_an_environment_may_be_relaxed(api: Api) -> None:
    """What will be taken is known where it was resolved before; the index is not asked for a plan."""
    document = {
        "type": "command", "command": "echo", "environment": {"image": "x", "conda_file": OLD},
    }  # fmt: skip

    def plan() -> dict[str, Any]:
        answer = api.http.post(
            "/api/v1/workspaces/default/jobs:plan", json={"document": document}, headers=RELAX
        )
        found: dict[str, Any] = answer.json()["record"]["steps"][0]["environment"]
        return found

    before = plan()
    create(api)
    after = plan()

    assert (before["relax"], before["digest"], before.get("mark")) == (True, None, None)
    assert after["digest"] is not None
    assert {name: after[name] for name in MARK} == MARK


def test_what_differs_between_two_jobs_says_what_was_relaxed(api: Api) -> None:
    """One that ran as asked, one that did not."""
    first = job(api, {"image": "x"})
    second = job(api, {"image": "x", "conda_file": OLD}, relax=True)

    difference = api.get(f"workspaces/default/jobs/{first['name']}/difference/{second['name']}")

    told = difference["steps"][""]["environment"]["relaxed"]
    assert told["a"] is None
    assert "scikit-learn 0.24.1 → 1.0.2" in told["b"]
    third = job(api, {"image": "x"}, relax=True)
    same = api.get(f"workspaces/default/jobs/{first['name']}/difference/{third['name']}")
    assert not {"relax", "relaxed"} & same["steps"].get("", {}).get("environment", {}).keys()


def test_a_component_with_an_inline_environment_may_be_made_where_it_may_be_relaxed(api: Api) -> None:
    """It is refused where its Python is absent, and taken as it is written where that may be another."""
    document = {
        "name": "train", "type": "command", "command": "echo", "environment": {"image": "x", "conda_file": OLD},
    }  # fmt: skip

    status, _ = api.refused("POST", "workspaces/default/components", json={"document": document})
    made = api.http.post("/api/v1/workspaces/default/components", json={"document": document}, headers=RELAX)

    assert status == 422
    assert made.status_code == 201
    assert made.json()["record"]["environment"]["conda_file"] == OLD
