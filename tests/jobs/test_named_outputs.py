"""Outputs with a name become assets when their step has completed, once, whatever happens to the server."""

from typing import Any

from penstock.jobs import statuses as st
from penstock.jobs.plans import StepPlan
from penstock.store.records.asset import AssetRecord
from tests.jobs.conftest import Bench, step
from tests.jobs.test_plan_problems import problems_of
from tests.jobs.test_planning import step as known_step

NAMED = {"o": {"type": "uri_folder", "name": "rides"}}
WRITE = "echo 1 > ${{outputs.o}}/x"


def registered(bench: Bench, name: str = "rides") -> list[AssetRecord]:
    """All versions, the oldest first."""
    with bench.database.reading() as tx:
        return sorted(tx.assets.list("demo", "data", name), key=lambda each: each.sequence)


def ran(bench: Bench, name: str, command: str = WRITE, outputs: Any = NAMED) -> str:
    bench.create(name, **step(command, outputs=outputs))
    return bench.settle(name).status


def test_a_named_output_becomes_the_next_version_of_data(bench: Bench) -> None:
    """Its address is where the step wrote; the job says what it became."""
    assert (ran(bench, "first"), ran(bench, "second")) == (st.COMPLETED, st.COMPLETED)

    one, two = registered(bench)
    assert (one.version, two.version) == ("1", "2")
    assert two.spec == {
        "type": "uri_folder",
        "path": "azureml://datastores/workspaceblobstore/paths/azureml/second/o/",
    }
    assert bench.job("second").properties["penstock.asset.o"] == "azureml:rides:2"
    assert two.properties == {"penstock.job": "second", "penstock.output": "o"}


def test_nothing_is_registered_by_a_job_that_failed(bench: Bench) -> None:
    """Edge case 4.7: named outputs are registered only where the job completes."""
    assert ran(bench, "broken", WRITE + "; exit 1") == st.FAILED
    assert ran(bench, "nothing", "true", {"o": {"type": "uri_file", "name": "rides"}}) == st.FAILED

    assert registered(bench) == []


def test_a_version_may_be_named(bench: Bench) -> None:
    """Any text that a version may be."""
    assert ran(bench, "j", outputs={"o": {"type": "uri_folder", "name": "rides", "version": "2024-05"}}) == (
        st.COMPLETED
    )

    assert [each.version for each in registered(bench)] == ["2024-05"]


def test_a_version_that_is_taken_meanwhile_fails_the_job_and_says_so(bench: Bench) -> None:
    """Two jobs with one version: the second one's error names it."""
    outputs = {"o": {"type": "uri_folder", "name": "rides", "version": 7}}
    ran(bench, "first", outputs=outputs)

    assert ran(bench, "second", outputs=outputs) == st.FAILED
    error = bench.job("second").error
    assert error is not None
    assert "`rides:7` exists already" in error["message"]
    assert len(registered(bench)) == 1


def test_a_version_that_exists_is_refused_before_the_job_runs() -> None:
    """Better told now than after the training."""
    outputs = {"o": {"type": "uri_folder", "name": "taken", "version": 1}}

    ((pointer, message),) = problems_of(jobs={"a": known_step("x", outputs=outputs)})

    assert pointer == "/jobs/a/outputs/o"
    assert "data `taken:1`, which exists already" in message


def test_what_a_pipelines_output_says_counts_for_the_step_that_writes_it(bench: Bench) -> None:
    """The name stands at the pipeline's output; the bound step registers it."""
    bench.create(
        outputs={"all": {"type": "uri_folder", "name": "rides"}},
        jobs={"a": step(WRITE, outputs={"o": "${{parent.outputs.all}}"})},
    )

    assert bench.settle().status == st.COMPLETED
    assert [each.properties["penstock.job"] for each in registered(bench)] == ["p_a"]


def test_an_end_that_is_written_twice_registers_once(bench: Bench) -> None:
    """The server was killed between the registration and the job's last status; the next one does both again."""
    ran(bench, "j")
    job = bench.job("j")
    plan = StepPlan.from_record(job.spec["plan"])

    again = bench.runner._named_outputs.register(job, plan, bench.runner.locator("demo"))

    assert again == {"penstock.asset.o": "azureml:rides:1"}
    assert len(registered(bench)) == 1
