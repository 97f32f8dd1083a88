"""What components say about themselves, and how they stand in the steps that use them."""

from typing import Any

from penstock.resources import documents
from penstock.resources.component import Registered
from penstock.resources.pipeline_component import PipelineComponent, PipelineStep
from penstock.resources.step import CommandStep
from tests.resources.corpus import read

PIPELINE = """
type: pipeline
name: train_and_score
inputs: {raw: {type: uri_folder}, rate: {type: number, default: 0.1}}
outputs: {scores: {type: uri_folder}}
jobs:
  train:
    component: azureml:train:3
    inputs: {data: "${{parent.inputs.raw}}", rate: "${{parent.inputs.rate}}"}
  score:
    type: pipeline
    component:
      type: pipeline
      inputs: {model: {type: custom_model}}
      outputs: {scores: {}}
      jobs:
        only:
          command: score ${{inputs.model}} ${{outputs.scores}}
          environment: azureml:e:1
          inputs: {model: "${{parent.inputs.model}}"}
          outputs: {scores: "${{parent.outputs.scores}}"}
    inputs: {model: "${{parent.jobs.train.outputs.model}}"}
    outputs: {scores: "${{parent.outputs.scores}}"}
"""


def test_a_pipeline_component_holds_steps_that_are_commands_and_pipelines() -> None:
    """A step without `type` is what its component is."""
    component = documents.parse("component", read(PIPELINE)).resource

    assert isinstance(component, PipelineComponent)
    assert component.inputs["rate"].default == 0.1
    assert isinstance(component.jobs["train"], CommandStep)
    assert isinstance(component.jobs["score"], PipelineStep)


def test_a_component_comes_back_from_its_document() -> None:
    """What is kept is what was parsed."""
    component = documents.parse("component", read(PIPELINE)).resource

    assert documents.parse("component", component.to_document()).resource == component


def test_a_registered_component_is_written_as_its_reference() -> None:
    """A step holds the component's fields, and says the component's name and version."""
    document: dict[str, Any] = read(PIPELINE)
    outputs = {"model": {"type": "custom_model"}}
    fields = {"command": "train", "environment": "azureml:e:1", "resources": {}, "outputs": outputs}
    document["jobs"]["train"] = {"component": Registered({"type": "command", **fields}, "azureml:train:3")}

    component = documents.parse("component", document).resource

    assert isinstance(component, PipelineComponent)
    assert component.jobs["train"].command == "train"  # type: ignore[union-attr]
    assert component.to_document()["jobs"]["train"]["component"] == "azureml:train:3"
