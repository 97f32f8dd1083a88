"""A registry is filled, a job of a workspace uses all that is in it, and models go there and come back."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.person import Person

pytestmark = pytest.mark.slow

FILES = {
    "registry.yml": "name: shared\nlocation: westeurope\nreplication_locations: [{location: westeurope}]\n",
    "env.yml": "name: small\nversion: 3\nimage: python\nconda_file: conda.yml\n",
    "conda.yml": "dependencies: [python=3.11]\n",
    "data/rates.csv": "rate\n3\n4\n",
    "model/weights.json": '{"factor": 10}',
    "src/use.py": """import csv, json, pathlib, sys
model, data, out = map(pathlib.Path, sys.argv[1:])
factor = json.loads((model / "weights.json").read_text())["factor"]
rows = list(csv.DictReader((data / "rates.csv").open()))
(out / "result.json").write_text(json.dumps([factor * int(row["rate"]) for row in rows]))
""",
    "job.yml": """command: >-
  python use.py ${{inputs.model}} ${{inputs.data}} ${{outputs.result}}
code: src
environment: azureml://registries/shared/environments/small/labels/latest
inputs:
  model: {type: custom_model, path: "azureml://registries/shared/models/factors/versions/1"}
  data: {type: uri_folder, path: "azureml://registries/shared/data/rates/labels/latest"}
outputs:
  result: {type: uri_folder}
""",
}


@pytest.fixture(scope="module", autouse=True)
def files(person: Person) -> None:
    """The person's project."""
    for name, text in FILES.items():
        file = person.folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)


def test_a_registry_is_used_from_its_first_asset_to_its_end(person: Person) -> None:
    """Created, filled, referred to by a job in a workspace, shared into, copied from, deleted."""
    in_shared = ("--registry-name", "shared")

    person.penstock("registry", "create", "-f", "registry.yml")
    person.penstock("environment", "create", "-f", "env.yml", *in_shared)
    person.penstock("data", "create", "-n", "rates", "--path", "data", *in_shared)
    person.penstock("model", "create", "-n", "factors", "--path", "model", *in_shared)
    assert [row["name"] for row in person.record("model", "list", *in_shared)] == ["factors"]
    assert person.record("model", "list") == []

    job = person.record("job", "create", "-f", "job.yml", "--stream")
    shown = person.record("job", "show", "-n", job["name"])
    person.penstock("job", "download", "-n", job["name"], "--output-name", "result", "-p", "got")

    assert shown["status"] == "Completed"
    assert shown["environment"] == "azureml://registries/shared/environments/small/versions/3"
    assert shown["inputs"]["data"]["path"] == "azureml://registries/shared/data/rates/versions/1"
    [result] = (person.folder / "got").rglob("result.json")
    assert json.loads(result.read_text()) == [30, 40]

    there_and_back(person)
    deleted(person)


def there_and_back(person: Person) -> None:
    """A model of the workspace goes into the registry under another name and version, and back into the workspace."""
    person.penstock("model", "create", "-n", "mine", "--path", "model", "--tags", "stage=tried")
    words = (
        "model",
        "share",
        "-n",
        "mine",
        "-v",
        "1",
        "--share-with-name",
        "ours",
        "--share-with-version",
        "2024.1",
    )

    first = person.record(*words, "--registry-name", "shared")
    again = person.record(*words, "--registry-name", "shared")
    back = person.record(
        "model", "create", "-n", "returned", "--path", "azureml://registries/shared/models/ours/labels/latest"
    )
    person.penstock("model", "download", "-n", "returned", "-v", back["version"], "-p", "returned")
    person.penstock(
        "model", "download", "-n", "ours", "-v", "2024.1", "-p", "ours", "--registry-name", "shared"
    )

    assert first == again
    assert (first["name"], first["version"], first["tags"]) == ("ours", "2024.1", {"stage": "tried"})
    assert first["id"] == "azureml://registries/shared/models/ours/versions/2024.1"
    assert len(person.record("model", "list", "-n", "ours", "--registry-name", "shared")) == 1
    for folder in ("returned", "ours"):
        [weights] = (person.folder / folder).rglob("weights.json")
        assert weights.read_text() == FILES["model/weights.json"]


def deleted(person: Person) -> None:
    """Nothing of it stays, in MLflow neither: a registry of the same name is empty."""
    person.penstock("registry", "delete", "-n", "shared", expect=1)
    person.penstock("registry", "delete", "-n", "shared", "--yes")
    person.penstock("registry", "create", "-n", "shared")

    assert person.record("model", "list", "--registry-name", "shared") == []
    assert person.record("data", "list", "--registry-name", "shared") == []
    assert not list((person.home / "registries").rglob("rates.csv"))
    assert not [
        file for file in Path(person.home / "mlflow").rglob("weights.json") if "registry" in str(file)
    ]
    refused = person.types("penstock", "job", "create", "-f", "job.yml", expect=1)
    assert "environment `small` was not found in registry `shared`" in refused.stderr


def test_a_server_that_is_killed_while_it_shares_leaves_nothing_half_there(person: Person) -> None:
    """The version is in the registry as a whole or not at all, and the same command finishes it."""
    person.penstock("registry", "create", "-n", "robust")
    (person.folder / "large").mkdir()
    with (person.folder / "large" / "weights.bin").open("wb") as file:
        file.truncate(256 * 1024 * 1024)
    person.penstock("model", "create", "-n", "large", "--path", "large")
    words = ["model", "share", "-n", "large", "-v", "1", "--registry-name", "robust"]
    pid = person.record("server", "status")["pid"]

    begun = person.begins("penstock", *words)
    _until(lambda: any((person.home / "mlflow" / "incoming").glob("*/*")))
    os.kill(pid, signal.SIGKILL)
    begun.wait(60)
    found = person.record("model", "list", "-n", "large", "--registry-name", "robust")
    shared = person.record(*words)

    assert [version["version"] for version in found] in ([], ["1"])
    assert shared["version"] == "1"
    assert len(person.record("model", "list", "-n", "large", "--registry-name", "robust")) == 1
    person.penstock("model", "download", "-n", "large", "-v", "1", "-p", "back", "--registry-name", "robust")
    [weights] = (person.folder / "back").rglob("weights.bin")
    assert weights.stat().st_size == 256 * 1024 * 1024


def _until(is_so: Callable[[], bool], within: float = 30.0) -> None:
    deadline = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.001)
