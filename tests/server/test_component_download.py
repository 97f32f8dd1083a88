"""Registered components as files again."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.server.conftest import Api

ENVIRONMENT = {"image": "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04"}


def uploaded(api: Api, folder: Path, name: str, text: str) -> str:
    """The URI of an uploaded folder that is called `name` and holds one script."""
    (folder / name).mkdir(parents=True)
    (folder / name / "a b.py").write_text(text)
    return api.upload(folder / name)


def command(code: str) -> dict[str, Any]:
    return {
        "type": "command",
        "command": "python a.py",
        "code": code,
        "environment": ENVIRONMENT,
        "outputs": {"o": {}},
    }


def downloaded(api: Api, name: str) -> dict[str, bytes]:
    place = f"workspaces/default/components/{name}/versions/1/files"
    files = api.get(place)["files"]
    found = {file["path"]: api.http.get(f"/api/v1/{place}/{file['path']}").content for file in files}
    assert {path: len(content) for path, content in found.items()} == {
        file["path"]: file["size"] for file in files
    }
    return found


def test_a_component_is_its_document_and_its_code(api: Api, tmp_path: Path) -> None:
    """What `show` prints of the moment, such as its id, is left out; a port without a word stays a port."""
    api.create("components", name="train", **command(uploaded(api, tmp_path, "src", "print(1)")))

    found = downloaded(api, "train")

    document = yaml.safe_load(found.pop("component.yml"))
    assert found == {"src/a b.py": b"print(1)"}
    assert (document["name"], document["version"], document["code"]) == ("train", "1", "./src")
    assert document["outputs"] == {"o": {}}
    assert not {"id", "creation_context", "archived", "description"} & document.keys()


def test_folders_of_one_name_get_a_number(api: Api, tmp_path: Path) -> None:
    """The steps of a pipeline component may each have their `src`; the same one is there once."""
    one, two = (uploaded(api, tmp_path / text, "src", text) for text in ("one", "two"))
    steps = {key: {"component": command(code)} for key, code in (("a", one), ("b", two), ("c", one))}
    api.create("components", name="both", type="pipeline", jobs=steps)

    found = downloaded(api, "both")

    document = yaml.safe_load(found.pop("component.yml"))
    assert found == {"src/a b.py": b"one", "2_src/a b.py": b"two"}
    assert [step["component"]["code"] for step in document["jobs"].values()] == ["./src", "./2_src", "./src"]


@pytest.mark.parametrize("path", ["src/none.py", "../component.yml", "src"])
def test_only_its_own_files_are_served(api: Api, tmp_path: Path, path: str) -> None:
    """Anything else is not found."""
    api.create("components", name="train", **command(uploaded(api, tmp_path, "src", "print(1)")))

    answer = api.http.get(f"/api/v1/workspaces/default/components/train/versions/1/files/{path}")

    assert answer.status_code == 404
