"""Pipelines inside pipelines, judged by their documents: what is refused, where, and what is let pass."""

from typing import Any

import pytest

from penstock.errors import InvalidDocument, Problem
from penstock.resources import documents
from penstock.resources.job import CommandStep, PipelineJob, PipelineStep
from penstock.resources.raw_pipeline import MOST_LEVELS


def command(text: str = "true", **more: Any) -> dict[str, Any]:
    return {"command": text, "environment": "azureml:e:1", **more}


def component(**more: Any) -> dict[str, Any]:
    """A pipeline component."""
    return {"type": "pipeline", **more}


def fit(**more: Any) -> dict[str, Any]:
    """One that reads a number and writes a file."""
    return component(
        inputs={"rate": {"type": "number"}, "note": {"type": "string", "optional": True}},
        outputs={"model": {"type": "uri_file"}},
        jobs={
            "train": command(
                "x ${{inputs.rate}} > ${{outputs.m}}",
                inputs={"rate": "${{parent.inputs.rate}}"},
                outputs={"m": "${{parent.outputs.model}}"},
            )
        },
        **more,
    )


def job(**jobs: Any) -> dict[str, Any]:
    return {"type": "pipeline", "jobs": jobs}


def parsed(document: dict[str, Any]) -> PipelineJob:
    resource = documents.parse("job", document).resource
    assert isinstance(resource, PipelineJob)
    return resource


def problems(document: dict[str, Any], kind: str = "job") -> list[Problem]:
    with pytest.raises(InvalidDocument) as refused:
        documents.parse(kind, document)
    return list(refused.value.problems)


def only(document: dict[str, Any], kind: str = "job") -> Problem:
    found = problems(document, kind)
    assert len(found) == 1, found
    return found[0]


def test_a_step_is_a_pipeline_by_its_type_or_by_its_components() -> None:
    """Edge case 6.2: a step without `type` is a command, unless its component says what it is."""
    steps = parsed(
        job(
            a={"type": "pipeline", "component": fit(), "inputs": {"rate": 1}},
            b={"component": fit(), "inputs": {"rate": 1}},
            c=command(),
        )
    ).jobs

    assert isinstance(steps["a"], PipelineStep)
    assert isinstance(steps["b"], PipelineStep)
    assert isinstance(steps["c"], CommandStep)


@pytest.mark.parametrize("name", ["S1", "train-model", "1st", "a.b"])
def test_names_of_steps_are_lower_case_identifiers_at_every_level(name: str) -> None:
    """Edge case 6.1: `S1` fails, in the job and in a pipeline inside it."""
    outside, inside = job(**{name: command()}), job(a={"component": component(jobs={name: command()})})

    assert only(outside).pointer == f"/jobs/{name}"
    assert only(inside).pointer == f"/jobs/a/component/jobs/{name}"


def test_what_a_pipeline_is_written_as_parses_to_itself() -> None:
    """A stored document means what it meant."""
    first = parsed(job(a={"component": fit(), "inputs": {"rate": 1}}))

    again = parsed(first.to_document())

    assert again == first


@pytest.mark.parametrize("kind", ["pipeline", "Pipeline"])
def test_steps_inside_a_step_need_a_component(kind: str) -> None:
    """As in Azure ML: a pipeline inside has declared ports, or nobody could bind it."""
    found = problems(job(a={"type": kind, "jobs": {"b": command()}}))

    assert {"/jobs/a/component", "/jobs/a/jobs"} == {problem.pointer for problem in found}


def test_a_command_step_has_no_pipeline_component() -> None:
    """Its type was said, and its component is something else: told at the type, with what to write."""
    found = only(job(a={"type": "command", "component": fit()}))

    assert (found.pointer, found.expected) == ("/jobs/a/type", "`pipeline`")
    assert "leave its type out" in str(found.hint)


@pytest.mark.parametrize("key", ["default_compute", "on_init", "continue_on_step_failure"])
def test_settings_belong_to_the_job(key: str) -> None:
    """A pipeline component has none; the hint says where they go."""
    found = only(job(a={"component": fit(settings={key: "x"}), "inputs": {"rate": 1}}))

    assert found.pointer == "/jobs/a/component/settings"
    assert "the job that uses it" in str(found.hint)


def test_compute_and_settings_of_a_pipeline_step_are_recorded_with_a_warning() -> None:
    """Azure ML ignores them with a warning as well."""
    document = job(
        a={
            "component": fit(),
            "inputs": {"rate": 1},
            "compute": "azureml:c",
            "settings": {"force_rerun": True},
        }
    )

    warnings = documents.parse("job", document).warnings

    said = {warning.pointer: warning.message for warning in warnings}
    assert "the compute that they name" in said["/jobs/a/compute"]
    assert "follows the job's settings" in said["/jobs/a/settings"]


def test_problems_inside_stand_where_they_are_written() -> None:
    """Three levels down, a pointer leads to the line in the component's own file."""
    inner = component(jobs={"deep": command("x ${{inputs.nope}}", inputs={"y": "${{parent.inputs.gone}}"})})
    middle = component(jobs={"mid": {"component": inner}})

    found = problems(job(top={"component": middle}))

    deep = "/jobs/top/component/jobs/mid/component/jobs/deep"
    assert {problem.pointer for problem in found} == {f"{deep}/command", f"{deep}/inputs/y"}


def test_a_required_input_of_an_inner_pipeline_is_asked_for_once() -> None:
    """At the step that forgot it, not again at every step inside that reads it."""
    found = only(job(a={"component": fit()}))

    assert found.pointer == "/jobs/a/inputs/rate"
    assert "required input `rate` of step `a` is not provided" in found.message


def test_values_are_judged_by_the_ports_of_the_inner_pipeline() -> None:
    """Once, where the value is given."""
    assert "must be a number" in only(job(a={"component": fit(), "inputs": {"rate": "fast"}})).message


def test_data_for_a_literal_is_found_through_two_levels() -> None:
    """A step's output cannot become a number, however far it travels."""
    middle = component(
        inputs={"r": {"type": "uri_file"}},
        jobs={"f": {"component": fit(), "inputs": {"rate": "${{parent.inputs.r}}"}}},
    )
    found = only(
        job(
            p=command("x > ${{outputs.o}}", outputs={"o": {"type": "uri_file"}}),
            m={"component": middle, "inputs": {"r": "${{parent.jobs.p.outputs.o}}"}},
        )
    )

    assert found.pointer == "/jobs/m/component/jobs/f/inputs/rate"
    assert "is given data" in found.message


def test_an_unset_optional_input_may_not_feed_a_required_one_inside() -> None:
    """Edge case 6.7: an optional input passes through two levels only to what is optional itself."""
    middle = component(
        inputs={"r": {"type": "number", "optional": True}},
        jobs={"f": {"component": fit(), "inputs": {"rate": "${{parent.inputs.r}}"}}},
    )

    found = only(job(m={"component": middle}))

    assert found.pointer == "/jobs/m/component/jobs/f/inputs/rate"
    assert "required input `rate` of step `f` is not provided (from `${{parent.inputs.r}}`)" in found.message
    parsed(job(m={"component": middle, "inputs": {"r": 1}}))


def test_outputs_of_an_inner_pipeline_are_its_components() -> None:
    """Neither an undeclared one nor one that no step inside writes can be read."""
    silent = component(outputs={"model": {"type": "uri_file"}}, jobs={"a": command()})
    reader = lambda port: command(  # noqa: E731
        "x ${{inputs.m}}", inputs={"m": "${{parent.jobs.f.outputs." + port + "}}"}
    )

    undeclared = only(job(f={"component": fit(), "inputs": {"rate": 1}}, r=reader("nothing")))
    unwritten = only(job(f={"component": silent}, r=reader("model")))

    assert "step `f` has no output `nothing`" in undeclared.message
    assert "no step inside `f` writes its output `model`" in unwritten.message


def test_an_inner_pipeline_counts_as_one_step_of_a_circle() -> None:
    """It reads from what reads from it."""
    middle = component(
        inputs={"i": {"type": "uri_file"}},
        outputs={"o": {"type": "uri_file"}},
        jobs={
            "reads": command("x ${{inputs.i}}", inputs={"i": "${{parent.inputs.i}}"}),
            "writes": command("x ${{outputs.o}}", outputs={"o": "${{parent.outputs.o}}"}),
        },
    )
    document = job(
        m={"component": middle, "inputs": {"i": "${{parent.jobs.b.outputs.x}}"}},
        b=command(
            "x ${{inputs.y}} ${{outputs.x}}",
            inputs={"y": "${{parent.jobs.m.outputs.o}}"},
            outputs={"x": {"type": "uri_file"}},
        ),
    )

    assert "step `m` waits for itself" in only(document).message


def test_a_circle_inside_is_found_inside() -> None:
    """With the pointer of the inner step."""
    turn = {
        key: command(
            "x ${{inputs.i}} ${{outputs.o}}",
            inputs={"i": f"${{{{parent.jobs.{other}.outputs.o}}}}"},
            outputs={"o": {}},
        )
        for key, other in (("a", "b"), ("b", "a"))
    }

    assert only(job(m={"component": component(jobs=turn)})).pointer == "/jobs/m/component/jobs/a"


def test_a_step_inside_without_compute_needs_the_jobs_default() -> None:
    """Where another step, at any level, names one."""
    document = job(a=command(compute="azureml:c"), m={"component": component(jobs={"b": command()})})

    assert only(document).pointer == "/jobs/m/component/jobs/b/compute"
    parsed({**document, "settings": {"default_compute": "azureml:c"}})


def test_pipelines_stand_inside_one_another_only_so_deep() -> None:
    """The limit is said; just below it all is well."""

    def nested(levels: int) -> dict[str, Any]:
        body = component(jobs={"a": command()})
        for _ in range(levels - 2):
            body = component(jobs={"a": {"component": body}})
        return job(a={"component": body})

    parsed(nested(MOST_LEVELS))
    assert f"more than {MOST_LEVELS} deep" in only(nested(MOST_LEVELS + 1)).message
    assert f"more than {MOST_LEVELS} deep" in only(nested(400)).message


def test_a_job_may_be_made_of_a_pipeline_component() -> None:
    """`component` in place of `jobs`: its ports judge the job's values."""
    document = {"type": "pipeline", "component": fit(), "inputs": {"rate": "0.5"}, "outputs": {"model": {}}}

    assert set(parsed(document).steps) == {"train"}
    assert only({**document, "inputs": {}}).message == "required input `rate` of the job is not provided"
    more = documents.parse("job", {**document, "inputs": {"rate": 1, "x": 1}}).warnings
    assert "the component of the job has no input `x`: it is left out" in [each.message for each in more]
    assert only({**document, "outputs": {"nothing": {}}}).pointer == "/outputs/nothing"
    assert only({**document, "jobs": {"a": command()}}).pointer == "/jobs"


def test_a_pipeline_component_is_judged_on_its_own() -> None:
    """Before anybody uses it: bindings and circles, but not what only its user can give."""
    documents.parse("component", {"name": "fit", **fit()})
    bad = fit()
    bad["jobs"]["train"]["inputs"] = {"rate": "${{parent.inputs.raet}}"}

    found = only({"name": "fit", **bad}, "component")

    assert found.pointer == "/jobs/train/inputs/rate"
    assert "did you mean `rate`?" in str(found.hint)


def test_outputs_that_no_inner_step_writes_are_a_warning() -> None:
    """Where they are declared."""
    silent = component(outputs={"model": {"type": "uri_file"}}, jobs={"a": command()})

    warnings = documents.parse("job", job(f={"component": silent})).warnings

    assert "/jobs/f/component/outputs/model" in {warning.pointer for warning in warnings}
