"""A project that reads public data, on a machine without a network: a map lets local files stand for it."""

import json
from pathlib import Path

import pytest

from tests.journeys.person import Person

pytestmark = pytest.mark.slow

PIPELINE = """
$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
type: pipeline
settings: {default_datastore: azureml:results}
inputs:
  iris: {type: uri_file, path: "https://azuremlexamples.blob.core.windows.net/datasets/iris.csv"}
  images: {type: uri_folder, path: "wasbs://datasets@azuremlexamples.blob.core.windows.net/cifar/"}
outputs:
  lines: {type: uri_file}
jobs:
  count:
    command: >-
      test -f ${{inputs.images}}/one.png && wc -l < ${{inputs.iris}} > ${{outputs.lines}}
    environment: {image: "python:3.11"}
    inputs: {iris: "${{parent.inputs.iris}}", images: "${{parent.inputs.images}}"}
    outputs: {lines: "${{parent.outputs.lines}}"}
"""


@pytest.fixture
def somebody(tmp_path: Path) -> Person:
    (tmp_path / "work" / "my sämple" / "cifar").mkdir(parents=True)
    (tmp_path / "work" / "my sämple" / "cifar" / "one.png").write_bytes(b"png")
    (tmp_path / "work" / "my sämple" / "iris.csv").write_text("a\n1\n2\n")
    (tmp_path / "work" / "my results").mkdir()
    (tmp_path / "work" / "pipeline.yml").write_text(PIPELINE)
    return Person(folder=tmp_path / "work", home=tmp_path / "home")


def test_a_pipeline_over_public_data_runs_without_a_network(somebody: Person) -> None:
    """What is missing is told in turn; then the whole runs, and its output lies in a folder of the person's own.

    Folders of one's own have blanks in their names; the command quotes nothing.
    """
    try:
        refused = somebody.types("penstock", "job", "create", "-f", "pipeline.yml", expect=1).stderr
        assert "datastore `results` was not found" in refused
        somebody.types("penstock", "datastore", "create", "-n", "results", "--path", "my results")
        refused = somebody.types("penstock", "job", "create", "-f", "pipeline.yml", expect=1).stderr
        assert "cannot be fetched as a uri_folder" in refused
        assert "settings.url_map" in refused

        (somebody.folder / "urls.yml").write_text(
            "https://azuremlexamples.blob.core.windows.net/datasets/: my sämple/\n"
        )
        somebody.types("penstock", "workspace", "update", "--set", "settings.url_map=urls.yml")
        done = somebody.types("penstock", "job", "create", "-f", "pipeline.yml", "--stream")

        assert '"status": "Completed"' in done.stdout
        (written,) = [path for path in (somebody.folder / "my results").rglob("*") if path.is_file()]
        assert written.read_text().strip() == "3"
        shown = json.loads(somebody.types("penstock", "datastore", "show", "-n", "results").stdout)
        assert shown["folder"] == str(somebody.folder / "my results")
    finally:
        somebody.leave()
