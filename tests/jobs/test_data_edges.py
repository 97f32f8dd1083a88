"""Data of jobs at the edges of its rules: files and folders, trailing slashes, places of outputs."""

import threading
from pathlib import Path
from typing import Any

import pytest

from penstock.datastores import receiving
from penstock.jobs import statuses as st
from tests.datastores.conftest import Site, site  # noqa: F401 - a fixture
from tests.jobs.conftest import Bench, step

STORE = "azureml://datastores/workspaceblobstore/paths"


@pytest.fixture
def store(bench: Bench) -> Path:
    """The default datastore, with one file in a folder."""
    store = bench.home.datastore("demo", "workspaceblobstore")
    (store / "in").mkdir(parents=True)
    (store / "in" / "a.csv").write_text("a\n1\n")
    return store


def ran(bench: Bench, command: str, **given: Any) -> Any:
    bench.create("j", **step(command, inputs={"x": given}))
    return bench.settle("j")


@pytest.mark.parametrize("mode", ["ro_mount", "download", "direct"])
def test_a_file_arrives_as_a_file(bench: Bench, store: Path, mode: str) -> None:
    """Edge case 4.1: in every mode the text is the path of the file, under its own name, not its folder."""
    command = 'test -f ${{inputs.x}} && test "$(basename ${{inputs.x}})" = a.csv && grep -q 1 ${{inputs.x}}'

    job = ran(bench, command, type="uri_file", path=f"{STORE}/in/a.csv", mode=mode)

    assert (job.status, job.error) == (st.COMPLETED, None)


@pytest.mark.parametrize("path", ["in/", "in"])
def test_a_trailing_slash_means_a_folder(bench: Bench, store: Path, path: str) -> None:
    """Edge case 4.3: with a slash and without one the folder itself is given."""
    job = ran(
        bench,
        "test -d ${{inputs.x}} && test -f ${{inputs.x}}/a.csv",
        type="uri_folder",
        path=f"{STORE}/{path}",
    )

    assert (job.status, job.error) == (st.COMPLETED, None)


def test_the_name_in_an_outputs_path_is_the_steps_own(bench: Bench) -> None:
    """Edge case 4.2: two steps that write to the same text of a path do not meet."""
    outputs = {"o": {"type": "uri_folder", "path": STORE + "/x/${{name}}/"}}
    steps = {key: step(f"echo {key} > ${{{{outputs.o}}}}/said", outputs=outputs) for key in ("one", "two")}
    bench.create("p", type="pipeline", jobs=steps)

    job = bench.settle("p")

    assert job.status == st.COMPLETED
    written = bench.home.datastore("demo", "workspaceblobstore").glob("x/*/said")
    assert sorted(path.read_text() for path in written) == ["one\n", "two\n"]


def test_every_declared_output_exists(bench: Bench) -> None:
    """Edge case 4.8: as an empty folder before the command, and afterwards; a warning names what stayed empty."""
    bench.create("j", **step("test -d ${{outputs.o}}", outputs={"o": {"type": "uri_folder"}}))

    job = bench.settle("j")

    assert (job.status, job.error) == (st.COMPLETED, None)
    assert "output `o`" in str(job.properties)
    assert len(list(bench.home.datastore("demo", "workspaceblobstore").glob("azureml/j/o"))) == 1


def test_a_canceled_job_ends_its_download(
    bench: Bench,
    site: Site,  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its thread is free for others; what has arrived is there for the next job."""
    monkeypatch.setattr(receiving, "_ASK_AGAIN_AFTER", 0.0)
    site.files["/x.csv"], site.etags["/x.csv"] = b"x" * 200_000, '"one"'
    site.hold["/x.csv"] = threading.Event()
    given = {"type": "uri_file", "path": site.url("/x.csv")}
    bench.create("j", **step("wc -c ${{inputs.x}}", inputs={"x": given}))
    bench.until(lambda: site.asked != [])

    bench.cancel("j")

    assert bench.settle("j").status == st.CANCELED
    bench.until(lambda: bench.engine._workers.busy == 0)
    site.hold["/x.csv"].set()
    bench.create("k", **step("test $(wc -c < ${{inputs.x}}) = 200000", inputs={"x": given}))
    assert bench.settle("k").status == st.COMPLETED
    assert site.statuses == [200, 206]
