"""Inputs and outputs of type mltable in real steps: modes, what the step is told, and what must be there."""

from pathlib import Path
from typing import Any

import pytest

from penstock import provided
from penstock.jobs import statuses as st
from penstock.store.records.job import JobRecord
from tests.jobs.conftest import Bench, step

PROVIDED = str(Path(provided.__file__).parent)
STORE = "azureml://datastores/workspaceblobstore/paths"
LOADED = (
    'python -c "import sys, mltable; sys.dont_write_bytecode = True; '
    "print(mltable.load(sys.argv[1]).to_pandas_dataframe().to_csv(index=False), end='')\" ${{inputs.t}} > outputs/said"
)


@pytest.fixture
def store(bench: Bench) -> Path:
    """The default datastore, with a table in the folder `t` that reads two files of it."""
    store = bench.home.datastore("demo", "workspaceblobstore")
    (store / "t").mkdir(parents=True)
    (store / "t" / "a.csv").write_text("n\n1\n2\n")
    (store / "far.csv").write_text("n\n3\n")
    (store / "t" / "MLTable").write_text(
        f"paths:\n- pattern: ./*.csv\n- file: {STORE}/far.csv\ntransformations:\n- read_delimited:\n- filter: n > 1\n"
    )
    return store


def ran(bench: Bench, command: str, mode: str | None = None, kind: str = "mltable") -> JobRecord:
    given: dict[str, Any] = {"type": kind, "path": f"{STORE}/t/"}
    variables = {"PYTHONPATH": PROVIDED}
    inputs = {"t": {**given, "mode": mode} if mode else given}
    bench.create("j", **step(command, inputs=inputs, environment_variables=variables))
    return bench.settle("j")


def said(bench: Bench) -> str:
    return (bench.runner.folders(bench.job("j")).artifacts / "outputs" / "said").read_text()


@pytest.mark.parametrize("mode", [None, "ro_mount", "download", "direct"])
def test_a_table_is_loaded_from_its_folder(bench: Bench, store: Path, mode: str | None) -> None:
    """Also files that it names by an address: the step is told where their datastores are."""
    job = ran(bench, LOADED, mode)

    assert job.error is None
    assert said(bench).split() == ["n", "2", "3"]


@pytest.mark.parametrize("mode", ["eval_mount", "eval_download"])
def test_an_evaluated_table_is_a_folder_of_its_files(bench: Bench, store: Path, mode: str) -> None:
    """Those of the folder by their names there, those from elsewhere in a numbered folder; copies may be changed."""
    job = ran(
        bench, "cd ${{inputs.t}}; grep -r . . | sort > $OLDPWD/outputs/said; echo x >> a.csv || true", mode
    )

    assert job.error is None
    assert said(bench).split() == [
        "./1/far.csv:3",
        "./1/far.csv:n",
        "./a.csv:1",
        "./a.csv:2",
        "./a.csv:n",
    ] or (mode == "eval_mount")
    if mode == "eval_download":
        assert (store / "t" / "a.csv").read_text() == "n\n1\n2\n"


def test_a_folder_without_a_table_is_refused_before_the_command(bench: Bench, store: Path) -> None:
    """With what to do."""
    (store / "t" / "MLTable").unlink()

    job = ran(bench, LOADED)

    assert job.status == st.FAILED
    assert job.error is not None
    assert (
        "input `t` is declared mltable, but its folder holds no file named `MLTable`" in job.error["message"]
    )


def test_a_table_that_names_nothing_cannot_be_evaluated(bench: Bench, store: Path) -> None:
    """The error names the item."""
    (store / "far.csv").unlink()

    job = ran(bench, LOADED, "eval_mount")

    assert job.error is not None
    assert "far.csv" in job.error["message"]


@pytest.mark.parametrize("writes", [True, False])
def test_an_mltable_output_holds_a_table_or_the_job_fails(bench: Bench, writes: bool) -> None:
    """What comes after the step can then load it."""
    command = "touch ${{outputs.o}}/" + ("MLTable" if writes else "other")
    bench.create("j", **step(command, outputs={"o": {"type": "mltable"}}))

    job = bench.settle("j")

    if writes:
        assert job.status == st.COMPLETED
    else:
        assert job.status == st.FAILED
        assert "holds no file named `MLTable`" in job.error["details"][0]  # type: ignore[index]
