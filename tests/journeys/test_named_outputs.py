"""A pipeline whose outputs have names: afterwards they are data and a model that others refer to."""

import json

import pytest

from tests.journeys.mistakes import PLAIN, Project

# The plain environment has pip and setuptools from the network; the model registry is MLflow's.
pytestmark = [pytest.mark.slow]

PIPELINE = f"""\
type: pipeline
outputs:
  model: {{type: custom_model, name: fares}}
jobs:
  prep:
    command: echo 1 > ${{{{outputs.clean}}}}
    {PLAIN}
    outputs: {{clean: {{type: uri_file, name: clean-rides}}}}
  train:
    command: cp ${{{{inputs.clean}}}} ${{{{outputs.model}}}}/weights.txt
    {PLAIN}
    inputs: {{clean: "${{{{parent.jobs.prep.outputs.clean}}}}"}}
    outputs: {{model: "${{{{parent.outputs.model}}}}"}}
"""
READER = f"""\
command: cat ${{{{inputs.rides}}}} ${{{{inputs.model}}}}/weights.txt
{PLAIN}
inputs:
  rides: {{type: uri_file, path: azureml:clean-rides@latest}}
  model: {{type: custom_model, path: azureml:fares@latest}}
"""


def test_named_outputs_are_data_and_a_model_that_the_next_job_reads(project: Project) -> None:
    """Registered by the steps that wrote them, with where they come from."""
    project.write({"job.yml": PIPELINE, "reader.yml": READER})
    project.run("job", "create", "-f", "job.yml", "-n", "maker", "--stream")

    data = json.loads(project.run("data", "show", "-n", "clean-rides", "-v", "1").stdout)
    model = json.loads(project.run("model", "show", "-n", "fares", "-v", "1").stdout)
    project.run("job", "create", "-f", "reader.yml", "-n", "reader", "--stream")
    steps = json.loads(project.run("job", "show", "-n", "maker", "--query", "jobs").stdout)

    assert (data["type"], data["properties"]["penstock.job"]) == ("uri_file", "maker_prep")
    assert (model["type"], model["job_name"]) == ("custom_model", "maker_train")
    assert {key: step["status"] for key, step in steps.items()} == {"prep": "Completed", "train": "Completed"}
    train = json.loads(project.run("job", "show", "-n", "maker_train").stdout)
    assert train["properties"]["penstock.asset.model"] == "azureml:fares:1"


def test_a_version_that_exists_is_refused_with_its_line(project: Project) -> None:
    """Before anything runs."""
    named = PIPELINE.replace("name: fares}", "name: tariffs, version: 1}")
    project.write({"job.yml": named, "w.txt": "1"})
    project.run("model", "create", "-n", "tariffs", "-v", "1", "-p", "w.txt")

    said = project.refused("job", "create", "-f", "job.yml").said

    assert "model `tariffs:1`, which exists already" in said
    assert "job.yml:" in said
