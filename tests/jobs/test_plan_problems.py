"""What planning refuses, and what it binds in the odd corners of a pipeline."""

from typing import Any

import pytest

from penstock.errors import InvalidDocument
from penstock.jobs.planning import plan_command
from penstock.jobs.plans import AtAddress, OutputOf, PlannedInput, RegisteredModel, Uploaded
from penstock.resources import documents
from penstock.resources.job import CommandJob
from tests.jobs.test_planning import CODE, DATA, KnownThings, plan, step

STORE = "azureml://datastores/workspaceblobstore/paths"


def problems_of(**document: Any) -> list[tuple[str, str]]:
    """What is wrong with a pipeline, as (pointer, message)."""
    with pytest.raises(InvalidDocument) as caught:
        plan(**document)
    return [(problem.pointer, problem.message) for problem in caught.value.problems]


def inputs_of(**document: Any) -> dict[str, PlannedInput]:
    job = documents.parse("job", {"environment": "azureml:train-env:1", **document}).resource
    assert isinstance(job, CommandJob)
    return dict(plan_command(job, "j", KnownThings()).steps["j"].inputs)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (f"{STORE}/shared/", f"{STORE}/shared/"),
        (f"{STORE}/shared/", f"{STORE}/shared"),
        (f"{STORE}/a/shared/", f"{STORE}/a//shared/./"),
    ],
)
def test_two_outputs_at_one_place_are_refused(first: str, second: str) -> None:
    """Which of them would be read later is anybody's guess."""
    outputs = [{"o": {"type": "uri_folder", "path": path}} for path in (first, second)]
    problems = problems_of(jobs={"a": step("x", outputs=outputs[0]), "b": step("x", outputs=outputs[1])})

    ((pointer, message),) = problems
    assert pointer == "/jobs/b/outputs/o"
    assert "step `a` writes its output `o` to the same place" in message


def test_a_name_in_the_path_keeps_outputs_apart() -> None:
    """Edge case 4.2: `${{name}}` is the step's job, so two steps never collide."""
    path = {"o": {"type": "uri_folder", "path": f"{STORE}/x/${{{{name}}}}/"}}
    planned = plan(jobs={"a": step("x", outputs=path), "b": step("x", outputs=path)})

    assert {planned.steps[key].outputs["o"].path for key in "ab"} == {"x/p_a/", "x/p_b/"}


def test_an_asset_of_another_type_is_refused() -> None:
    """Edge case 4.4: the input says folder, the asset is a file: said at once, with both types."""
    problems = problems_of(
        jobs={"a": step("x ${{inputs.i}}", inputs={"i": {"type": "uri_folder", "path": "azureml:wine:1"}})}
    )

    ((pointer, message),) = problems
    assert pointer == "/jobs/a/inputs/i"
    assert "is a uri_file, and the input is declared uri_folder" in message


def test_an_asset_decides_the_type_of_an_input_that_declares_none() -> None:
    """As in Azure ML."""
    assert (
        inputs_of(command="x ${{inputs.i}}", inputs={"i": {"path": "azureml:wine:1"}})["i"].type == "uri_file"
    )


def test_a_model_serves_as_any_model() -> None:
    """An MLflow model is a folder with files like any custom one."""
    given = {"type": "custom_model", "path": "azureml:m:1"}
    assert inputs_of(command="x ${{inputs.m}}", inputs={"m": given})["m"].source == RegisteredModel("m", "1")


def test_bindings_reach_through_other_steps_inputs() -> None:
    """`${{parent.jobs.a.inputs.x}}` is what a got; where that is another step's output, it is waited for."""
    planned = plan(
        inputs={"rate": 0.5},
        jobs={
            "make": step("x", outputs={"o": None}),
            "a": step(
                "x ${{inputs.r}} ${{inputs.d}}",
                inputs={"r": "${{parent.inputs.rate}}", "d": "${{parent.jobs.make.outputs.o}}"},
            ),
            "b": step(
                "x ${{inputs.r}} ${{inputs.d}}",
                inputs={"r": "${{parent.jobs.a.inputs.r}}", "d": "${{parent.jobs.a.inputs.d}}"},
            ),
        },
    )

    assert planned.steps["b"].inputs["r"].text == "0.5"
    assert planned.steps["b"].inputs["d"].source == OutputOf("p_make", "o")
    assert planned.steps["b"].needs == ("make",)


def component(**inputs: Any) -> dict[str, Any]:
    """A component whose command uses each of its inputs, optional ones in a fragment."""
    words = " ".join(
        f"$[[--{name} ${{{{inputs.{name}}}}}]]"
        if port.get("optional")
        else f"--{name} ${{{{inputs.{name}}}}}"
        for name, port in inputs.items()
    )
    return {
        "type": "command",
        "command": f"x {words}",
        "environment": "azureml:train-env:1",
        "inputs": inputs,
    }


def test_defaults_and_optional_inputs() -> None:
    """A default stands in for what is not given; an optional one without stays unset."""
    ports = {"rate": {"type": "number", "default": 0.1}, "note": {"type": "string", "optional": True}}
    planned = plan(jobs={"a": {"type": "command", "component": component(**ports)}})

    inputs = planned.steps["a"].inputs
    assert inputs["rate"].text == "0.1"
    assert not inputs["note"].is_set


def test_a_text_that_is_a_number_fits_a_port_of_that_type() -> None:
    """`--set` and quotes give texts; the port's type says what they are."""
    ports = {"n": {"type": "integer"}}
    planned = plan(
        inputs={"count": "5"},
        jobs={
            "a": {"type": "command", "component": component(**ports), "inputs": {"n": "5"}},
            "b": {
                "type": "command",
                "component": component(**ports),
                "inputs": {"n": "${{parent.inputs.count}}"},
            },
        },
    )

    assert [planned.steps[key].inputs["n"].text for key in "ab"] == ["5", "5"]


@pytest.mark.parametrize("given", ["five", "5.5", ""])
def test_a_text_that_is_no_number_is_refused_by_a_port_of_that_type(given: str) -> None:
    """Also where it comes by way of the pipeline's input."""
    ports = {"n": {"type": "integer"}}
    with pytest.raises(InvalidDocument) as caught:
        plan(
            inputs={"count": given},
            jobs={
                "b": {
                    "type": "command",
                    "component": component(**ports),
                    "inputs": {"n": "${{parent.inputs.count}}"},
                }
            },
        )

    assert "integer" in str(caught.value.problems[0].expected)


def test_limits_and_variables_may_be_bound() -> None:
    """A timeout and a variable from the pipeline's inputs."""
    planned = plan(
        inputs={"seconds": 90, "level": "debug"},
        jobs={
            "a": step(
                "x",
                limits={"timeout": "${{parent.inputs.seconds}}"},
                environment_variables={"LEVEL": "${{parent.inputs.level}}"},
            )
        },
    )

    assert planned.steps["a"].timeout == 90
    assert planned.steps["a"].environment_variables["LEVEL"] == "debug"


def test_a_timeout_that_is_no_number_is_a_problem_of_its_place() -> None:
    """Not a defect of ours."""
    problems = problems_of(
        inputs={"seconds": "soon"},
        jobs={"a": step("x", limits={"timeout": "${{parent.inputs.seconds}}"})},
    )

    ((pointer, message),) = problems
    assert pointer == "/jobs/a/limits/timeout"
    assert "`soon`" in message


def test_sources_of_all_kinds() -> None:
    """Uploads, addresses, another job's output."""
    inputs = inputs_of(
        command="x ${{inputs.a}} ${{inputs.b}} ${{inputs.c}}",
        code=CODE,
        inputs={
            "a": {"type": "uri_file", "path": DATA},
            "b": {"type": "uri_file", "path": "https://example.com/x.csv", "mode": "direct"},
            "c": {"type": "uri_folder", "path": "azureml://jobs/other/outputs/o/paths/d/"},
        },
    )

    assert inputs["a"].source == Uploaded(DATA)
    assert inputs["b"].source == AtAddress("https://example.com/x.csv")
    assert inputs["c"].source == OutputOf("other", "o", "d/")
