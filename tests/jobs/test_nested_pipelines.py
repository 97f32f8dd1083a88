"""Pipelines inside pipelines: planned, run, followed, canceled, taken up again after a kill."""

import json
import time
from typing import Any

import pytest

from penstock.jobs import statuses as st
from penstock.jobs.description import job_record
from penstock.jobs.downloads import files_of
from penstock.jobs.names import step_names
from penstock.jobs.planning import PlannedJob, plan_pipeline
from penstock.jobs.plans import InDatastore, OutputOf
from penstock.jobs.scopes import steps_within
from penstock.jobs.streaming import Follower
from penstock.resources import documents
from penstock.resources.job import PipelineJob
from tests.jobs.conftest import AnyEnvironment, Bench, step


def pipeline(**more: Any) -> dict[str, Any]:
    """A pipeline component."""
    return {"type": "pipeline", **more}


FILE = {"type": "uri_file"}


def copies(inner: dict[str, Any]) -> dict[str, Any]:
    """A pipeline around `inner` that hands an input down and an output up."""
    return pipeline(
        inputs={"source": FILE, "note": {"type": "string", "optional": True}},
        outputs={"copy": {}},
        jobs={
            "deeper": {
                "component": inner,
                "inputs": {"source": "${{parent.inputs.source}}", "note": "${{parent.inputs.note}}"},
                "outputs": {"copy": "${{parent.outputs.copy}}"},
            }
        },
    )


COPY = {
    "command": "cat ${{inputs.source}} > ${{outputs.copy}}; echo noted $[[${{inputs.note}}]] >> ${{outputs.copy}}",
    "environment": "azureml:e:1",
    "inputs": {"source": FILE, "note": {"type": "string", "optional": True}},
    "outputs": {"copy": FILE},
}
INNERMOST = pipeline(
    inputs={"source": FILE, "note": {"type": "string", "optional": True}},
    outputs={"copy": {}},
    jobs={
        "copy": {
            "component": COPY,
            "inputs": {"source": "${{parent.inputs.source}}", "note": "${{parent.inputs.note}}"},
            "outputs": {"copy": "${{parent.outputs.copy}}"},
        }
    },
)
WRITE = step("echo hello > ${{outputs.o}}", outputs={"o": FILE})


def three_levels(**inputs: Any) -> dict[str, Any]:
    """A step, a pipeline of two levels that copies its file, and a step that reads the copy."""
    return {
        "outputs": {"final": {"type": "uri_file"}},
        "jobs": {
            "write": WRITE,
            "outer": {
                "component": copies(INNERMOST),
                "inputs": {"source": "${{parent.jobs.write.outputs.o}}", **inputs},
                "outputs": {"copy": "${{parent.outputs.final}}"},
            },
            "read": step("cat ${{inputs.i}}", inputs={"i": "${{parent.jobs.outer.outputs.copy}}"}),
        },
    }


def plan(**document: Any) -> PlannedJob:
    job = documents.parse("job", {"type": "pipeline", **document}).resource
    assert isinstance(job, PipelineJob)
    return plan_pipeline(job, step_names("p", steps_within(job), lambda _: False), AnyEnvironment())  # type: ignore[arg-type]


# Planning


def test_bindings_are_followed_through_every_level_in_both_directions() -> None:
    """What an inner step reads is the outer step's output; what an outer step reads is the inner step's."""
    planned = plan(**three_levels())

    deep = "outer/deeper/copy"
    assert list(planned.names) == ["write", "outer", "outer/deeper", deep, "read"]
    assert planned.steps[deep].inputs["source"].source == OutputOf("p_write", "o")
    assert planned.steps["read"].inputs["i"].source == OutputOf("p_outer_deeper_copy", "copy")
    assert planned.outputs == {"final": OutputOf("p_outer_deeper_copy", "copy")}
    assert planned.pipelines["outer"] == {"copy": OutputOf("p_outer_deeper_copy", "copy")}


def test_only_commands_wait_and_only_for_what_they_read() -> None:
    """No step waits for an inner pipeline as a whole, and none inside for all that its pipeline is given."""
    beside = pipeline(
        inputs={"a": FILE, "b": FILE},
        outputs={"o": FILE},
        jobs={
            "reads_a": step(
                "cat ${{inputs.i}} > ${{outputs.o}}",
                inputs={"i": "${{parent.inputs.a}}"},
                outputs={"o": "${{parent.outputs.o}}"},
            ),
            "reads_b": step("cat ${{inputs.i}}", inputs={"i": "${{parent.inputs.b}}"}),
        },
    )
    planned = plan(
        jobs={
            "a": WRITE,
            "b": WRITE,
            "n": {
                "component": beside,
                "inputs": {"a": "${{parent.jobs.a.outputs.o}}", "b": "${{parent.jobs.b.outputs.o}}"},
            },
            "last": step("cat ${{inputs.i}}", inputs={"i": "${{parent.jobs.n.outputs.o}}"}),
            "by_way_of_inputs": step("cat ${{inputs.i}}", inputs={"i": "${{parent.jobs.n.inputs.b}}"}),
        }
    )

    assert {path: each.needs for path, each in planned.steps.items()} == {
        "a": (),
        "b": (),
        "n/reads_a": ("a",),
        "n/reads_b": ("b",),
        "last": ("n/reads_a",),
        "by_way_of_inputs": ("b",),
    }


@pytest.mark.parametrize(("given", "expected"), [({}, None), ({"note": "it"}, "it")])
def test_an_optional_input_passes_through_three_levels(given: dict[str, str], expected: str | None) -> None:
    """Edge case 6.7: unset stays unset, set arrives."""
    planned = plan(**three_levels(**given))

    assert planned.steps["outer/deeper/copy"].inputs["note"].text == expected


@pytest.mark.parametrize(
    ("given", "inner_default", "expected"),
    [({"n": "7"}, 5, "7"), ({}, 5, "5"), ({"n": "${{parent.inputs.n}}"}, None, "3")],
)
def test_a_value_is_the_steps_else_the_components_default(
    given: dict[str, Any], inner_default: int | None, expected: str
) -> None:
    """Edge case 6.5: a quoted number reaches an integer port as an integer, at every level."""
    port = {"type": "integer", **({"default": inner_default} if inner_default is not None else {})}
    inner = pipeline(
        inputs={"n": port},
        jobs={"a": step("echo ${{inputs.n}}", inputs={"n": "${{parent.inputs.n}}"})},
    )

    planned = plan(inputs={"n": 3}, jobs={"x": {"component": inner, "inputs": given}})

    assert planned.steps["x/a"].inputs["n"].text == expected


def test_inputs_in_groups_reach_inner_pipelines() -> None:
    """`group.key` is one name."""
    inner = pipeline(
        inputs={"g.k": {"type": "string"}},
        jobs={"a": step("echo ${{inputs.v}}", inputs={"v": "${{parent.inputs.g.k}}"})},
    )

    planned = plan(
        inputs={"h.k": "v"}, jobs={"x": {"component": inner, "inputs": {"g.k": "${{parent.inputs.h.k}}"}}}
    )

    assert planned.steps["x/a"].inputs["v"].text == "v"


def test_compute_is_the_steps_own_else_the_jobs_default() -> None:
    """What the step that is a pipeline says counts for nothing, as in Azure ML; a binding of the default means the job's."""
    inner = pipeline(
        inputs={"c": {"type": "string"}},
        jobs={
            "own": step("true", compute="azureml:${{parent.inputs.c}}"),
            "default": step("true"),
        },
    )

    planned = plan(
        inputs={"c": "big"},
        settings={"default_compute": "azureml:${{parent.inputs.c}}"},
        jobs={"x": {"component": inner, "compute": "azureml:ignored", "inputs": {"c": "small"}}},
    )

    assert {path: each.compute for path, each in planned.steps.items()} == {
        "x/own": "small",
        "x/default": "big",
    }


def test_the_settings_of_an_outer_output_reach_the_step_that_writes_it() -> None:
    """Its type where nobody inside says one; its place and mode whatever they say inside."""
    inner = pipeline(
        outputs={"o": {}},
        jobs={"a": step("echo > ${{outputs.x}}", outputs={"x": "${{parent.outputs.o}}"})},
    )
    middle = pipeline(
        outputs={"o": {"mode": "rw_mount"}},
        jobs={"m": {"component": inner, "outputs": {"o": "${{parent.outputs.o}}"}}},
    )
    place = "azureml://datastores/workspaceblobstore/paths/reports/${{name}}.txt"

    planned = plan(
        outputs={"final": {"type": "uri_file", "path": place, "mode": "upload"}},
        jobs={"n": {"component": middle, "outputs": {"o": "${{parent.outputs.final}}"}}},
    )

    output = planned.steps["n/m/a"].outputs["x"]
    assert (output.type, output.mode) == ("uri_file", "upload")
    assert (output.datastore, output.path) == ("workspaceblobstore", "reports/p_n_m_a.txt")


def test_what_the_outer_step_says_of_an_output_counts_inside() -> None:
    """A mapping in place of a binding."""
    inner = pipeline(
        outputs={"o": {}},
        jobs={"a": step("echo > ${{outputs.x}}", outputs={"x": "${{parent.outputs.o}}"})},
    )

    planned = plan(jobs={"n": {"component": inner, "outputs": {"o": {"type": "uri_file", "mode": "upload"}}}})

    output = planned.steps["n/a"].outputs["x"]
    assert (output.type, output.mode) == ("uri_file", "upload")


def test_a_job_made_of_a_component_is_planned_as_its_steps() -> None:
    """With the job's values in the component's ports."""
    planned = plan(
        component=INNERMOST,
        inputs={
            "source": {"type": "uri_file", "path": "azureml://datastores/workspaceblobstore/paths/x.txt"}
        },
        outputs={"copy": {"mode": "upload"}},
    )

    assert planned.steps["copy"].inputs["source"].source == InDatastore("workspaceblobstore", "x.txt")
    assert planned.outputs == {"copy": OutputOf("p_copy", "copy")}
    assert planned.steps["copy"].outputs["copy"].mode == "upload"


def test_names_of_steps_are_unique_readable_and_not_too_long() -> None:
    """A path's keys in a row; a number where two would be the same; a digest for what is too long."""
    long = "/".join(["a" * 60] * 9)

    names = step_names("job", ["a_b", "a/b", "a", long, long + "x"], lambda name: name == "job_a")

    assert names["a_b"] == "job_a_b"
    assert names["a/b"] == "job_a_b_2"
    assert names["a"] == "job_a_2"
    assert len(set(names.values())) == 5
    assert max(map(len, names.values())) <= 200


# Running


def test_three_levels_run_and_their_data_arrives(bench: Bench) -> None:
    """From the outer step into the innermost, and out again."""
    bench.create(**three_levels(note="twice"))

    job = bench.settle()

    assert job.status == st.COMPLETED, job.error
    assert bench.log("p_read") == "hello\nnoted twice\n"
    for name in ("p_outer", "p_outer_deeper"):
        inner = bench.job(name)
        assert (inner.type, inner.root, inner.status) == ("pipeline", "p", st.COMPLETED)
        assert bench.statuses(name) == [st.RUNNING, st.COMPLETED]
    assert bench.job("p_outer_deeper").parent == "p_outer"


def test_an_inner_pipelines_times_are_those_of_its_steps(bench: Bench) -> None:
    """It runs once its first step is on its way, and ends after its last."""
    bench.create(**three_levels())
    bench.settle()

    write, outer, copy = (bench.job(name) for name in ("p_write", "p_outer", "p_outer_deeper_copy"))

    assert outer.started_at is not None
    assert outer.ended_at is not None
    assert write.ended_at is not None
    assert copy.started_at is not None
    assert copy.ended_at is not None
    assert write.ended_at <= outer.started_at <= copy.started_at
    assert copy.ended_at <= outer.ended_at


def failing(**more: Any) -> dict[str, Any]:
    """A pipeline with a step that fails, one that reads it, and one that reads nothing."""
    inner = pipeline(
        outputs={"o": FILE},
        jobs={
            "fails": step("exit 3", outputs={"o": "${{parent.outputs.o}}"}),
            "after": step("cat ${{inputs.i}}", inputs={"i": "${{parent.jobs.fails.outputs.o}}"}),
            "beside": step("sleep 0.3"),
        },
    )
    return {
        "jobs": {
            "n": {"component": pipeline(jobs={"m": {"component": inner}})},
            "other": step("sleep 0.3"),
        },
        **more,
    }


def test_a_failure_inside_fails_every_pipeline_around_it(bench: Bench) -> None:
    """Edge case 6.6: what does not depend on it, at any level, still runs; the message names the step by its path."""
    bench.create(**failing())

    job = bench.settle()

    ends = {
        name: bench.job(name).status for name in ("p_n", "p_n_m", "p_n_m_after", "p_n_m_beside", "p_other")
    }
    assert ends == {
        "p_n": st.FAILED,
        "p_n_m": st.FAILED,
        "p_n_m_after": st.CANCELED,
        "p_n_m_beside": st.COMPLETED,
        "p_other": st.COMPLETED,
    }
    assert job.status == st.FAILED
    assert job.error is not None
    assert job.error["message"] == "step `n/m/fails` failed: its command exited with code 3"
    after = bench.job("p_n_m_after").error
    assert after is not None
    assert "step `n/m/fails`, whose output it reads" in after["message"]


def test_a_failure_inside_stops_all_levels_where_the_job_says_so(bench: Bench) -> None:
    """continue_on_step_failure: false of the job reaches its outermost steps and its innermost."""
    bench.instances = 4
    document = failing(settings={"continue_on_step_failure": False})
    document["jobs"]["other"] = step("sleep 60")
    document["jobs"]["n"]["component"]["jobs"]["m"]["component"]["jobs"]["beside"] = step("sleep 60")
    bench.create(**document)

    job = bench.settle()

    assert job.status == st.FAILED
    assert bench.job("p_other").status == st.CANCELED
    assert bench.job("p_n_m_beside").status == st.CANCELED
    assert bench.job("p_n").status == st.FAILED


def test_an_inner_pipeline_whose_source_failed_never_runs(bench: Bench) -> None:
    """It ends as its steps do: canceled, without a start."""
    document = three_levels()
    document["jobs"]["write"] = step("exit 1", outputs={"o": FILE})
    bench.create(**document)

    assert bench.settle().status == st.FAILED

    outer = bench.job("p_outer")
    assert (outer.status, outer.started_at) == (st.CANCELED, None)


def test_reliability_22_a_cancel_reaches_every_level(bench: Bench) -> None:
    """Running and waiting steps of inner pipelines end with the job; all of them say so in between."""
    inner = pipeline(
        outputs={"o": FILE},
        jobs={
            "long": step("sleep 60", outputs={"o": "${{parent.outputs.o}}"}),
            "waits": step("cat ${{inputs.i}}", inputs={"i": "${{parent.jobs.long.outputs.o}}"}),
        },
    )
    bench.create(jobs={"n": {"component": pipeline(jobs={"m": {"component": inner}})}})
    bench.until(lambda: bench.job("p_n_m_long").status == st.RUNNING)

    bench.cancel()
    bench.settle()

    for name in ("p", "p_n", "p_n_m", "p_n_m_long", "p_n_m_waits"):
        assert bench.job(name).status == st.CANCELED, name
    assert bench.statuses("p_n_m") == [st.RUNNING, st.CANCEL_REQUESTED, st.CANCELED]


@pytest.mark.parametrize("watched", ["p_write", "p_outer_deeper_copy", "p_outer", "p"])
@pytest.mark.parametrize("status", [st.RUNNING, st.FINALIZING])
def test_reliability_18_an_engine_lost_inside_leaves_no_lie(bench: Bench, watched: str, status: str) -> None:
    """Whichever job of the three levels has just come to a status: the next engine brings all to their right end, once."""
    bench.environments.has_mlflow = True
    count = bench.home.path / "count"
    document = three_levels()
    document["jobs"]["write"] = step(
        f"echo ran >> {count}; echo hello > ${{{{outputs.o}}}}", outputs={"o": FILE}
    )
    bench.create(**document)
    bench.until(lambda: status in bench.statuses(watched))

    bench.lose_engine()

    assert bench.settle().status == st.COMPLETED
    assert count.read_text() == "ran\n"
    assert bench.log("p_read") == "hello\nnoted\n"
    for name in ("p_outer", "p_outer_deeper"):
        assert bench.job(name).status == st.COMPLETED
        assert bench.statuses(name).count(st.COMPLETED) == 1
    assert set(bench.runs.ended.values()) == {"FINISHED"}


def test_runs_are_nested_as_the_pipelines_are(bench: Bench) -> None:
    """A step's run stands under its own pipeline's, that under the one around it."""
    parents: dict[str, str | None] = {}
    start = bench.runs.start_run

    def noted(workspace: str, experiment: str, name: str, tags: Any, *more: Any) -> str:
        run = start(workspace, experiment, name, tags, *more)
        parents[tags["penstock.job"]] = bench.runs.begun.get(more[0]) if more[0] else None
        return run

    bench.runs.start_run = noted  # type: ignore[method-assign]
    bench.environments.has_mlflow = True
    bench.create(**three_levels())

    bench.settle()

    assert parents == {
        "p": None,
        "p_write": "p",
        "p_outer": "p",
        "p_outer_deeper": "p_outer",
        "p_outer_deeper_copy": "p_outer_deeper",
        "p_read": "p",
    }
    assert set(bench.runs.ended) == set(parents)


# Shown and followed


def lines_of(bench: Bench, name: str) -> list[dict[str, Any]]:
    follower, lines = Follower(bench.database, bench.home, "demo", name), list[dict[str, Any]]()

    def ended() -> bool:
        lines.extend(follower.read())
        return follower.ended

    bench.until(ended)
    return lines


def test_a_follower_calls_inner_steps_by_their_paths(bench: Bench) -> None:
    """From the job that is followed: a step may be followed as a job of its own."""
    bench.create(**three_levels())

    whole = {line.get("step") for line in lines_of(bench, "p") if line["kind"] == "status"}
    part = {line.get("step") for line in lines_of(bench, "p_outer") if line["kind"] == "status"}

    assert whole == {None, "write", "outer", "outer/deeper", "outer/deeper/copy", "read"}
    assert part == {"outer", "deeper", "deeper/copy"}


def test_an_inner_pipeline_is_shown_with_its_own_steps(bench: Bench) -> None:
    """And within the whole job, so that one look is enough."""
    bench.create(**three_levels())
    bench.settle()
    with bench.database.reading() as tx:
        whole = job_record(tx.jobs.get("demo", "p"), tx.jobs.below("demo", "p"), "s", "g", "http://x")
        outer = job_record(
            tx.jobs.get("demo", "p_outer"), tx.jobs.below("demo", "p_outer"), "s", "g", "http://x"
        )

    assert whole["jobs"]["outer"]["jobs"]["deeper"]["jobs"]["copy"]["status"] == st.COMPLETED
    assert outer["jobs"]["deeper"]["name"] == "p_outer_deeper"
    assert outer["parent_job_name"] == "p"
    assert documents.parse("job", json.loads(json.dumps(whole))).resource.type == "pipeline"  # type: ignore[union-attr]


def test_outputs_and_logs_of_inner_steps_are_downloaded(bench: Bench) -> None:
    """A pipeline's output is its writer's; logs stand under the steps' paths, as seen from the job asked for."""
    bench.create(**three_levels())
    bench.settle()
    with bench.database.reading() as tx:
        jobs = {name: (tx.jobs.get("demo", name), tx.jobs.below("demo", name)) for name in ("p", "p_outer")}

    whole = files_of(bench.runner, *jobs["p"], output=None, every=True)
    part = files_of(bench.runner, *jobs["p_outer"], output=None, every=True)

    assert whole["named-outputs/final/copy"].read_text() == "hello\nnoted\n"
    assert "artifacts/steps/outer/deeper/copy/user_logs/std_log.txt" in whole
    assert "artifacts/steps/deeper/copy/user_logs/std_log.txt" in part
    assert part["named-outputs/copy/copy"] == whole["named-outputs/final/copy"]


def test_a_row_of_before_pipelines_could_be_nested_still_runs(bench: Bench) -> None:
    """Rows without a path are called by their key."""
    bench.create(
        jobs={"a": WRITE, "b": step("cat ${{inputs.i}}", inputs={"i": "${{parent.jobs.a.outputs.o}}"})}
    )
    with bench.database.transaction() as tx:
        for row in tx.jobs.children("demo", "p"):
            spec = {key: value for key, value in row.spec.items() if key not in ("path", "pointer")}
            tx.jobs.update("demo", row.name, spec=spec)

    assert bench.settle().status == st.COMPLETED
    assert time.time() >= (bench.job("p_b").ended_at or 0.0)
