"""From a validated document to plans: bindings, defaults, places."""

from pathlib import Path
from typing import Any

import pytest

from penstock.datastores import addresses
from penstock.datastores.folders import Place
from penstock.datastores.url_map import UrlMap
from penstock.errors import InvalidDocument, NotFound
from penstock.jobs.planning import PlannedJob, plan_command, plan_pipeline
from penstock.jobs.plans import (
    AtAddress,
    InDatastore,
    OutputOf,
    PlannedEnvironment,
    PlannedInput,
    RegisteredModel,
    Source,
    StepPlan,
    Uploaded,
)
from penstock.resources import documents
from penstock.resources import references as refs
from penstock.resources.environment import BuildContext
from penstock.resources.job import CommandJob, PipelineJob

DATA = "snapshot://" + "a" * 64 + "/wine.csv"
CODE = "snapshot://" + "b" * 64 + "/src/"


class KnownThings:
    """A workspace with one environment, one data asset and one model."""

    def environment(self, reference: refs.AssetReference) -> PlannedEnvironment:
        if reference.name != "train-env":
            raise NotFound(f"environment `{reference.name}` was not found", hint="create it")
        return PlannedEnvironment("environment `train-env:1`", None, {"dependencies": []})

    def build(self, build: BuildContext, label: str, pointer: str) -> PlannedEnvironment:
        return PlannedEnvironment(label, "python:3.11", None, ("read",), {"MODE": "fast", "LEVEL": "1"})

    def data(self, reference: refs.AssetReference) -> tuple[str, Source]:
        if reference.name != "wine":
            raise NotFound(f"data `{reference.name}` was not found")
        return "uri_file", InDatastore("workspaceblobstore", "LocalUpload/x/wine.csv")

    def model(self, reference: refs.AssetReference) -> tuple[str, Source]:
        return "mlflow_model", RegisteredModel(reference.name, reference.version or "3")

    def job_output(self, reference: refs.JobOutput) -> Source:
        return OutputOf(reference.job, reference.output, reference.path)

    def address(self, url: str, kind: str) -> None:
        addresses.check(url, kind, UrlMap())

    def table(self, path: str) -> None:
        """Any folder is a table."""

    def has_version(self, kind: str, name: str, version: str) -> bool:
        return (kind, name, version) == ("data", "taken", "1")

    def place(self, reference: refs.DatastorePath) -> Place:
        return Place(Path("/workspace", reference.datastore), reference.path, reference.datastore)


def step(command: str = "true", **more: Any) -> dict[str, Any]:
    return {"command": command, "environment": "azureml:train-env:1", **more}


def plan(**document: Any) -> PlannedJob:
    """The plans of a pipeline whose document is given by its keys."""
    job = documents.parse("job", {"type": "pipeline", **document}).resource
    assert isinstance(job, PipelineJob)
    return plan_pipeline(job, {key: f"p_{key}" for key in job.jobs}, KnownThings())


def test_a_step_gets_the_pipelines_literal_as_text() -> None:
    """Edge case 5.1: booleans read as Python writes them, numbers as the file does."""
    planned = plan(
        inputs={"rate": 0.1, "flag": True, "name": "a b"},
        jobs={
            "train": step(
                "x ${{inputs.rate}} ${{inputs.flag}} ${{inputs.name}}",
                inputs={key: f"${{{{parent.inputs.{key}}}}}" for key in ("rate", "flag", "name")},
            )
        },
    )

    texts = {name: value.text for name, value in planned.steps["train"].inputs.items()}
    assert texts == {"rate": "0.1", "flag": "True", "name": "a b"}


def test_a_binding_to_a_steps_output_is_a_dependency() -> None:
    """There is no depends_on: data bindings alone order the steps."""
    planned = plan(
        jobs={
            "prep": step("x ${{outputs.out}}", outputs={"out": {"type": "uri_file"}}),
            "train": step("x ${{inputs.data}}", inputs={"data": "${{parent.jobs.prep.outputs.out}}"}),
        }
    )

    train = planned.steps["train"]
    assert train.needs == ("prep",)
    assert train.inputs["data"] == PlannedInput(source=OutputOf("p_prep", "out"), type="uri_file")


def test_the_pipelines_output_decides_type_and_place_of_the_bound_steps_output() -> None:
    """A null output of a step that is bound to a uri_file output is a file, where the pipeline says."""
    planned = plan(
        outputs={"model": {"type": "uri_file", "path": "azureml://datastores/mine/paths/m/${{name}}.bin"}},
        jobs={"train": step("x ${{outputs.m}}", outputs={"m": "${{parent.outputs.model}}"})},
    )

    output = planned.steps["train"].outputs["m"]
    assert (output.type, output.datastore, output.path) == ("uri_file", "mine", "m/p_train.bin")
    assert planned.outputs == {"model": OutputOf("p_train", "m")}


@pytest.mark.parametrize(
    ("given", "path"),
    [
        (None, "azureml/p_a/o/"),
        ({"type": "uri_folder"}, "azureml/p_a/o/"),
        ({"type": "uri_file"}, "azureml/p_a/o/o"),
    ],
)
def test_an_output_without_a_path_has_a_place_of_its_own(given: Any, path: str) -> None:
    """Two steps never write to one place; a file has a name inside a folder that exists."""
    planned = plan(jobs={"a": step("x ${{outputs.o}}", outputs={"o": given})})

    assert planned.steps["a"].outputs["o"].path == path


def test_the_output_called_artifacts_is_the_jobs_artifact_folder() -> None:
    """`outputs: artifacts:` is what the step wrote to ./outputs, and the logs beside it."""
    planned = plan(
        jobs={
            "a": step("x", outputs={"artifacts": None}),
            "b": step("x ${{inputs.i}}", inputs={"i": "${{parent.jobs.a.outputs.artifacts}}"}),
        }
    )

    assert planned.steps["a"].outputs["artifacts"].datastore == "workspaceartifactstore"
    assert planned.steps["b"].inputs["i"].source == OutputOf("p_a", "artifacts")


def test_a_components_ports_give_types_defaults_and_optional_inputs() -> None:
    """A port's default stands in for a value; an optional one without either is unset."""
    component = {
        "name": "train",
        "type": "command",
        "command": "x ${{inputs.depth}} $[[--seed ${{inputs.seed}}]] ${{inputs.data}}",
        "environment": "azureml:train-env:1",
        "inputs": {
            "depth": {"type": "integer", "default": 5},
            "seed": {"type": "integer", "optional": True},
            "data": {"type": "uri_file"},
        },
    }

    planned = plan(
        inputs={"d": {"type": "uri_file", "path": DATA}},
        jobs={"train": {"component": component, "inputs": {"data": "${{parent.inputs.d}}"}}},
    )

    inputs = planned.steps["train"].inputs
    assert inputs["depth"].text == "5"
    assert not inputs["seed"].is_set
    assert inputs["data"].source == Uploaded(DATA)


def test_references_become_sources() -> None:
    """Edge case 4.3: each kind of reference has its own kind of source; a slash at the end of a folder stays."""
    planned = plan(
        inputs={
            "asset": {"type": "uri_file", "path": "azureml:wine@latest"},
            "store": {"type": "uri_folder", "path": "azureml://datastores/workspaceblobstore/paths/a/b/"},
            "job": {"type": "uri_folder", "path": "azureml://jobs/old/outputs/out/paths/x/"},
            "model": {"type": "mlflow_model", "path": "azureml:m:2"},
            "web": {"type": "uri_file", "path": "https://example.com/x.csv", "mode": "direct"},
        },
        jobs={
            "a": step(
                " ".join(f"${{{{inputs.{key}}}}}" for key in ("asset", "store", "job", "model", "web")),
                inputs={
                    key: f"${{{{parent.inputs.{key}}}}}" for key in ("asset", "store", "job", "model", "web")
                },
            )
        },
    )

    sources = {name: value.source for name, value in planned.steps["a"].inputs.items()}
    assert sources == {
        "asset": InDatastore("workspaceblobstore", "LocalUpload/x/wine.csv"),
        "store": InDatastore("workspaceblobstore", "a/b/"),
        "job": OutputOf("old", "out", "x/"),
        "model": RegisteredModel("m", "2"),
        "web": AtAddress("https://example.com/x.csv"),
    }


def test_every_reference_that_leads_nowhere_is_told_at_once() -> None:
    """One problem per place, each with its pointer."""
    with pytest.raises(InvalidDocument) as caught:
        plan(
            inputs={"d": {"type": "uri_file", "path": "azureml:nowhere:1"}},
            jobs={
                "a": step("x ${{inputs.d}}", inputs={"d": "${{parent.inputs.d}}"}),
                "b": {"command": "x", "environment": "azureml:no-env:1"},
            },
        )

    assert {problem.pointer for problem in caught.value.problems} == {"/inputs/d", "/jobs/b/environment"}


def test_compute_timeout_and_variables_take_bindings() -> None:
    """The fields that Azure ML lets a binding stand in."""
    planned = plan(
        inputs={"c": "big", "t": 30, "v": "hello"},
        settings={"default_compute": "azureml:small"},
        jobs={
            "a": step(
                inputs={"v": "${{parent.inputs.v}}"},
                compute="${{parent.inputs.c}}",
                limits={"timeout": "${{parent.inputs.t}}"},
                environment_variables={"GREETING": "${{inputs.v}}!"},
            ),
            "b": step(),
        },
    )

    assert planned.steps["a"].compute == "big"
    assert planned.steps["a"].timeout == 30.0
    assert planned.steps["a"].environment_variables == {"GREETING": "hello!"}
    assert planned.steps["b"].compute == "small"


def test_a_standalone_command_is_its_own_step() -> None:
    """Its plan stands under its own name; without a compute it runs on this machine."""
    job = documents.parse("job", step("python x.py", code=CODE, limits={"timeout": 60})).resource
    assert isinstance(job, CommandJob)

    planned = plan_command(job, "j", KnownThings())

    assert planned.steps["j"].compute == "local"
    assert planned.steps["j"].code == CODE
    assert planned.steps["j"].timeout == 60.0


def test_a_plan_survives_being_written_down() -> None:
    """What the database gives back is what planning made."""
    planned = plan(
        inputs={"d": {"type": "uri_file", "path": DATA}, "n": 3},
        jobs={
            "a": step(
                "x ${{inputs.d}} ${{inputs.n}} ${{outputs.o}}",
                inputs={"d": "${{parent.inputs.d}}", "n": "${{parent.inputs.n}}"},
                outputs={"o": None},
            )
        },
    )

    for each in planned.steps.values():
        assert StepPlan.from_record(each.as_record()) == each


def test_what_a_component_does_not_ask_for_is_left_out() -> None:
    """As Azure ML does it; a warning names it. What it would have been read from is not waited for."""
    component = {
        "type": "command",
        "command": "x ${{inputs.a}}",
        "environment": "azureml:train-env:1",
        "inputs": {"a": {"type": "integer"}},
    }
    given = {"a": 1, "b": "${{parent.jobs.other.outputs.o}}"}
    planned = plan(
        jobs={"other": step("y", outputs={"o": None}), "one": {"component": component, "inputs": given}}
    )

    assert list(planned.steps["one"].inputs) == ["a"]
    assert planned.steps["one"].needs == ()


def test_an_input_whose_path_names_a_model_takes_the_models_type() -> None:
    """Edge case 4.4: the asset's own type, where the file names none."""
    path = "azureml:/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/models/taxi/versions/3"
    planned = plan(jobs={"a": step("x ${{inputs.m}}", inputs={"m": {"path": path}})})

    found = planned.steps["a"].inputs["m"]
    assert (found.type, found.source) == ("mlflow_model", RegisteredModel("taxi", "3"))
