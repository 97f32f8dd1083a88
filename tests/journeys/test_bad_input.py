"""Files that say what they may not say, through the real command line.

Each mistake is told with file and line, all of a file at once, with a near name or a next step; nothing half-made stays.
"""

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.journeys.mistakes import PLAIN, Project

pytestmark = pytest.mark.xdist_group("bad-input")

STEP = f"{{command: echo, {PLAIN}}}"


def create(project: Project, files: dict[str, str], *more: str) -> str:
    """What `penstock job create -f job.yml` says of these files; it fails and leaves nothing behind."""
    project.write(files)
    return project.refused("job", "create", "-f", "job.yml", *more).said


# Fields -------------------------------------------------------------------------------------------------------------


def test_unknown_fields_are_named_with_the_nearest_one(project: Project) -> None:
    """At the top level, in an input, in limits: all at once, in the order of the file."""
    said = create(project, {"job.yml": f"""\
type: pipeline
experiment_nam: x
inputs:
  rides:
    type: uri_file
    path: job.yml
    moed: download
jobs:
  first:
    command: echo
    {PLAIN}
    limits: {{timeot: 1}}
"""})  # fmt: skip

    assert said.startswith("error: 3 problems in job.yml\n")
    assert "job.yml:2  experiment_nam: `experiment_nam` is not a field of a pipeline job" in said
    assert "job.yml:7  inputs.rides.moed: `moed` is not a field of an input" in said
    assert "job.yml:12  jobs.first.limits.timeot" in said
    for near in ("experiment_name", "mode", "timeout"):
        assert f"hint: did you mean `{near}`?" in said
    assert said.index("job.yml:2 ") < said.index("job.yml:7 ") < said.index("job.yml:12 ")


def test_unknown_fields_of_a_step_and_of_settings_are_warned_of(project: Project) -> None:
    """Azure ML takes them without a word; here each is named, with its line, beside the mistake that stops the file."""
    project.write({"job.yml": f"""\
type: pipeline
settings:
  default_compte: azureml:local
jobs:
  first:
    comand: echo
    command: echo
    {PLAIN}
"""})  # fmt: skip

    done = project.run("job", "validate", "-f", "job.yml")

    assert "`comand` is not a field of a step; it is ignored" in done.stdout
    assert "`default_compte` is not a field of `settings` of a pipeline; it is ignored" in done.stdout


def test_wrong_types_are_named_with_what_is_expected(project: Project) -> None:
    """A number for a mapping, a list for a text, a word for a number, a value that is none of the choices."""
    said = create(project, {"job.yml": f"""\
type: pipeline
settings: 3
tags: {{a: 1}}
jobs:
  first:
    command: [echo]
    {PLAIN}
    limits: {{timeout: soon}}
    inputs: {{n: {{type: uri_fil, path: job.yml}}}}
"""})  # fmt: skip

    assert "job.yml:2  settings: `settings` must be a mapping, got the number 3" in said
    assert "job.yml:3  tags.a: `a` must be text, got the number 1" in said
    assert "job.yml:6  jobs.first.command: `command` must be text, got a list" in said
    assert "job.yml:8  jobs.first.limits.timeout: `timeout` must be a whole number of seconds" in said
    assert "job.yml:9  jobs.first.inputs.n.type: `type` must be one of `uri_file`, `uri_folder`" in said
    assert "hint: did you mean `uri_file`?" in said
    assert said.count("a whole number of seconds") == 1  # what the message says, no second line repeats


# Files and paths ----------------------------------------------------------------------------------------------------


def test_every_missing_file_is_named_at_once_with_a_near_one(project: Project) -> None:
    """Code, conda file, component, data and an included environment; each with its line."""
    said = create(project, {
        "job.yml": """\
type: pipeline
inputs:
  rides: {type: uri_file, path: data/dat.csv}
jobs:
  first:
    command: python a.py
    code: ./srcc
    environment:
      image: python:3.11
      conda_file: conda.yaml
  second:
    component: parts/trian.yml
  third:
    command: echo
    environment: file:env.yml
""",
        "data/data.csv": "1\n", "src/a.py": "", "conda.yml": "dependencies: [python=3.11]", "parts/train.yml": "",
        "environment.yml": "",
    })  # fmt: skip

    assert said.startswith("error: 5 problems in job.yml\n")
    for line, text, near in (
        (3, "data/dat.csv", "data.csv"),
        (7, "./srcc", "src"),
        (10, "conda.yaml", "conda.yml"),
        (12, "parts/trian.yml", "train.yml"),
        (15, "env.yml", "environment.yml"),
    ):
        assert f"job.yml:{line}  " in said
        assert f"`{text}` does not exist: there is no {project.folder}/" in said
        assert f"did you mean `{near}`?" in said


def test_a_path_in_an_included_file_has_that_files_line(project: Project) -> None:
    """A component names code that is not there: its own file and line are shown, and paths start from it."""
    said = create(project, {
        "job.yml": "type: pipeline\njobs:\n  one:\n    component: parts/one.yml\n",
        "parts/one.yml": f"type: command\ncommand: echo\n{PLAIN}\ncode: ./srcc\n", "parts/src/a.py": "",
    })  # fmt: skip

    assert "parts/one.yml:4  jobs.one.component.code: `./srcc` does not exist" in said
    assert f"there is no {project.folder / 'parts' / 'srcc'}" in said
    assert "hint: did you mean `src`?" in said


def test_a_path_that_leaves_the_project_is_refused(project: Project) -> None:
    """Over `..`, wherever it leads."""
    said = create(project, {
        "job.yml": f"command: echo\ncode: ../../..\n{PLAIN}\ninputs:\n  d: {{type: uri_file, path: ../outside.txt}}\n"
    })  # fmt: skip

    assert "job.yml:2  code: `../../..` leaves the project" in said
    assert "job.yml:5  inputs.d.path: `../outside.txt` leaves the project" in said
    assert f"the project is {project.folder}" in said
    assert "PENSTOCK_PROJECT_ROOT" in said


@pytest.mark.parametrize("target", ["/etc", "/etc/passwd", "../.."])
def test_a_link_that_leaves_the_project_is_refused(project: Project, target: str) -> None:
    """A link within the code that leads out is named, with where it leads; nothing of it is uploaded."""
    project.write({"job.yml": f"command: echo\ncode: src\n{PLAIN}\n", "src/a.py": ""})
    (project.folder / "src" / "way out").symlink_to(target)

    said = project.refused("job", "create", "-f", "job.yml").said

    assert "job.yml:2  code: link `" in said
    assert "way out` leaves the project: it leads to /" in said
    assert not list((project.home.path / "artifacts").rglob("*.*"))


def test_a_link_that_leads_nowhere_is_named(project: Project) -> None:
    """And the way to leave it out."""
    project.write({"job.yml": f"command: echo\ncode: src\n{PLAIN}\n", "src/a.py": ""})
    (project.folder / "src" / "gone").symlink_to("nowhere")

    said = project.refused("job", "create", "-f", "job.yml").said

    assert "gone` leads nowhere" in said
    assert ".amlignore" in said


# Bindings -----------------------------------------------------------------------------------------------------------


def test_a_cycle_is_told_as_a_way_round(project: Project) -> None:
    """Every step of it is named, in the order in which one reads from the next."""
    steps = "".join(f"""\
  {step}:
    command: cat ${{{{inputs.i}}}} > ${{{{outputs.o}}}}
    {PLAIN}
    inputs: {{i: "${{{{parent.jobs.{source}.outputs.o}}}}"}}
    outputs: {{o: {{type: uri_file}}}}
""" for step, source in (("a", "c"), ("b", "a"), ("c", "b")))  # fmt: skip

    said = create(project, {"job.yml": f"type: pipeline\njobs:\n{steps}"})

    assert "job.yml:3  jobs.a: step `a` waits for itself: it reads from `c`" in said
    assert "which reads from `b`, which reads from `a`" in said
    assert "hint: remove one of these bindings" in said


def test_bindings_to_nothing_are_told_with_what_there_is(project: Project) -> None:
    """A step, an output, an input of the pipeline, an input of the step's own: all at once."""
    said = create(project, {"job.yml": f"""\
type: pipeline
inputs: {{alpha: 1}}
jobs:
  prep:
    command: echo 1 > ${{{{outputs.clean}}}}
    {PLAIN}
    outputs: {{clean: {{type: uri_file}}}}
  train:
    command: cat ${{{{inputs.i}}}} ${{{{inputs.kk}}}}
    {PLAIN}
    inputs:
      i: ${{{{parent.jobs.perp.outputs.clean}}}}
      k: ${{{{parent.jobs.prep.outputs.claen}}}}
      l: ${{{{parent.inputs.alhpa}}}}
"""})  # fmt: skip

    assert said.startswith("error: 4 problems in job.yml\n")
    for line, what, near in (
        (9, "step `train` has no input `kk`", "k"),
        (12, "the pipeline has no step `perp`", "prep"),
        (13, "step `prep` has no output `claen`", "clean"),
        (14, "the pipeline has no input `alhpa`", "alpha"),
    ):
        told = said[said.index(f"job.yml:{line}  ") :].split("\n  job.yml:")[0]
        assert what in told
        assert f"hint: did you mean `{near}`?" in told


def test_the_ports_of_a_component_are_kept_to(project: Project) -> None:
    """A required input that is not given, in the pipeline's line; an optional one that stands bare, in the component's."""
    said = create(project, {
        "job.yml": "type: pipeline\njobs:\n  one:\n    component: parts/one.yml\n",
        "parts/one.yml": f"""\
type: command
inputs:
  must: {{type: integer}}
  may: {{type: string, optional: true}}
command: echo ${{{{inputs.must}}}} ${{{{inputs.may}}}}
{PLAIN}
""",
    })  # fmt: skip

    assert "job.yml:3  jobs.one.inputs.must: required input `must` of step `one` is not provided" in said
    assert "parts/one.yml:5  jobs.one.component.command: `${{inputs.may}}` stands bare" in said
    assert "hint: enclose the argument: `$[[--may ${{inputs.may}}]]`" in said


# YAML ---------------------------------------------------------------------------------------------------------------

LETTERS = "abcdefgh"
BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{letter}: &{letter} [{','.join([f'*{before}'] * 10)}]\n" for before, letter in pairwise(LETTERS)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"type: pipeline\njobs:\n  a: {STEP}\n  b: {STEP}\n  a: {STEP}\n",
         ("job.yml cannot be read as YAML", "job.yml:5  key `a` is given twice, first in line 3")),
        (BOMB + "command: echo\n", ("job.yml:1  aliases multiply",)),
        ("command: echo\nenvironment:\n\timage: x\n", ("job.yml:3  ", "hint: indent with blanks: YAML allows no tabs")),
        ("- a\n- b\n", ("job.yml holds a list, not a mapping", "hint: it must hold the fields of a job")),
        ("hello", ("job.yml holds one text, not a mapping", "hint: it must hold the fields of a job")),
        ("", ("job.yml is empty", "hint: it must hold the fields of a job")),
        ("# only a remark\n", ("job.yml is empty",)),
        ("command: !!python/object/apply:os.system ['x']\n", ("job.yml:1  the tag `!!python/object/apply:os.system`",)),
        ("command: 'echo\n", ("cannot be read as YAML", "unexpected end of stream")),
        ("image: x\nname: e\n", ("job.yml is an environment, not a job", "penstock environment create -f job.yml")),
        ("dependencies: [python=3.11]\n", ("job.yml is a conda file, not a job", "`conda_file:`")),
    ],
    ids=["a-key-twice", "a-bomb", "a-tab", "a-list", "a-text", "empty", "a-remark", "a-tag", "an-open-quote",
         "an-environment", "a-conda-file"],
)  # fmt: skip
def test_a_file_that_cannot_be_read(project: Project, text: str, words: tuple[str, ...]) -> None:
    """The place in the file, in words, and what to write instead."""
    said = create(project, {"job.yml": text})

    for each in words:
        assert each in said


def test_a_conda_file_is_no_environment(project: Project) -> None:
    """In a job and at `environment create`; the way to give it is said."""
    files = {
        "job.yml": "command: echo\nenvironment: conda.yml\n",
        "conda.yml": "dependencies: [python=3.11]\n",
    }

    said = create(project, files)
    also = project.refused("environment", "create", "-f", "conda.yml", "--name", "e").said

    assert "job.yml:2  environment: `conda.yml` is a conda file, not an environment" in said
    assert "conda.yml is a conda file, not an environment" in also
    for each in (said, also):
        assert "hint: give it as `conda_file:` of an environment that also has an `image:`" in each


def test_bytes_that_are_no_text_are_told_so(project: Project) -> None:
    """A spreadsheet, an archive, a file in UTF-16."""
    project.write({})
    (project.folder / "job.yml").write_bytes("command: echo\n".encode("utf-16"))

    said = project.refused("job", "create", "-f", "job.yml").said

    assert "job.yml:1  the file is not UTF-8 text" in said


# Kinds that are not there yet ---------------------------------------------------------------------------------------


def test_jobs_and_steps_of_other_types_are_recognised(project: Project) -> None:
    """`sweep`, `parallel`, `spark` are named as not supported yet; a mistyped type is told with the near one."""
    steps = "".join(f"  {kind}: {{type: {kind}}}\n" for kind in ("sweep", "parallel", "spark"))

    alone = create(project, {"job.yml": "type: sweep\ntrial: {command: echo}\nsearch_space: {}\n"})
    inside = create(project, {"job.yml": f"type: pipeline\njobs:\n{steps}"})
    mistyped = create(project, {"job.yml": f"type: pipelin\njobs: {{a: {STEP}}}\n"})

    assert "job.yml:1  type: a job of type `sweep` is not supported yet" in alone
    for line, kind in enumerate(("sweep", "parallel", "spark"), start=3):
        assert f"job.yml:{line}  jobs.{kind}.type: a step of type `{kind}` is not supported yet" in inside
    assert "did you mean `pipeline`?" in mistyped


# Environments -------------------------------------------------------------------------------------------------------


def with_conda(text: str) -> dict[str, str]:
    """A job in an environment with this conda file."""
    return {
        "job.yml": "command: python -V\nenvironment:\n  image: ubuntu\n  conda_file: envs/conda.yml\n",
        "envs/conda.yml": text,
    }


def test_conda_packages_without_a_name_on_pypi_are_errors_with_their_line(project: Project) -> None:
    """In the conda file, not in the job's; before anything runs; the same for `environment create`."""
    files = with_conda(
        "dependencies:\n  - python=3.11\n  - some-odd-thing-of-conda\n  - scikit-lern=1.0\n  - pip: [six]\n"
    )
    files["env.yml"] = "name: odd\nimage: ubuntu\nconda_file: envs/conda.yml\n"

    said = create(project, files)
    registered = project.refused("environment", "create", "-f", "env.yml").said

    for each in (said, registered):
        assert "envs/conda.yml:3  " in each
        assert "`some-odd-thing-of-conda`" in each
        assert "envs/conda.yml:4  " in each
        assert "hint: did you mean `scikit-learn`?" in each


def test_a_python_that_the_machine_lacks_is_told_with_those_it_has(project: Project) -> None:
    """And with the way to allow the nearest."""
    said = create(project, with_conda("dependencies:\n  - python=3.5\n"))

    assert "envs/conda.yml:2  environment.conda_file.dependencies[0]: Python 3.5 is not on" in said
    assert f"{sys.version_info.major}.{sys.version_info.minor}." in said
    assert "PENSTOCK_PYTHON=nearest" in said


def test_an_environment_that_is_not_registered_is_told_with_its_line(project: Project) -> None:
    """And data: by version, by label, with the command that creates them."""
    said = create(project, {"job.yml": """\
command: cat ${{inputs.d}} ${{inputs.e}}
environment: azureml:train-env@latest
inputs:
  d: {type: uri_file, path: azureml:rides:7}
  e: {type: uri_file, path: azureml:rides@latest}
"""})  # fmt: skip

    assert "job.yml:2  environment: environment `train-env` was not found in workspace `default`" in said
    assert "job.yml:4  inputs.d.path: data `rides:7` was not found" in said
    assert "job.yml:5  inputs.e.path: data `rides` was not found" in said
    assert "hint: create it with `penstock environment create -f <file>`" in said
    assert "hint: create it with `penstock data create -f <file>`" in said


# Names and versions -------------------------------------------------------------------------------------------------


def test_a_version_never_changes_its_content(project: Project) -> None:
    """The same again is fine; other content is refused, for environments and data, and changes nothing."""
    project.write({"env.yml": "name: fixed\nversion: 1\nimage: python:3.11\n", "rides.csv": "a\n"})
    data = (
        "data",
        "create",
        "--name",
        "rides",
        "--version",
        "1",
        "--type",
        "uri_file",
        "--path",
        "rides.csv",
    )
    for _ in range(2):
        project.run("environment", "create", "-f", "env.yml")
        project.run(*data)
    (project.folder / "rides.csv").write_text("b\n")

    environment = project.refused("environment", "create", "-f", "env.yml", "--set", "image=python:3.12").said
    other = project.refused(*data, leaves=True).said  # the bytes are there, the version is as it was

    assert "error: environment `fixed:1` exists in workspace `default` with other content" in environment
    assert "error: data `rides:1` exists in workspace `default` with other content" in other
    for each in (environment, other):
        assert "hint: a version never changes: leave the version out to get the next one" in each
    shown = project.run(
        "environment", "show", "-n", "fixed", "-v", "1", "--query", "image", "-o", "tsv"
    ).stdout
    assert shown == "python:3.11\n"
    assert project.run("data", "list", "-n", "rides", "--query", "length(@)", "-o", "tsv").stdout == "1\n"


def test_a_path_that_does_not_fit_its_type_is_refused(project: Project) -> None:
    """A folder is no uri_file, a file no uri_folder."""
    project.write({"rides/a.csv": "a\n"})

    folder = project.refused("data", "create", "--name", "x", "--type", "uri_file", "--path", "rides").said
    file = project.refused(
        "data", "create", "--name", "x", "--type", "uri_folder", "--path", "rides/a.csv"
    ).said

    assert folder.startswith("error: 1 problem in the command line\n")
    assert "--path  a `uri_file` needs a file, and the path is a folder" in folder
    assert "--path  a `uri_folder` needs a folder, and the path is a file" in file


@pytest.mark.parametrize("name", ["a b", "../x", "-x", "", "x" * 256, "naïve"])
def test_a_name_that_cannot_be_one_is_refused(project: Project, name: str) -> None:
    """From the file; with what a name may be made of."""
    said = create(project, {"job.yml": f"name: '{name}'\ncommand: echo\n{PLAIN}\n"})

    assert "job.yml:1  name: " in said


# --set --------------------------------------------------------------------------------------------------------------

PIPELINE = f"""\
type: pipeline
inputs:
  rate: 1
settings:
  default_compute: azureml:local
jobs:
  train:
    command: echo ${{{{inputs.rate}}}}
    environment: azureml:fixed@latest
    inputs:
      rate: ${{{{parent.inputs.rate}}}}
  other: {STEP}
"""


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("jobs.train.environment.image=x",
         ("cannot set `jobs.train.environment.image`: `jobs.train.environment` is the reference `azureml:fixed@latest`",
          "hint: replace it as a whole with --set jobs.train.environment=")),
        ("inputs.rate.max=1", ("`inputs.rate` is `1`, which has no fields",)),
        ("expermient_name=1", ("`expermient_name` is not a field of a pipeline job", "did you mean `experiment_name`?")),
        ("jobs.trian.inputs.rate=2",
         ("it adds `trian` to `jobs`; did you mean `train`?", "a step needs `command` or `component`")),
        ("settings.default_compute=azureml:cpu-clutser", ("cpu-clutser", "penstock compute create -n cpu-clutser")),
        ("jobs.train.environment=azureml:fixd@latest", ("environment `fixd` was not found", "it has `fixed`")),
    ],
)  # fmt: skip
def test_what_cannot_be_set_is_told_as_it_was_typed(
    project: Project, override: str, words: tuple[str, ...]
) -> None:
    """The flag stands where a line of a file would."""
    project.write({"env.yml": "name: fixed\nversion: 1\nimage: python:3.11\n"})
    project.run("environment", "create", "-f", "env.yml")

    said = create(project, {"job.yml": PIPELINE}, "--set", override)

    assert f"--set {override}" in said
    for each in words:
        assert each in said


@pytest.mark.parametrize(
    ("override", "why"), [("inputs.rate", "it has no `=`"), ("", ""), ("a..b=1", "cannot understand")]
)
def test_a_set_that_is_no_assignment_is_a_usage_error(project: Project, override: str, why: str) -> None:
    """Exit code 2, with the form that it should have."""
    project.write({"job.yml": PIPELINE})

    refusal = project.refused("job", "create", "-f", "job.yml", "--set", override, code=2)

    assert why in refusal.said
    assert "hint: --set takes path=value" in refusal.said


# A language of the machine that is not the file's --------------------------------------------------------------------


def test_messages_survive_a_terminal_that_knows_only_ascii(project: Project) -> None:
    """LANG=C: letters beyond ASCII in paths and texts are written in a way that the terminal can show."""
    project.write({"jöb.yml": "größe: 1\ncommand: echo\n" + PLAIN})
    plain = {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

    said = project.refused("job", "create", "-f", "jöb.yml", more=plain).said

    assert "is not a field of a command job" in said
    assert ":1  " in said


def test_nothing_of_all_this_is_left(project: Project) -> None:
    """No job was made, and no folder of one."""
    things = project.things()

    assert things["jobs"] == []
    assert not [folder for folder in things["folders"] if Path(folder).match("workspaces/default/jobs/*")]


def test_two_jobs_of_one_name_at_the_same_time(project: Project) -> None:
    """Two processes: one gets the name, the other is told that it is taken, and there is one job."""
    project.write({"job.yml": f"command: echo\n{PLAIN}\n"})
    command = [
        str(project.person.bin / "penstock"),
        "job",
        "create",
        "-f",
        "job.yml",
        "-n",
        "twin",
        "-o",
        "none",
    ]
    environ = {**os.environ, "PENSTOCK_HOME": str(project.home.path)}

    both = [
        subprocess.Popen(command, cwd=project.folder, env=environ, stdout=-1, stderr=-1, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=60)[1] for process in both]

    assert sorted(process.returncode for process in both) == [0, 1]
    (refused,) = [text for process, text in zip(both, said, strict=True) if process.returncode]
    assert "error: job `twin` exists in workspace `default`" in refused
    assert "hint: leave the name out to get a new one, or choose another" in refused
    assert [name for name, _ in project.things()["jobs"]] == ["twin"]
    again = project.refused("job", "create", "-f", "job.yml", "-n", "twin", leaves=True).said
    assert "job `twin` exists" in again
    project.run("job", "cancel", "-n", "twin")
