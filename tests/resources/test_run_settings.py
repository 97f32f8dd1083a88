"""How a job runs: distribution, resources, limits, queue, identity, services. Each field as Azure ML's own loader takes it."""

from typing import Any

import pytest

from penstock.errors import InvalidDocument, Problem
from penstock.resources import documents
from penstock.resources.job import CommandJob, PipelineJob
from tests.resources.corpus import COMMAND_JOB, inline_step, read, step


def command_job(more: str) -> documents.Parsed:
    return documents.parse("job", read(COMMAND_JOB + more))


GOOD = {
    "pytorch": "distribution: {type: PyTorch, process_count_per_instance: 4}",
    "pytorch without a count": "distribution: {type: pytorch}",
    "mpi, its count as text": "distribution: {type: MPI, process_count_per_instance: '2'}",
    "tensorflow": "distribution: {type: TensorFlow, worker_count: 2, parameter_server_count: 0}",
    "no distribution": "distribution:",
    "instances": "resources: {instance_count: 3}",
    "a priority": "queue_settings: {priority: High}",
    "a service": "services: {ui: {type: Custom, port: 8080, nodes: all, properties: {a: b}}}",
    "a service that was shown": "services: {ui: {port: 1, endpoint: x, status: Running, error_message: y}}",
    "a time limit as text": "limits: {timeout: '30'}",
}


@pytest.mark.parametrize("name", GOOD)
def test_what_is_supported_is_taken_without_a_word(name: str) -> None:
    """In the spelling of Azure ML, whatever the case of its choices."""
    assert command_job(GOOD[name]).warnings == ()


BAD = {
    "ray": ("distribution: {type: ray, port: 6379}", "/distribution/type", "`ray` is not supported yet"),
    "no type": ("distribution: {process_count_per_instance: 2}", "/distribution/type", "missing"),
    "an unknown type": ("distribution: {type: horovod}", "/distribution/type", "must be one of `pytorch`"),
    "no mapping": ("distribution: pytorch", "/distribution", "must be"),
    "no processes": (
        "distribution: {type: mpi, process_count_per_instance: 0}",
        "/distribution/process_count_per_instance",
        "at least 1, got the number 0",
    ),
    "half a process": (
        "distribution: {type: mpi, process_count_per_instance: 1.5}",
        "/distribution/process_count_per_instance",
        "a whole number",
    ),
    "another type's field": (
        "distribution: {type: pytorch, worker_count: 2}",
        "/distribution/worker_count",
        "`worker_count` is not a field of a distribution of type `pytorch`",
    ),
    "an unknown field": (
        "distribution: {type: mpi, process_count: 2}",
        "/distribution/process_count",
        "is not a field of a distribution",
    ),
    "fewer parameter servers than none": (
        "distribution: {type: tensorflow, parameter_server_count: -1}",
        "/distribution/parameter_server_count",
        "at least 0",
    ),
    "no instance": ("resources: {instance_count: 0}", "/resources/instance_count", "at least 1"),
    "true instances": ("resources: {instance_count: true}", "/resources/instance_count", "whole number"),
    "no memory": ("resources: {shm_size: 0g}", "/resources/shm_size", "such as `2g`"),
    "memory without a unit": ("resources: {shm_size: '2'}", "/resources/shm_size", "such as `2g`"),
    "a number for docker": ("resources: {docker_args: 3}", "/resources/docker_args", "must be"),
    "one location": ("resources: {locations: westus}", "/resources/locations", "must be a list"),
    "an unknown tier": ("queue_settings: {job_tier: gold}", "/queue_settings/job_tier", "must be one of"),
    "an unknown priority": ("queue_settings: {priority: 1}", "/queue_settings/priority", "must be one of"),
    "an identity of a compute": ("identity: {type: system_assigned}", "/identity/type", "must be one of"),
    "a client of nobody": (
        "identity: {type: user_identity, client_id: x}",
        "/identity/client_id",
        "belongs to a managed identity",
    ),
    "a service of the future": ("services: {s: {type: teleport}}", "/services/s/type", "must be one of"),
    "no such port": ("services: {s: {type: custom, port: 70000}}", "/services/s/port", "65535"),
    "one node": ("services: {s: {port: 1, nodes: '0'}}", "/services/s/nodes", "must be one of `all`"),
    "a list of services": ("services: [a]", "/services", "must be a mapping"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_said_where_it_stands(name: str) -> None:
    """Types, choices, bounds, and fields that belong to another type."""
    text, pointer, words = BAD[name]

    problem = found_in(COMMAND_JOB + text, pointer)

    assert words in " ".join(filter(None, (problem.message, problem.expected, problem.hint)))


RECORDED = {
    "shared memory": ("resources: {shm_size: 2G}", "/resources/shm_size"),
    "docker's arguments": ("resources: {docker_args: '--ipc=host'}", "/resources/docker_args"),
    "a list of them": ("resources: {docker_args: [--ipc, host]}", "/resources/docker_args"),
    "places": ("resources: {locations: [westus]}", "/resources/locations"),
    "a maximum": ("resources: {max_instance_count: 4}", "/resources/max_instance_count"),
    "free settings": ("resources: {properties: {a: {b: 1}}}", "/resources/properties"),
    "a tier": ("queue_settings: {job_tier: 'null'}", "/queue_settings/job_tier"),
    "a user": ("identity: {type: UserIdentity}", "/identity"),
    "a managed identity": ("identity: {type: managed_identity, client_id: x}", "/identity"),
    "a token": ("identity: {type: AMLToken}", "/identity"),
    "a tensorboard": ("services: {tb: {type: tensor_board, log_dir: x}}", "/services/tb/type"),
    "a shell": ("services: {s: {type: ssh, ssh_public_keys: k}}", "/services/s/type"),
    "an editor": ("services: {s: {type: VsCode}}", "/services/s/type"),
    "a notebook": ("services: {jl: {type: JupyterLab}}", "/services/jl/type"),
    "a service without a port": ("services: {ui: {type: custom}}", "/services/ui/port"),
}


@pytest.mark.parametrize("name", RECORDED)
def test_what_has_no_effect_here_is_named(name: str) -> None:
    """One warning, at the field."""
    text, pointer = RECORDED[name]

    assert [warning.pointer for warning in command_job(text).warnings] == [pointer]


def test_an_identity_is_warned_about_once() -> None:
    """A pipeline whose steps all have an identity is told once that it means nothing here."""
    text = "type: pipeline\nsettings: {default_compute: cpu}\njobs:\n" + "".join(
        f"  {key}: {{command: a, environment: 'azureml:e:1', identity: {{type: managed}}}}\n" for key in "abc"
    )

    warnings = documents.parse("job", read(text)).warnings

    assert [(warning.pointer, "3 places" in warning.message) for warning in warnings] == [
        ("/jobs/a/identity", True)
    ]


def test_a_steps_distribution_stands_in_for_its_components() -> None:
    """As a whole: its fields depend on its type."""
    component = "component: {command: a, environment: 'azureml:e:1', distribution: {type: mpi}}"

    own = only_step(step(component + "\ndistribution: {type: pytorch, process_count_per_instance: 2}"))
    inherited = only_step(step(component))

    assert own.distribution.type == "pytorch"
    assert inherited.distribution.type == "mpi"


def test_counts_of_a_step_may_be_bound_to_inputs() -> None:
    """And a binding to what is not there is found."""
    bound = (
        "command: a\nresources: {instance_count: '${{parent.inputs.n}}'}\n"
        "distribution: {type: pytorch, process_count_per_instance: '${{parent.inputs.n}}'}"
    )

    good = documents.parse("job", read(inline_step(bound, pipeline="inputs: {n: 2}"))).resource
    lost = {problem.pointer for problem in problems_of(inline_step(bound))}

    assert isinstance(good, PipelineJob)
    assert lost == {"/jobs/a/resources/instance_count", "/jobs/a/distribution/process_count_per_instance"}


def test_a_document_with_all_of_it_parses_to_the_same_again() -> None:
    """What is stored and shown can be read again."""
    job = command_job(
        "\n".join(GOOD[name] for name in ("pytorch", "instances", "a priority", "a service"))
    ).resource
    assert isinstance(job, CommandJob)

    assert documents.parse("job", job.to_document()).resource == job


def only_step(text: str) -> Any:
    job = documents.parse("job", read(text)).resource
    assert isinstance(job, PipelineJob)
    return job.jobs["a"]


def problems_of(text: str) -> tuple[Problem, ...]:
    with pytest.raises(InvalidDocument) as caught:
        documents.parse("job", read(text))
    return caught.value.problems


def found_in(text: str, pointer: str) -> Problem:
    (problem,) = problems_of(text)
    assert problem.pointer == pointer
    return problem
