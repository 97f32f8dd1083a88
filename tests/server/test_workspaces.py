"""What may be changed of a workspace, and the settings that it holds."""

import json
from pathlib import Path

import pytest
from starlette.requests import Request

from penstock.errors import PenstockError
from penstock.identity.tokens import Caller, Kind
from penstock.resources.workspace_settings import conda_packages, relaxes
from penstock.server.routes.request import _caller
from penstock.settings import merged_settings, workspace_settings
from tests.server.conftest import Api


def test_a_workspaces_settings_are_set_shown_and_forgotten(api: Api, tmp_path: Path) -> None:
    """Dotted paths reach into settings and tags; what is not named stays."""
    (tmp_path / "urls.yml").write_text("https://example.com/: data/\n")
    changes = {"settings.url_map": str(tmp_path / "urls.yml"), "tags.a": "1", 'tags."b.c"': "2"}

    changed = api.http.patch("/api/v1/workspaces/default", json={"set": changes}).json()
    shown = api.get("workspaces/default")
    forgotten = api.http.patch(
        "/api/v1/workspaces/default", json={"remove": ["settings.url_map", "tags.a"]}
    ).json()

    assert changed == shown
    assert shown["settings"] == {"url_map": str(tmp_path / "urls.yml")}
    assert shown["tags"] == {"a": "1", "b.c": "2"}
    assert shown["description"] == "Made with this home."
    assert (forgotten["settings"], forgotten["tags"]) == ({}, {"b.c": "2"})


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"set": {"settings.url_mpa": "/x"}}, "`url_mpa` is not a field of the settings of a workspace"),
        ({"set": {"settings.url_map": "x.yml"}}, "`x.yml` is not an absolute path"),
        ({"set": {"settings.url_map": "/nowhere/urls.yml"}}, "there is no file /nowhere/urls.yml"),
        ({"set": {"location": "west"}}, "`location` of a workspace cannot be changed"),
        ({"set": {"description.x": "y"}}, "cannot set `description.x`: `description` is the text"),
        ({"remove": ["settings.url_map"]}, "there is no `settings.url_map` to remove"),
    ],
)
def test_a_change_that_cannot_be_is_refused_as_a_whole(api: Api, body: dict[str, object], said: str) -> None:
    """Nothing of the request is kept."""
    before = api.get("workspaces/default")

    _, error = api.refused(
        "PATCH", "workspaces/default", json={**body, "set": {"tags.new": "x", **body.get("set", {})}}
    )  # type: ignore[dict-item]

    assert said in str(error)
    assert api.get("workspaces/default") == before


def test_a_workspace_is_created_with_its_settings(api: Api, tmp_path: Path) -> None:
    """As its file says; a file that is not there is told at the field."""
    (tmp_path / "urls.yml").write_text("{}\n")
    document = {"name": "made", "settings": {"url_map": str(tmp_path / "urls.yml")}}

    made = api.create("workspaces", **document)
    _, error = api.refused(
        "POST", "workspaces", json={"document": {"name": "other", "settings": {"url_map": "/nowhere.yml"}}}
    )

    assert made["settings"] == document["settings"]
    assert error["problems"][0]["pointer"] == "/settings/url_map"


def test_a_workspace_made_again_takes_what_is_said_now(api: Api, tmp_path: Path) -> None:
    """Nothing that the file says is dropped in silence; what it does not say stays."""
    (tmp_path / "urls.yml").write_text("{}\n")
    settings = {"url_map": str(tmp_path / "urls.yml")}
    api.create("workspaces", name="made", description="first", tags={"a": "1", "b": "1"})

    again = api.create("workspaces", name="made", tags={"b": "2"}, settings=settings)

    assert (again["description"], again["tags"]) == ("first", {"a": "1", "b": "2"})
    assert again["settings"] == settings
    assert api.create("workspaces", name="made") == again


def test_a_map_of_environments_that_cannot_be_read_is_refused_when_it_is_named(
    api: Api, tmp_path: Path
) -> None:
    """As a map of addresses is: not in a job, later."""
    (tmp_path / "map.yml").write_text("- sklearn-1.5\n")

    _, error = api.refused(
        "PATCH",
        "workspaces/default",
        json={"set": {"settings.environment_map": str(tmp_path / "map.yml")}},
    )

    assert "map.yml" in str(error)
    assert api.get("workspaces/default")["settings"] == {}


def test_variables_of_the_command_count_as_absolute_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They travel to a server that runs in another folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PENSTOCK_URL_MAP", "maps/../urls.yml")

    assert workspace_settings() == {"url_map": str(tmp_path / "urls.yml")}
    assert workspace_settings({}) == {}


def test_how_environments_are_made_is_set_by_path_and_forgotten_again(api: Api) -> None:
    """Each setting by itself; what is left empty is gone."""
    changes = {"settings.environments.relax": "true", "settings.environments.conda_packages": "conda"}

    api.http.patch("/api/v1/workspaces/default", json={"set": changes})
    both = api.get("workspaces/default")["settings"]
    for name in changes:
        api.http.patch("/api/v1/workspaces/default", json={"remove": [name]})

    assert both == {"environments": {"relax": True, "conda_packages": "conda"}}
    assert api.get("workspaces/default")["settings"] == {}


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("relax", "perhaps", "`perhaps`"),
        ("conda_packages", "forge", "`forge`"),
        ("relaxed", True, "`relaxed` is not a field of the settings of a workspace's environments"),
    ],
)
def test_a_setting_of_environments_that_means_nothing_is_refused(
    api: Api, setting: str, value: object, said: str
) -> None:
    """At its field, and nothing is kept."""
    _, error = api.refused(
        "PATCH", "workspaces/default", json={"set": {f"settings.environments.{setting}": value}}
    )

    assert said in str(error)
    assert error["problems"][0]["pointer"] == f"/settings/environments/{setting}"
    assert api.get("workspaces/default")["settings"] == {}


def test_a_workspace_made_again_keeps_what_is_not_said_of_its_environments(api: Api) -> None:
    """As with every other setting."""
    api.create("workspaces", name="made", settings={"environments": {"relax": True}})

    again = api.create("workspaces", name="made", settings={"environments": {"conda_packages": "conda"}})

    assert again["settings"] == {"environments": {"relax": True, "conda_packages": "conda"}}


def test_what_a_request_says_counts_before_the_workspace() -> None:
    """One setting at a time: the others stay the workspace's."""
    workspace = {"url_map": "/a", "environments": {"relax": False, "conda_packages": "conda"}}

    counted = merged_settings(workspace, {"environments": {"relax": True}})

    assert counted == {"url_map": "/a", "environments": {"relax": True, "conda_packages": "conda"}}
    assert conda_packages(counted) == "conda"
    assert not relaxes(counted)  # real conda packages are never relaxed
    assert relaxes({"environments": {"relax": True}})
    assert (relaxes({}), conda_packages({})) == (False, "pypi")
    assert (
        relaxes(merged_settings({"environments": {"relax": True}}, {"environments": {"relax": False}}))
        is False
    )


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        *((text, True) for text in ("1", "true", "YES", "on")),
        *((text, False) for text in ("0", "false", "No", "off")),
        ("", None),
    ],
)
def test_yes_and_no_of_a_variable_travel(said: str, meant: bool | None) -> None:
    """In the words that people use; set to nothing, it is not set."""
    environments = workspace_settings({"PENSTOCK_RELAX": said}).get("environments", {})

    assert environments.get("relax") is meant


@pytest.mark.parametrize(
    ("variable", "value"),
    [("PENSTOCK_RELAX", "maybe"), ("PENSTOCK_RELAX", "2"), ("PENSTOCK_CONDA_PACKAGES", "forge")],
)
def test_a_variable_that_means_nothing_is_named(variable: str, value: str) -> None:
    """With what it may be."""
    with pytest.raises(PenstockError, match=f"{variable} is `{value}`") as caught:
        workspace_settings({variable: value})

    assert "unset it" in str(caught.value.hint)


@pytest.mark.parametrize(("kind", "names_files"), [("owner", True), ("person", False), ("job", False)])
def test_only_the_owner_of_the_home_names_files_of_its_machine(kind: Kind, names_files: bool) -> None:
    """Everybody may say how their environments are made."""
    said = {"url_map": "/etc/urls.yml", "environments": {"relax": True}}
    headers = [(b"penstock-settings", json.dumps(said).encode())]
    caller = Caller(kind, "default", "some_job" if kind == "job" else None)
    request = Request({"type": "http", "headers": headers, "penstock.caller": caller})

    assert _caller(request).settings == (said if names_files else {"environments": {"relax": True}})
