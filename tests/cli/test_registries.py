"""`penstock registry`, and --registry-name on the commands of assets."""

from pathlib import Path

import pytest

from tests.cli.conftest import Penstock
from tests.client.fake_server import FakeServer

THERE = "/api/v1/registries/shared"
ASSET = {"record": {"name": "x", "version": "1"}, "warnings": []}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_registry_from_a_file(penstock: Penstock, fake: FakeServer, here: Path) -> None:
    """Flags count before the file."""
    (here / "registry.yml").write_text(
        "name: shared\nlocation: west\nreplication_locations: [{location: west}]\n"
    )
    fake.on("POST", "/api/v1/registries", {"record": {"name": "shared"}, "warnings": []}, 201)

    ran = penstock("registry create --file registry.yml --name other -g mine --tags a=b --query name -o tsv")

    assert (ran.code, ran.out) == (0, "shared\n")
    assert fake.asked("POST", "/api/v1/registries")[0].json["document"] == {
        "name": "other",
        "location": "west",
        "replication_locations": [{"location": "west"}],
        "resource_group": "mine",
        "tags": {"a": "b"},
    }


def test_registries_are_listed_shown_changed_and_deleted(penstock: Penstock, fake: FakeServer) -> None:
    """`--registry-name` names it too, as scripts write it."""
    rows = [{"name": "azureml", "read_only": True}, {"name": "shared", "resource_group": "g"}]
    fake.on("GET", "/api/v1/registries", rows)
    fake.on("GET", THERE, rows[1])
    fake.on("PATCH", THERE, rows[1])
    fake.on("DELETE", THERE, None, 204)

    assert penstock("registry list --query \"[?name=='shared'].name\" -o tsv").out == "shared\n"
    assert penstock("registry list -g other --query [].name -o tsv").out == "azureml\n"
    assert penstock("registry show --registry-name shared --query name -o tsv").out == "shared\n"
    assert penstock("registry update -n shared --tags a.b=c --add tags e=1 --remove tags.d").code == 0
    refused = penstock("registry delete -n shared")
    assert penstock("registry delete -n shared --yes").code == 0

    assert fake.asked("PATCH", THERE)[0].json == {
        "set": {'tags."a.b"': "c"},
        "add": [{"path": "tags", "value": {"e": "1"}}],
        "remove": ["tags.d"],
    }
    assert refused.code == 1
    assert "Delete registry `shared` with all its assets?" in refused.err
    assert len(fake.asked("DELETE", THERE)) == 1


@pytest.mark.parametrize("noun", ["environment", "data", "model", "component"])
def test_a_version_is_shared_from_the_workspace(penstock: Penstock, fake: FakeServer, noun: str) -> None:
    """The flags of `az`; the registry is where it goes, not where it is looked for."""
    kind = noun if noun == "data" else f"{noun}s"
    path = f"/api/v1/workspaces/default/{kind}/x/versions/3/share"
    fake.on("POST", path, ASSET, 201)

    ran = penstock(
        f"{noun} share --name x --version 3 --share-with-name y --share-with-version 7 --registry-name shared"
        " --query name -o tsv"
    )
    incomplete = penstock(f"{noun} share --name x --registry-name shared")

    assert (ran.code, ran.out) == (0, "x\n")
    assert fake.asked("POST", path)[0].json == {"registry": "shared", "name": "y", "version": "7"}
    assert incomplete.code == 2
    assert "--version/-v" in incomplete.err


@pytest.mark.parametrize("kind", ["environments", "data", "models", "components"])
def test_registry_name_takes_the_place_of_the_workspace(
    penstock: Penstock, fake: FakeServer, kind: str
) -> None:
    """Edge case 15.3: flags win over defaults; with -w beside it the registry is meant, as `az` does it."""
    noun = kind if kind == "data" else kind.removesuffix("s")
    penstock("configure --defaults workspace=mine group=ours")
    fake.on("POST", f"{THERE}/{kind}", ASSET, 201)
    fake.on("GET", f"{THERE}/{kind}", [ASSET["record"]])
    fake.on("GET", f"{THERE}/{kind}/x/labels/latest", ASSET["record"])
    what = {"environment": "--image i", "component": "--set command=x"}.get(
        noun, "--path https://example.org/x"
    )

    ran = [
        penstock(f"{noun} {words} --registry-name shared -g g -w other")
        for words in (f"create -n x {what}", "list", "show -n x -l latest")
    ]

    assert [(each.code, each.err) for each in ran] == [(0, "")] * 3
    assert {request.path.split("/")[3] for request in fake.requests} == {"registries"}
