"""What may be changed of a workspace, and the settings that it holds."""

from pathlib import Path

import pytest

from penstock.settings import workspace_settings
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
