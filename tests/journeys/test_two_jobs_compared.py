"""Two runs of one pipeline: a person changes a script and a parameter, and asks afterwards what it was."""

import json

import pytest

from tests.journeys.mistakes import PLAIN, Project

# The plain environment has pip and setuptools from the network.
pytestmark = [pytest.mark.slow]

PIPELINE = f"""\
type: pipeline
inputs: {{rate: 0.1}}
jobs:
  prep:
    command: python prep.py ${{{{inputs.rate}}}} ${{{{outputs.done}}}}
    code: src
    {PLAIN}
    inputs: {{rate: "${{{{parent.inputs.rate}}}}"}}
    outputs: {{done: {{type: uri_folder}}}}
  train:
    command: ls ${{{{inputs.data}}}}
    {PLAIN}
    inputs: {{data: "${{{{parent.jobs.prep.outputs.done}}}}"}}
"""


def test_a_person_sees_what_changed_between_two_runs(project: Project) -> None:
    """The script's lines and the input of the step that has them; the step that only reads its output is the same."""
    project.write({"job.yml": PIPELINE, "src/prep.py": "size = 1\n"})
    project.run("job", "create", "-f", "job.yml", "-n", "before", "--stream")
    project.write({"job.yml": PIPELINE, "src/prep.py": "size = 2\n"})
    project.run("job", "create", "-f", "job.yml", "-n", "after", "--set", "inputs.rate=0.2", "--stream")

    text = project.run("job", "show-diff", "before", "after").stdout
    record = json.loads(project.run("job", "show-diff", "before", "after", "-o", "json").stdout)

    assert "rate: 0.1 → 0.2" in text
    assert "-size = 1\n    +size = 2\n" in text
    assert list(record["steps"]) == ["prep"]
    assert not record["equal"]


def test_a_job_does_not_differ_from_itself(project: Project) -> None:
    """The packages of its environment are known, and the same."""
    project.write({"job.yml": PIPELINE, "src/prep.py": "size = 1\n"})
    project.run("job", "create", "-f", "job.yml", "-n", "alone", "--stream")

    assert "nothing differs" in project.run("job", "show-diff", "alone", "alone").stdout
    shown = json.loads(project.run("job", "show", "-n", "alone_prep").stdout)
    assert shown["properties"]["penstock.environment"]


def test_a_job_that_is_not_there_is_named(project: Project) -> None:
    """Exit code 3, as `job show` has it."""
    said = project.refused("job", "show-diff", "nobody", "noone", code=3).said

    assert "`nobody` was not found" in said
