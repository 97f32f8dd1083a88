"""What planning reads from a job: every step looks alike, wherever its command was written."""

import doctest

import pytest

from penstock.resources import documents, ports
from penstock.resources.inputs_and_outputs import InputValue, OutputValue
from penstock.resources.job import CommandJob, CommandStep, PipelineJob
from penstock.resources.ports import InputPort, parameter_text, parsed_parameter
from tests.resources.corpus import (
    COMMAND_JOB,
    PIPELINE,
    UPLOADED_FILE,
    UPLOADED_FOLDER,
    inline_step,
    read,
    step,
)


def pipeline_of(text: str) -> PipelineJob:
    job = documents.parse("job", read(text)).resource
    assert isinstance(job, PipelineJob)
    return job


def only_step(text: str) -> CommandStep:
    return pipeline_of(text).jobs["a"]


def test_a_step_and_a_component_read_alike() -> None:
    """The same command, inline and in a component."""
    body = "command: a\ncode: FOLDER\nenvironment: azureml:e:1\nresources: {instance_count: 1}"
    inline = only_step(step(body))
    in_component = only_step(step("component:\n  " + body.replace("\n", "\n  ")))

    for each in (inline, in_component):
        assert (each.command, each.code, each.environment) == ("a", UPLOADED_FOLDER, "azureml:e:1")
        assert each.resources is not None
        assert each.resources.instance_count == 1
        assert each.is_deterministic
        assert each.environment_variables == {}
        assert each.limits is None


def test_a_step_has_the_ports_of_its_component() -> None:
    """And none, written inline."""
    jobs = pipeline_of(PIPELINE).jobs

    assert jobs["prep"].ports == {}
    assert set(jobs["train"].ports) == {"data", "lr", "n"}
    assert jobs["train"].ports["n"].default == 3
    assert jobs["train"].output_ports["model"].type == "mlflow_model"


def test_a_steps_environment_stands_in_for_its_components() -> None:
    """The nearer one counts."""
    text = step("component: {command: a, environment: 'azureml:e:1'}\nenvironment: azureml:f:2")

    assert only_step(text).environment == "azureml:f:2"


def test_resources_are_merged_key_by_key() -> None:
    """What the step says wins; the rest is the component's."""
    text = step(
        "component: {command: a, environment: 'azureml:e:1', resources: {instance_type: A, shm_size: 1g}}\n"
        "resources: {instance_type: B}"
    )

    resources = only_step(text).resources

    assert resources is not None
    assert (resources.instance_type, resources.shm_size) == ("B", "1g")


def test_a_component_may_be_declared_not_deterministic() -> None:
    """The flag reaches the step."""
    text = step("component: {command: a, environment: 'azureml:e:1', is_deterministic: false}")

    assert not only_step(text).is_deterministic


def test_an_output_given_as_nothing_is_declared() -> None:
    """`outputs: {o: }`; its type is left to whoever reads it."""
    jobs = pipeline_of(PIPELINE).jobs

    assert jobs["prep"].outputs == {"clean": OutputValue()}
    assert jobs["train"].outputs == {"model": "${{parent.outputs.model}}"}


def test_a_command_job_has_what_a_step_has() -> None:
    """So that planning treats it as one."""
    job = documents.parse("job", read(COMMAND_JOB)).resource

    assert isinstance(job, CommandJob)
    assert (job.ports, job.output_ports, job.is_deterministic) == ({}, {}, True)
    assert job.inputs["lr"] == 0.1
    assert job.inputs["data"] == InputValue(type="uri_file", path=UPLOADED_FILE)


def test_the_default_compute_of_a_pipeline_may_be_in_either_place() -> None:
    """`settings.default_compute` before the older `compute`."""
    assert pipeline_of(inline_step("command: a", pipeline="compute: x")).default_compute == "x"
    both = inline_step("command: a", pipeline="compute: x\nsettings: {default_compute: y}")
    assert pipeline_of(both).default_compute == "y"
    assert pipeline_of(inline_step("command: a")).default_compute is None


def test_the_type_of_a_steps_output_comes_from_the_nearest_that_says() -> None:
    """The step, its component, the pipeline's output, else a folder."""
    text = """
        type: pipeline
        outputs: {file: {type: uri_file}}
        jobs:
          a:
            command: a
            environment: azureml:e:1
            outputs: {own: {type: custom_model}, bound: "${{parent.outputs.file}}", plain: }
        """

    job = pipeline_of(text)

    assert job.type_of_output("a", "own") == "custom_model"
    assert job.type_of_output("a", "bound") == "uri_file"
    assert job.type_of_output("a", "plain") == "uri_folder"
    assert pipeline_of(PIPELINE).type_of_output("train", "model") == "mlflow_model"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"path": UPLOADED_FILE}, "uri_file"),
        ({"path": UPLOADED_FILE, "type": "custom_model"}, "custom_model"),
        ({"path": UPLOADED_FOLDER}, None),
        ({"path": "azureml:d:1"}, None),
        ({"type": "path", "path": UPLOADED_FOLDER}, "uri_folder"),
    ],
)
def test_the_type_of_an_uploaded_file_needs_no_saying(value: dict[str, str], expected: str | None) -> None:
    """An asset has to be asked; an old name is its new one."""
    assert InputValue.model_validate(value).type == expected


def test_a_pipelines_default_is_its_value() -> None:
    """An input written like a port."""
    job = pipeline_of(
        inline_step(
            "command: a",
            pipeline="inputs: {n: {type: integer, default: 3}, d: {type: uri_file, default: FILE}}",
        )
    )

    assert job.inputs["n"] == InputValue(type="integer", value=3)
    assert job.inputs["d"] == InputValue(type="uri_file", path=UPLOADED_FILE)


@pytest.mark.parametrize(
    ("kind", "value", "parsed", "text"),
    [
        ("integer", "10.0", 10, "10"),
        ("integer", 9007199254740993, 9007199254740993, "9007199254740993"),
        ("integer", "12345678901234567890", 12345678901234567890, "12345678901234567890"),
        ("number", "1e-05", 1e-05, "1e-05"),
        ("number", 3, 3.0, "3"),
        ("boolean", "true", True, "True"),
        ("boolean", False, False, "False"),
        ("string", 5, "5", "5"),
        ("string", "a b", "a b", "a b"),
    ],
)
def test_literals_are_read_as_their_port_says(kind: str, value: object, parsed: object, text: str) -> None:
    """And stand in a command as Azure ML writes them."""
    assert parsed_parameter(kind, value) == parsed
    assert parameter_text(kind, value) == text


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("integer", "1.5"),
        ("integer", True),
        ("integer", "nan"),
        ("number", "ten"),
        ("number", "inf"),
        ("boolean", "yes"),
    ],
)
def test_a_literal_that_cannot_be_read_says_so(kind: str, value: object) -> None:
    """With what was expected."""
    with pytest.raises(ValueError, match="must be"):
        parsed_parameter(kind, value)


def test_an_enum_compares_as_text() -> None:
    """A list of numbers takes the number and its text."""
    port = InputPort.model_validate({"type": "integer", "enum": [1, 2]})

    assert port.misfit(2) is None
    assert port.misfit("2") is None
    assert port.misfit(3) == "must be one of `1`, `2`, got the number 3"


def test_the_examples_in_docstrings_hold() -> None:
    """They are run as they are written."""
    assert doctest.testmod(ports).failed == 0
