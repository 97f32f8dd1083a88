"""The files that the reference shows do what their pages say: all are created, and a job of them runs to its end."""

import json
import shutil
from pathlib import Path

import pytest

from tests.journeys.person import ROOT, Person

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def files(person: Person) -> Path:
    """A copy of the examples as a project; packages that take long to install are left out of its environment."""
    shown = ROOT / "docs" / "reference" / "sources" / "examples"
    shutil.copytree(shown, person.folder, dirs_exist_ok=True)
    (person.folder / "README.md").touch()
    (person.folder / "conda.yml").write_text("dependencies: [python=3.11]\n")
    return person.folder


def test_the_examples_of_the_reference_are_created_and_run(person: Person) -> None:
    """File by file as the pages have them, then the job, the pipeline, and a dry run of the others."""
    for noun, file in (
        ("workspace", "workspace.yml"),
        ("registry", "registry.yml"),
        ("compute", "compute.yml"),
        ("environment", "environment.yml"),
        ("data", "data.yml"),
        ("datastore", "datastore.yml"),
        ("datastore", "datastore-blob.yml"),
        ("model", "model.yml"),
        ("component", "component.yml"),
        ("component", "pipeline-component.yml"),
    ):
        person.penstock(noun, "create", "-f", file)
    person.penstock("data", "create", "-n", "table", "--type", "mltable", "--path", "flowers")

    for file in ("nested.yml", "values.yml"):
        plan = json.loads(person.penstock("job", "create", "-f", file, "--dry-run", "-o", "json"))
        assert plan["steps"]
    for file in ("job.yml", "pipeline.yml"):
        words = ("--stream", "--query", "status", "-o", "tsv")
        assert person.penstock("job", "create", "-f", file, *words) == "Completed"

    settings = json.loads(person.penstock("workspace", "show", "-n", "team-dev", "--query", "settings"))
    assert settings["url_map"] == str(person.folder.resolve() / "urls.yml")
