"""What components say about themselves, and how they stand in the steps that use them."""

from typing import Any

import pytest

from penstock.errors import InvalidDocument
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


COMMAND = {"type": "command", "name": "c", "command": "ls", "environment": "azureml:e:1"}


@pytest.mark.parametrize(
    ("fields", "noun"),
    [(COMMAND, "a command component"), (read(PIPELINE), "a pipeline component")],
    ids=["command", "pipeline"],
)
def test_unknown_keys_at_the_top_are_named_and_not_kept(fields: dict[str, Any], noun: str) -> None:
    """Azure's own loader lets them pass. What belongs to a step is said to; the content is the same without them."""
    parsed = documents.parse("component", fields | {"limits": {"timeout": 3}, "displayname": "C"})

    told = {warning.pointer: warning for warning in parsed.warnings}
    assert told["/limits"].message == f"`limits` is not a field of {noun}; it is ignored"
    assert "in the step" in str(told["/limits"].hint)
    assert told["/displayname"].hint == "did you mean `display_name`?"
    assert parsed.resource.to_document() == documents.parse("component", fields).resource.to_document()


def test_unknown_keys_of_a_component_in_a_step_are_not_kept() -> None:
    """Neither in what a job keeps."""
    component = {**COMMAND, "limits": {"timeout": 3}}

    job = documents.parse("job", {"type": "pipeline", "jobs": {"a": {"component": component}}}).resource

    assert job.to_document()["jobs"]["a"]["component"].keys() & {"limits", "command"} == {"command"}


def test_unknown_keys_further_down_are_refused() -> None:
    """A port says what may be given: a mistyped limit of one would let everything pass."""
    with pytest.raises(InvalidDocument) as refused:
        documents.parse("component", COMMAND | {"inputs": {"n": {"type": "integer", "maximum": 3}}})

    assert [problem.pointer for problem in refused.value.problems] == ["/inputs/n/maximum"]
