"""A team's component: registered from a folder with a library beside it, used by reference, changed, used again."""

from pathlib import Path

import pytest

from tests.journeys.person import Person

pytestmark = pytest.mark.slow

ENVIRONMENT = "image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04\n"
COMPONENT = """
$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
type: command
name: greet
version: 1
code: ./src
additional_includes:
  - ../../shared
  - ../../words.zip
environment: azureml:plain@latest
inputs: {who: {type: string, default: world}}
outputs: {said: {type: uri_folder}}
command: python greet.py --who ${{inputs.who}} --to ${{outputs.said}}
"""
SCRIPT = """
import argparse, pathlib, zipfile
from shared.manners import polite

asked = argparse.ArgumentParser()
asked.add_argument("--who")
asked.add_argument("--to")
asked = asked.parse_args()
hello = zipfile.ZipFile("words.zip").read("words/hello.txt").decode()
pathlib.Path(asked.to, "said.txt").write_text(polite(f"{hello} {asked.who}"))
"""
PIPELINE = """
type: pipeline
jobs:
  one:
    component: azureml:greet@latest
  two:
    component: azureml:greet:1
    inputs: {who: moon}
"""


@pytest.fixture(scope="module")
def project(person: Person) -> Path:
    """`components/greet/component.yml`, with `shared/` and `words/` at the top of the project."""
    for name, text in {
        "README.md": "a project",
        "environment.yml": "name: plain\n" + ENVIRONMENT,
        "components/greet/component.yml": COMPONENT,
        "components/greet/src/greet.py": SCRIPT,
        "shared/manners.py": "def polite(text):\n    return text + ', please'\n",
        "words/hello.txt": "Hello",
        "pipeline.yml": PIPELINE,
    }.items():
        file = person.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return person.folder / "components" / "greet" / "component.yml"


def said(person: Person, job: str, step: str) -> str:
    """What a step of a job wrote."""
    folder = person.folder / "downloaded" / job / step
    name = person.record("job", "show", "-n", job)["jobs"][step]["name"]
    person.penstock("job", "download", "-n", name, "--output-name", "said", "-p", folder)
    return (folder / "named-outputs" / "said" / "said.txt").read_text()


def test_a_component_that_is_missing_is_told_with_the_command_that_makes_it(
    person: Person, project: Path
) -> None:
    """Before anything is registered: `check` lists it, and `job create` points at the line."""
    listed = person.penstock("check", "pipeline.yml", expect=1)
    refused = person.types("penstock", "job", "create", "-f", "pipeline.yml", expect=1).stderr

    assert "penstock component create -f <the file that defines `greet`>" in listed
    assert "pipeline.yml:5" in refused
    assert "component `greet` was not found in workspace `default`" in refused


def test_a_component_is_registered_and_runs_by_its_reference(person: Person, project: Path) -> None:
    """The code comes with its includes; the job names the version that `@latest` came to."""
    person.penstock("environment", "create", "-f", "environment.yml")
    checked = person.record("component", "validate", "-f", project)
    made = person.record("component", "create", "-f", project)
    job = person.penstock(
        "job", "create", "-f", "pipeline.yml", "--stream", "--query", "name", "-o", "tsv"
    ).splitlines()[-1]

    shown = person.record("job", "show", "-n", job)

    assert checked["result"] == "Succeeded"
    assert (made["name"], made["version"], made["environment"]) == ("greet", "1", "azureml:plain:1")
    assert shown["status"] == "Completed"
    assert [step["component"] for step in shown["jobs"].values()] == ["azureml:greet:1", "azureml:greet:1"]
    assert said(person, job, "one") == "Hello world, please"
    assert said(person, job, "two") == "Hello moon, please"


def test_a_changed_include_is_another_version(person: Person, project: Path) -> None:
    """The same version is refused, and a pipeline that asks for the latest gets the new one."""
    assert person.record("component", "create", "-f", project)["version"] == "1"
    (person.folder / "shared" / "manners.py").write_text("def polite(text):\n    return text + '!'\n")

    refused = person.types("penstock", "component", "create", "-f", project, expect=1).stderr
    made = person.penstock(
        "component", "create", "-f", project, "--version", "2", "--query", "version", "-o", "tsv"
    )
    words = ("--stream", "--query", "name", "-o", "tsv")
    job = person.penstock("job", "create", "-f", "pipeline.yml", *words).splitlines()[-1]
    shown = person.record("job", "show", "-n", job)

    assert "`greet:1` exists in workspace `default` with other content" in refused
    assert made == "2"
    assert [step["component"] for step in shown["jobs"].values()] == ["azureml:greet:2", "azureml:greet:1"]
    assert said(person, job, "one") == "Hello world!"
    assert said(person, job, "two") == "Hello moon, please"


def test_an_archived_version_is_passed_over(person: Person, project: Path) -> None:
    """`@latest` is the one before it; restored it counts again."""
    query = ("show", "-n", "greet", "-l", "latest", "--query", "version", "-o", "tsv")
    person.penstock("component", "archive", "-n", "greet", "-v", "2")
    assert person.penstock("component", *query) == "1"

    person.penstock("component", "restore", "-n", "greet", "-v", "2")
    person.penstock("component", "update", "-n", "greet", "-v", "2", "--set", "display_name=Greeting")

    assert person.penstock("component", *query) == "2"
    assert person.record("component", "list", "-n", "greet", "--query", "[].display_name") == ["Greeting"]


def test_a_downloaded_component_is_the_same_content(person: Person, project: Path) -> None:
    """Its document and its code with the includes: created again under its version, nothing is new."""
    person.penstock("component", "download", "-n", "greet", "-v", "2", "-p", "fetched")
    folder = person.folder / "fetched" / "greet"

    made = person.record("component", "create", "-f", folder / "component.yml")

    assert made["version"] == "2"
    assert (folder / "src" / "shared" / "manners.py").is_file()
    assert (folder / "src" / "words.zip").is_file()
