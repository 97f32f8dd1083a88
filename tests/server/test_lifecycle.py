"""Assets after they were made: described otherwise, archived, restored, listed."""

from typing import Any

import pytest

from tests.server.conftest import Api

HERE = "workspaces/default"


@pytest.fixture(params=["data", "environments"])
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def make(api: Api, kind: str, name: str = "taxi", version: str | None = None, **more: Any) -> dict[str, Any]:
    """A version with content of its own."""
    count = len(api.get(f"{HERE}/{kind}", name=name, include_archived=True))
    content = (
        {"path": f"azureml://datastores/workspaceblobstore/paths/{count}/"}
        if kind == "data"
        else {"image": f"python:{count}"}
    )
    named = {"version": version} if version is not None else {}
    record: dict[str, Any] = api.create(kind, name=name, **named, **content, **more)
    return record


def versions(api: Api, kind: str, name: str = "taxi", **query: Any) -> list[str]:
    return [row["version"] for row in api.get(f"{HERE}/{kind}", name=name, **query)]


def names(api: Api, kind: str, **query: Any) -> list[tuple[str, str]]:
    return [(row["name"], row["latest_version"]) for row in api.get(f"{HERE}/{kind}", **query)]


def hide(api: Api, kind: str, name: str = "taxi", verb: str = "archive", **which: str) -> None:
    answer = api.http.post(f"/api/v1/{HERE}/{kind}/{name}/{verb}", json=which)
    assert answer.status_code == 204, answer.text


def test_the_latest_version_is_the_one_created_last(api: Api, kind: str) -> None:
    """Edge case 1.1: version 3 that is made after version 10 is the latest, also when 10 was archived and restored."""
    make(api, kind, version="10")
    make(api, kind, version="3")

    hide(api, kind, version="10")
    hide(api, kind, version="10", verb="restore")

    assert api.get(f"{HERE}/{kind}/taxi/labels/latest")["version"] == "3"
    assert names(api, kind) == [("taxi", "3")]
    assert make(api, kind)["version"] == "11"


def test_an_archived_version_is_not_the_latest(api: Api, kind: str) -> None:
    """It is found by its version, and `@latest` is the newest of the others."""
    make(api, kind)
    make(api, kind)

    hide(api, kind, label="latest")

    assert api.get(f"{HERE}/{kind}/taxi/labels/latest")["version"] == "1"
    assert api.get(f"{HERE}/{kind}/taxi/versions/2")["archived"] is True
    assert versions(api, kind) == ["1"]
    assert versions(api, kind, archived_only=True) == ["2"]
    assert versions(api, kind, include_archived=True) == ["2", "1"]
    assert names(api, kind, archived_only=True) == []
    hide(api, kind, label="latest", verb="restore")
    assert versions(api, kind) == ["2", "1"]


def test_archiving_a_name_hides_all_its_versions_and_those_to_come(api: Api, kind: str) -> None:
    """The name comes back as a whole: with what was archived alone before, and what was made since."""
    for _ in range(3):
        make(api, kind)
    make(api, kind, name="other")
    hide(api, kind, version="1")

    hide(api, kind)
    hide(api, kind)
    made = api.post(f"{HERE}/{kind}", document={"name": "taxi", "version": "late", **_content(kind, 9)})

    assert made["warnings"][-1]["message"].startswith(f"{_noun(kind)} `taxi` is archived: version late")
    assert names(api, kind) == [("other", "1")]
    assert names(api, kind, archived_only=True) == [("taxi", "late")]
    assert versions(api, kind) == []
    assert api.get(f"{HERE}/{kind}/taxi/versions/2")["archived"] is True
    status, record = api.refused("POST", f"{HERE}/{kind}/taxi/restore", json={"version": "2"})
    assert (status, record["code"]) == (409, "Conflict")
    assert "cannot be restored alone" in record["message"]
    assert f"penstock {_noun(kind)} restore -n taxi" in record["hint"]
    status, record = api.refused("GET", f"{HERE}/{kind}/taxi/labels/latest")
    assert status == 404
    assert "all its versions are archived" in record["details"][0]
    hide(api, kind, verb="restore")
    assert versions(api, kind) == ["late", "3", "2", "1"]


def test_what_is_absent_can_be_neither_archived_nor_changed(api: Api, kind: str) -> None:
    """And a version and a label are not given at once."""
    make(api, kind)
    for path, body in (("absent/archive", {}), ("taxi/archive", {"version": "7"}), ("absent/restore", {})):
        status, record = api.refused("POST", f"{HERE}/{kind}/{path}", json=body)
        assert (status, record["code"]) == (404, "ResourceNotFound")
    status, _ = api.refused("PATCH", f"{HERE}/{kind}/taxi/versions/7", json={"set": {"tags.a": "b"}})
    assert status == 404
    for verb in ("archive", "restore"):
        both = {"version": "1", "label": "latest"}
        status, record = api.refused("POST", f"{HERE}/{kind}/taxi/{verb}", json=both)
        assert (status, record["message"]) == (400, "--version and --label exclude each other")
    status, _ = api.refused("GET", f"{HERE}/{kind}?include_archived=true&archived_only=true")
    assert status == 400


def test_what_describes_a_version_changes_and_nothing_else(api: Api, kind: str) -> None:
    """Tags, description, and more properties; an archived version too."""
    before = make(api, kind, tags={"a": "b"}, properties={"p": "q"})
    hide(api, kind, version="1")
    change = {
        "set": {"description": "new", "properties.r": "s"},
        "add": [{"path": "tags", "value": {"c": "d"}}],
    }

    changed = api._answer(
        api.http.patch(f"/api/v1/{HERE}/{kind}/taxi/versions/1", json={**change, "remove": ["tags.a"]})
    )

    assert changed == api.get(f"{HERE}/{kind}/taxi/versions/1")
    assert (changed["description"], changed["tags"]) == ("new", {"c": "d"})
    assert changed["properties"] == {"p": "q", "r": "s"}
    content = "path" if kind == "data" else "image"
    assert changed[content] == before[content]
    for path in (content, "properties.p", "version"):
        status, record = api.refused("PATCH", f"{HERE}/{kind}/taxi/versions/1", json={"set": {path: "x"}})
        assert (status, "cannot be changed" in record["message"]) == (400, True)


def test_every_change_is_one_event(api: Api) -> None:
    """What changes nothing is none."""
    make(api, "data")
    with api.platform.database.reading() as tx:
        last = tx.events.after("default", 0, limit=100)[-1].sequence

    for verb in ("archive", "archive", "restore", "restore"):
        hide(api, "data", verb=verb, version="1")
    hide(api, "data")
    api.http.patch(f"/api/v1/{HERE}/data/taxi/versions/1", json={"set": {"tags.a": "b"}})
    api.http.patch(f"/api/v1/{HERE}/data/taxi/versions/1", json={"set": {"tags.a": "b"}})

    with api.platform.database.reading() as tx:
        told = [(event.type, event.subject) for event in tx.events.after("default", last, limit=100)]
    one, every = ("asset.updated", "data/taxi:1"), ("asset.updated", "data/taxi")
    assert told == [one, one, every, one]


def test_lists_are_filtered_by_tag(api: Api, kind: str) -> None:
    """Names by the tags of their latest version."""
    make(api, kind, name="a", tags={"team": "red"})
    make(api, kind, name="b", tags={"team": "blue"})

    assert [name for name, _ in names(api, kind, tag="team")] == ["b", "a"]
    assert names(api, kind, tag="team=red") == [("a", "1")]
    assert versions(api, kind, name="a", tag="team=blue") == []


def test_a_job_uses_an_archived_version_that_it_names(api: Api) -> None:
    """And `@latest` in a job is the newest that is not archived."""
    make(api, "environments", name="env")
    make(api, "environments", name="env")
    hide(api, "environments", name="env", version="2")

    for reference in ("azureml:env:2", "azureml:env@latest"):
        api.create("jobs", command="true", environment=reference, type="command")

    with api.platform.database.reading() as tx:
        plans = [job.spec["plan"]["environment"]["label"] for job in tx.jobs.list("default")]
    assert sorted(plans) == ["env:1", "env:2"]


def _content(kind: str, number: int) -> dict[str, str]:
    return (
        {"path": f"azureml://datastores/workspaceblobstore/paths/{number}/"}
        if kind == "data"
        else {"image": f"python:{number}"}
    )


def _noun(kind: str) -> str:
    return "data" if kind == "data" else "environment"
