"""A file from the cloud meets a machine that has nothing of what it names: the first error that everyone meets."""

import pytest

from tests.journeys.person import Person

pytestmark = pytest.mark.slow

PIPELINE = """\
type: pipeline
settings:
  default_compute: azureml:cpu-cluster
inputs:
  rides:
    type: uri_file
    path: azureml:rides@latest
outputs:
  count:
    type: uri_file
jobs:
  count:
    command: wc -l ${{inputs.rides}} > ${{outputs.count}}
    environment: azureml:counting@latest
    inputs:
      rides: ${{parent.inputs.rides}}
    outputs:
      count: ${{parent.outputs.count}}
  look:
    command: head -1 ${{inputs.rides}}
    environment: azureml:counting@latest
    inputs:
      rides: ${{parent.inputs.rides}}
"""
ENVIRONMENT = "name: counting\nimage: python:3.11\n"


def test_a_file_from_the_cloud_is_made_to_run(person: Person) -> None:
    """`check` lists all that is absent with the command for each; what it can make it makes; then the file runs."""
    (person.folder / "pipeline.yml").write_text(PIPELINE)
    (person.folder / "environment.yml").write_text(ENVIRONMENT)
    (person.folder / "rides.csv").write_text("a\n1\n2\n")

    missing = person.types("penstock", "check", "pipeline.yml", expect=1).stdout
    assert "cpu-cluster" in missing
    assert "penstock compute create" in missing
    assert "rides" in missing
    assert "pipeline.yml:14, pipeline.yml:21  environment `counting` was not found" in missing
    assert missing.count("penstock environment create") == 1
    assert "--create-missing" in missing

    made = person.types("penstock", "check", "pipeline.yml", "--create-missing", expect=1).stdout
    assert "created compute `cpu-cluster`" in made
    assert (
        person.penstock("compute", "show", "-n", "cpu-cluster", "--query", "type", "-o", "tsv").lower()
        == "amlcompute"
    )

    person.penstock("environment", "create", "-f", "environment.yml")
    person.penstock("data", "create", "--name", "rides", "--type", "uri_file", "--path", "rides.csv")
    assert "has all that it needs" in person.penstock("check", "pipeline.yml")

    job = person.penstock("job", "create", "-f", "pipeline.yml", "--stream", "--query", "name", "-o", "tsv")
    person.penstock("job", "download", "-n", job, "--all", "--download-path", "out")
    (count,) = [path for path in (person.folder / "out" / "named-outputs").rglob("*") if path.is_file()]
    assert count.read_text().split()[0] == "3"


def test_the_error_of_an_unknown_compute_leads_to_its_creation(person: Person) -> None:
    """Who submits without checking is told the compute's name, its line, and the command that creates it."""
    (person.folder / "other.yml").write_text(PIPELINE.replace("cpu-cluster", "gpu-cluster"))

    said = person.types("penstock", "job", "create", "-f", "other.yml", expect=1).stderr

    assert "gpu-cluster" in said
    assert "other.yml:3" in said
    assert "penstock compute create" in said
