"""A pipeline of three levels, through the command line: planned, run, followed, shown, downloaded, failed, killed."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.person import Person

pytestmark = pytest.mark.slow

FILES = {
    "pipeline.yml": """
type: pipeline
inputs: {word: hello, loudly: {type: boolean, optional: true}}
outputs: {final: {type: uri_file}}
settings: {default_compute: azureml:local}
jobs:
  write:
    command: echo ${{inputs.word}} > ${{outputs.o}}
    environment: {image: "python:3.11"}
    inputs: {word: "${{parent.inputs.word}}"}
    outputs: {o: {type: uri_file}}
  outer:
    type: pipeline
    component: parts/outer.yml
    inputs: {source: "${{parent.jobs.write.outputs.o}}", loudly: "${{parent.inputs.loudly}}"}
    outputs: {copy: "${{parent.outputs.final}}"}
  read:
    command: cat ${{inputs.i}}
    environment: {image: "python:3.11"}
    inputs: {i: "${{parent.jobs.outer.outputs.copy}}"}
""",
    "parts/outer.yml": """
type: pipeline
inputs: {source: {type: uri_file}, loudly: {type: boolean, optional: true}}
outputs: {copy: {}}
jobs:
  deeper:
    component: deep/inner.yml
    inputs: {source: "${{parent.inputs.source}}", loudly: "${{parent.inputs.loudly}}"}
    outputs: {copy: "${{parent.outputs.copy}}"}
""",
    "parts/deep/inner.yml": """
type: pipeline
inputs: {source: {type: uri_file}, loudly: {type: boolean, optional: true}}
outputs: {copy: {}}
jobs:
  one:
    component: copy.yml
    inputs: {source: "${{parent.inputs.source}}"}
  two:
    component: copy.yml
    inputs: {source: "${{parent.jobs.one.outputs.copy}}", loudly: "${{parent.inputs.loudly}}"}
    outputs: {copy: "${{parent.outputs.copy}}"}
""",
    "parts/deep/copy.yml": """
name: copy
type: command
code: src
command: python copy.py ${{inputs.source}} ${{outputs.copy}} $[[${{inputs.loudly}}]]
environment: {image: "python:3.11"}
inputs: {source: {type: uri_file}, loudly: {type: boolean, optional: true}}
outputs: {copy: {type: uri_file}}
""",
    "parts/deep/src/copy.py": """
import pathlib, sys
text = pathlib.Path(sys.argv[1]).read_text()
pathlib.Path(sys.argv[2]).write_text(text + ("!" if len(sys.argv) > 3 else "."))
print("copied", sys.argv[3:])
""",
}


@pytest.fixture(scope="module")
def project(person: Person) -> Person:
    """The person with the files of the pipeline."""
    for name, text in FILES.items():
        path = person.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip())
    return person


def blobs(person: Person) -> set[str]:
    """The files that the server keeps by their digests."""
    return {path.name for path in (person.home / "artifacts").rglob("*") if path.is_file()}


def test_a_dry_run_plans_all_levels_and_keeps_nothing(project: Person) -> None:
    """The steps in the order in which they run; afterwards there is no job and no upload."""
    record = project.record("job", "create", "-f", "pipeline.yml", "--dry-run")
    table = project.penstock("job", "create", "-f", "pipeline.yml", "--dry-run", "-o", "table")

    steps = [step["step"] for step in record["steps"]]
    assert steps == ["write", "outer/deeper/one", "outer/deeper/two", "read"]
    assert record["outputs"]["final"]["step"] == "outer/deeper/two"
    assert "outer/deeper/one" in table
    assert project.record("job", "list") == []
    assert blobs(project) == set()


def test_three_levels_run_and_are_followed_by_their_paths(project: Person) -> None:
    """One copy of the code is uploaded for the component that is used twice; the stream names steps by their paths."""
    done = project.types("penstock", "job", "create", "-f", "pipeline.yml", "-n", "deep", "--stream")

    assert json.loads(done.stdout)["status"] == "Completed"
    for path in ("step outer: Completed", "step outer/deeper: Completed", "step outer/deeper/two: Completed"):
        assert path in done.stderr
    assert "[outer/deeper/one] copied" in done.stderr
    assert done.stderr.count("uploading") == 1
    assert len(blobs(project)) == 2  # one file of code, and the list of the folder that it is in


def test_each_level_is_shown_listed_and_downloaded(project: Person, elsewhere: Path) -> None:
    """A nested job is a job: by its name, with its own steps and outputs."""
    whole = project.record("job", "show", "-n", "deep")
    inner = project.record("job", "show", "-n", "deep_outer_deeper")
    listed = project.record("job", "list", "-p", "deep_outer_deeper")
    project.penstock("job", "download", "-n", "deep", "--all", "-p", elsewhere)
    streamed = project.penstock("job", "stream", "-n", "deep_outer")

    assert whole["jobs"]["outer"]["jobs"]["deeper"]["jobs"]["two"]["status"] == "Completed"
    assert set(inner["jobs"]) == {"one", "two"}
    assert inner["started_at"] < inner["ended_at"]
    assert [step["name"] for step in listed] == ["deep_outer_deeper_one", "deep_outer_deeper_two"]
    assert (elsewhere / "named-outputs/final/copy").read_text() == "hello\n.."
    assert (elsewhere / "artifacts/steps/outer/deeper/two/user_logs/std_log.txt").read_text() == "copied []\n"
    assert "step deeper/two: Completed" in streamed


def test_another_job_reads_the_output_of_a_nested_step(project: Person) -> None:
    """`azureml://jobs/<pipeline>/outputs/<o>`, of the whole job and of the pipeline inside."""
    for number, (job, output) in enumerate((("deep", "final"), ("deep_outer", "copy"))):
        path = f"azureml://jobs/{job}/outputs/{output}"
        document: dict[str, Any] = {
            "command": "cat ${{inputs.i}}",
            "environment": {"image": "python:3.11"},
            "inputs": {"i": {"type": "uri_file", "path": path}},
        }
        (project.folder / "reader.yml").write_text(json.dumps(document))

        done = project.types("penstock", "job", "create", "-f", "reader.yml", "-n", f"reader{number}", "-s")

        assert "hello\n.." in done.stderr


def test_an_optional_input_reaches_the_innermost_step(project: Person) -> None:
    """Edge case 6.7: through two levels, as Python spells it."""
    words = ("job", "create", "-f", "pipeline.yml", "--set", "inputs.loudly=true", "-n", "loud", "--stream")
    done = project.types("penstock", *words)

    assert "[outer/deeper/two] copied ['True']" in done.stderr


def test_a_mistake_inside_is_told_with_the_line_of_its_own_file(project: Person) -> None:
    """Two levels below the file that was given."""
    inner = project.folder / "parts/deep/inner.yml"
    good = inner.read_text()
    inner.write_text(good.replace("jobs.one.outputs.copy", "jobs.one.outputs.cpoy"))

    refused = project.types("penstock", "job", "create", "-f", "pipeline.yml", "--dry-run", expect=1)
    inner.write_text(good)

    assert "parts/deep/inner.yml:10" in refused.stderr
    assert "did you mean `copy`?" in refused.stderr


def test_a_failure_inside_names_the_step_by_its_path(project: Person) -> None:
    """And the command ends with 1."""
    script = project.folder / "parts/deep/src/copy.py"
    good = script.read_text()
    script.write_text("import sys; sys.exit('no paper')\n")

    failed = project.types("penstock", "job", "create", "-f", "pipeline.yml", "-n", "bad", "-s", expect=1)
    script.write_text(good)

    assert "step `outer/deeper/one` failed" in failed.stderr
    assert "no paper" in failed.stderr
    assert project.penstock("job", "show", "-n", "bad_outer", "--query", "status", "-o", "tsv") == "Failed"


def test_a_killed_server_brings_all_levels_to_their_end(project: Person) -> None:
    """kill -9 while the innermost step runs: the next command finds everything where it was."""
    script = project.folder / "parts/deep/src/copy.py"
    script.write_text("import time; time.sleep(2)\n" + script.read_text())
    project.penstock("job", "create", "-f", "pipeline.yml", "-n", "killed")
    while (
        project.penstock("job", "show", "-n", "killed_outer_deeper", "--query", "status", "-o", "tsv")
        != "Running"
    ):
        pass

    os.kill(project.record("status")["pid"], signal.SIGKILL)
    project.penstock("job", "stream", "-n", "killed")

    for name in ("killed", "killed_outer", "killed_outer_deeper", "killed_read"):
        assert project.record("job", "show", "-n", name)["status"] == "Completed", name
