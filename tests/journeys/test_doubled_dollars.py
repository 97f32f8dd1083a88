"""`$${{…}}` in files that somebody else wrote: they run, and each place is told once with file, line and field."""

import json

import pytest

from tests.journeys.mistakes import PLAIN, Project

# The plain environment has pip and setuptools from the network.
pytestmark = [pytest.mark.slow]

COMPONENT = f"""\
name: shout
type: command
inputs: {{word: {{type: string}}}}
{PLAIN}
command: echo said $${{{{inputs.word}}}} and not "$$HOME"
"""
PIPELINE = f"""\
type: pipeline
settings: {{default_compute: azureml:cpu}}
inputs:
  word: hello
jobs:
  prep:
    command: >-
      echo "$NAME" $${{{{inputs.word}}}} && echo one > ${{{{outputs.made}}}}/a.txt
    {PLAIN}
    inputs: {{word: "$${{{{parent.inputs.word}}}}"}}
    outputs: {{made: }}
    environment_variables: {{NAME: "variable $${{{{inputs.word}}}}"}}
  first: {{component: ./shout.yml, inputs: {{word: "${{{{parent.inputs.word}}}}"}}}}
  second: {{component: ./shout.yml, inputs: {{word: "${{{{parent.inputs.word}}}}"}}}}
  inner:
    type: pipeline
    inputs: {{folder: "$${{{{parent.jobs.prep.outputs.made}}}}"}}
    component:
      type: pipeline
      inputs: {{folder: {{type: uri_folder}}}}
      jobs:
        read:
          command: cat $${{{{inputs.folder}}}}/a.txt
          {PLAIN}
          inputs: {{folder: "$${{{{parent.inputs.folder}}}}"}}
"""
FILES = {"job.yml": PIPELINE, "shout.yml": COMPONENT}
PLACES = [
    "job.yml:7  jobs.prep.command",
    "job.yml:10  jobs.prep.inputs.word",
    "job.yml:12  jobs.prep.environment_variables.NAME",
    "job.yml:17  jobs.inner.inputs.folder",
    "job.yml:23  jobs.inner.component.jobs.read.command",
    "job.yml:25  jobs.inner.component.jobs.read.inputs.folder",
    "shout.yml:5  jobs.first.component.command",
]


def told(stderr: str) -> list[str]:
    """The places of the warnings, as they are shown."""
    lines = [line for line in stderr.splitlines() if "too many" in line]
    return sorted((line.split(": ", 1)[1].split(": `")[0] for line in lines), key=_in_files)


def _in_files(place: str) -> tuple[str, int]:
    file, _, rest = place.partition(":")
    return file, int(rest.split()[0])


def test_a_pipeline_with_doubled_dollars_runs_and_is_kept_as_meant(project: Project) -> None:
    """Validated, planned, run, shown and compared: the meant form everywhere; a shell's own `$$` reaches the shell."""
    project.write(FILES)
    project.run("compute", "create", "-n", "cpu", "--type", "amlcompute")

    checked = project.run("validate", "-f", "job.yml", "-o", "json")
    planned = project.run("job", "create", "-f", "job.yml", "--dry-run", "-o", "json")
    made = project.run("job", "create", "-f", "job.yml", "-n", "slips", "--stream")
    judged = json.loads(project.run("job", "validate", "-f", "job.yml").stdout)
    shown = project.run("job", "show", "-n", "slips").stdout
    project.write({name: text.replace("$${{", "${{") for name, text in FILES.items()})
    project.run("job", "create", "-f", "job.yml", "-n", "mended", "--stream")

    warned = [each for each in json.loads(checked.stdout)["warnings"] if "too many" in each["message"]]
    assert sorted(f"{each['file']}:{each['line']}  {each['path']}" for each in warned) == sorted(PLACES)
    assert told(planned.stderr) == told(made.stderr) == PLACES
    assert sorted(
        each["location"].rpartition("#line ")[2]
        for each in judged["warnings"]
        if "too many" in each["message"]
    ) == sorted(place.split(":")[1].split()[0] for place in PLACES)
    assert "$${{" not in planned.stdout + shown
    assert "nothing differs" in project.run("job", "show-diff", "slips", "mended").stdout
    project.run("job", "download", "-n", "slips", "--all", "-p", "got")
    logs = "\n".join(path.read_text() for path in (project.folder / "got").rglob("*std_log.txt"))
    assert "variable hello hello\n" in logs
    assert "said hello and not " in logs
    assert "HOME\n" in logs


def test_a_registered_component_is_kept_as_meant(project: Project) -> None:
    """It warns when it is created, and not when it is used; the mended file is the same version."""
    project.write(FILES)

    made = project.run("component", "create", "-f", "shout.yml", "-v", "1")
    project.write({"shout.yml": COMPONENT.replace("$${{", "${{")})
    project.run("component", "create", "-f", "shout.yml", "-v", "1")
    used = "type: pipeline\njobs: {a: {component: 'azureml:shout:1', compute: azureml:cpu, inputs: {word: hi}}}\n"
    project.write({"use.yml": used})
    ran = project.run("job", "create", "-f", "use.yml", "--stream")

    assert told(made.stderr) == ["shout.yml:5  command"]
    shown = project.run("component", "show", "-n", "shout", "-v", "1").stdout
    assert "${{inputs.word}}" in shown
    assert "$${{" not in shown
    assert told(ran.stderr) == []


def test_set_may_hold_a_slip_as_well(project: Project) -> None:
    """The flag is named in place of a line."""
    project.write({"job.yml": f"command: a\n{PLAIN}\ninputs: {{x: set}}\n"})

    made = project.run(
        "job", "create", "-f", "job.yml", "--set", "command=echo was $${{inputs.x}}", "--stream"
    )

    (line,) = [line for line in made.stderr.splitlines() if "too many" in line]
    assert "--set command=" in line
