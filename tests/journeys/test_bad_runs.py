"""Jobs that start and go wrong: what the command says, what the log keeps, and what does not run because of it."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.journeys.mistakes import PLAIN, Project

# The plain environment has pip and setuptools from the network.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("bad-runs")]

LIMIT = {"PENSTOCK_LOG_LIMIT_MB": "1"}


@pytest.fixture(scope="module", autouse=True)
def short_logs(project: Project) -> None:
    """The server of this module keeps a MiB of a log."""
    project.run("server", "stop")
    project.person.environment |= LIMIT


def pipeline(command: str) -> str:
    """A step `bad` that promises a file and a folder, and a step `after` that reads the file."""
    return f"""\
type: pipeline
jobs:
  bad:
    command: {json.dumps(command + " # ${{outputs.file}} ${{outputs.folder}}")}
    code: src
    {PLAIN}
    outputs: {{file: {{type: uri_file}}, folder: {{type: uri_folder}}}}
  after:
    command: cat ${{{{inputs.file}}}}
    {PLAIN}
    inputs: {{file: "${{{{parent.jobs.bad.outputs.file}}}}"}}
"""


def failed(project: Project, command: str, name: str, **files: str) -> str:
    """What `job create --stream` ends with on stderr when the step `bad` fails."""
    project.write({"job.yml": pipeline(command), "src/a.py": "", **files})

    said = project.refused("job", "create", "-f", "job.yml", "-n", name, "--stream", leaves=True).said

    words = ("job", "list", "--parent-job-name", name, "--query", "[].[step, status]", "-o", "tsv")
    assert project.run(*words).stdout == "bad\tFailed\nafter\tCanceled\n"
    record = json.loads(project.run("job", "show", "-n", name).stdout)
    assert record["status"] == "Failed"
    assert record["jobs"]["bad"]["error"]["message"] in said
    again = project.refused_stream(name)
    assert again.splitlines()[0] in said
    return said[said.index("\nerror: ") + 1 :]


def test_a_script_that_fails_shows_the_end_of_its_log(project: Project) -> None:
    """The exit code, the last lines, and where all of it is; the step that reads from it does not run."""
    said = failed(project, "echo to work; echo it broke >&2; exit 3", "exit3")

    assert said.startswith("error: job `exit3` failed: step `bad` failed: its command exited with code 3\n")
    assert "  to work\n  it broke\n" in said
    assert "hint: see the whole log with `penstock job stream -n exit3_bad`" in said
    assert "it broke" in project.run("job", "stream", "-n", "exit3_bad", expect=1).stdout


def test_a_script_that_says_nothing(project: Project) -> None:
    """`exit 1` without a word."""
    said = failed(project, "exit 1", "exit1")

    assert said.splitlines()[0].endswith("its command exited with code 1")


def test_a_module_that_is_missing_is_told_with_the_package(project: Project) -> None:
    """The commonest failure of a script."""
    said = failed(project, "python -c 'import sklearn'", "nomodule")

    assert "No module named 'sklearn'" in said
    assert "hint: add `scikit-learn` to the environment's conda file" in said


@pytest.mark.parametrize(
    ("number", "words"), [("KILL", "killed by signal 9 (SIGKILL)"), ("TERM", "ended by signal 15")]
)
def test_a_script_that_is_killed(project: Project, number: str, words: str) -> None:
    """The signal is named, once; that memory may be the cause, too."""
    said = failed(project, f"kill -{number} $$", f"kill-{number}").splitlines()[0]

    assert words in said
    assert len(re.findall(r"signal \d+", said)) == 1
    assert ("memory" in said) is (number == "KILL")


def test_a_file_that_was_promised_and_not_written(project: Project) -> None:
    """Exit code 0 is no success then; the path is shown."""
    said = failed(project, "true", "nofile")

    assert "step `bad` ended with exit code 0, but did not write what it promised" in said
    assert "output `file` is a uri_file, and no file was written to /" in said
    assert "hint: write to the path that ${{outputs.<name>}} gives" in said


def test_an_empty_folder_is_a_warning(project: Project) -> None:
    """A folder may be empty: the job completes, and it is said."""
    project.write({"job.yml": f"""\
command: "true # ${{{{outputs.folder}}}}"
outputs: {{folder: {{type: uri_folder}}}}
{PLAIN}
"""})  # fmt: skip

    done = project.run("job", "create", "-f", "job.yml", "--stream", "--query", "status", "-o", "tsv")

    assert done.stdout == "Completed\n"
    assert "wrote nothing to its output `folder`" in done.stderr


def test_a_flood_of_log_is_cut_in_its_middle(project: Project) -> None:
    """24 MB are written, a MiB is kept: its first and last lines, and how much is missing. The job completes."""
    write = "import sys; [sys.stdout.write(f'line {n} ' + 'x' * 100 + chr(10)) for n in range(200_000)]"
    project.write({"job.yml": f'command: python -c "{write}"\n{PLAIN}\n'})

    done = project.run("job", "create", "-f", "job.yml", "-n", "flood", "--stream", "-o", "none")
    project.run("job", "download", "-n", "flood", "--all", "--download-path", "out")

    assert "the log was cut: " in done.stderr
    (log,) = (project.folder / "out").rglob("std_log.txt")
    text = log.read_text()
    assert log.stat().st_size < 1.2 * 1024 * 1024
    assert text.startswith("line 0 ")
    assert text.splitlines()[-1].startswith("line 199999 ")
    assert "left out" in text


def test_pins_that_contradict_each_other_are_shown_with_their_lines(project: Project) -> None:
    """In words, and with file and line of each pin; nothing is installed, and the step that reads from it never runs."""
    project.write({
        "job.yml": """\
type: pipeline
jobs:
  one:
    command: echo
    environment: {image: ubuntu, conda_file: envs/conda.yml}
""",
        "envs/conda.yml": "dependencies:\n  - python=3.11\n  - pip:\n    - requests==2.25.0\n    - urllib3==2.2.0\n",
    })  # fmt: skip
    built = set(project.home.path.glob("environments/built/*"))

    said = project.refused("job", "create", "-f", "job.yml", "-n", "torn", "--stream", leaves=True).said

    assert (
        "step `one` failed: environment `one (inline)` cannot be built: its requirements cannot all be met"
        in said
    )
    assert "requests==2.25.0 depends on urllib3>=1.21.1,<1.27" in said
    assert (
        "envs/conda.yml:4  jobs.one.environment.conda_file.dependencies[1].pip[0]: `requests==2.25.0`" in said
    )
    assert "cannot be had together" in said
    assert "PENSTOCK_RELAX=1" in said
    assert set(project.home.path.glob("environments/built/*")) == built
    # Who follows it later has no files at hand: the fields are named.
    later = project.run("job", "stream", "-n", "torn", expect=1).stderr
    assert "  jobs.one.environment.conda_file.dependencies[1].pip[0]: `requests==2.25.0`" in later


def test_a_package_that_does_not_exist_is_named(project: Project) -> None:
    """With its line."""
    package = "no-such-package-anywhere-penstock"
    project.write({
        "job.yml": "command: echo\nenvironment: {image: ubuntu, conda_file: conda.yml}\n",
        "conda.yml": f"dependencies:\n  - python=3.11\n  - pip: [{package}==1]\n",
    })  # fmt: skip

    said = project.refused("job", "create", "-f", "job.yml", "--stream", leaves=True).said

    assert (
        f"conda.yml:3  environment.conda_file.dependencies[1].pip[0]: `{package}==1` cannot be installed"
        in said
    )
    assert f"no index has a package called `{package}`" in said


def running(project: Project, name: str) -> None:
    """A job that sleeps, once its command runs."""
    project.write({"job.yml": f"command: sleep 300\n{PLAIN}\n"})
    project.run("job", "create", "-f", "job.yml", "-n", name, "-o", "none")
    wait_for(project, name, "Running")


def wait_for(project: Project, name: str, status: str) -> None:
    """Poll, as CI does."""
    deadline = time.monotonic() + 120
    while (
        now := project.run("job", "show", "-n", name, "--query", "status", "-o", "tsv").stdout.strip()
    ) != status:
        assert time.monotonic() < deadline, f"{name} is {now}, not {status}"
        assert now not in ("Completed", "Failed", "Canceled"), f"{name} is {now}, not {status}"


def test_a_job_that_runs_has_nothing_to_download(project: Project) -> None:
    """It is said what to wait for; nothing is written."""
    running(project, "sleeper")

    said = project.refused("job", "download", "-n", "sleeper", "--download-path", "out").said

    assert "error: job `sleeper` is Running: its files can be downloaded when it has ended" in said
    assert "hint: wait for it: penstock job stream -n sleeper" in said
    assert not (project.folder / "out").exists()
    project.run("job", "cancel", "-n", "sleeper")
    wait_for(project, "sleeper", "Canceled")


def test_ctrl_c_leaves_the_job_running(project: Project) -> None:
    """And says so, with the commands to follow and to stop it; exit code 1."""
    project.write({"job.yml": f"command: echo awake; sleep 300\n{PLAIN}\n"})
    program = [
        str(project.person.bin / "penstock"),
        "job",
        "create",
        "-f",
        "job.yml",
        "-n",
        "left",
        "--stream",
    ]
    environ = {**os.environ, "PENSTOCK_HOME": str(project.home.path)}
    following = subprocess.Popen(
        program, cwd=project.folder, env=environ, stdout=-1, stderr=-1, text=True, start_new_session=True
    )
    try:
        assert following.stderr is not None
        for line in following.stderr:
            if "awake" in line:
                break
        # The whole group, as a terminal does it.
        os.killpg(following.pid, signal.SIGINT)
        out, said = following.communicate(timeout=60)
    finally:
        following.kill()

    assert following.returncode == 1
    assert out == ""
    assert "stopped following: job `left` goes on" in said
    assert "penstock job stream -n left" in said
    assert "penstock job cancel -n left" in said
    assert "Traceback" not in said
    wait_for(project, "left", "Running")
    project.run("job", "cancel", "-n", "left")
    wait_for(project, "left", "Canceled")


def test_a_step_is_not_canceled_alone(project: Project) -> None:
    """The command for the whole is given."""
    step = f"{{command: sleep 300, {PLAIN}}}"
    project.write({"job.yml": f"type: pipeline\njobs:\n  one: {step}\n"})
    project.run("job", "create", "-f", "job.yml", "-n", "whole", "-o", "none")

    said = project.refused("job", "cancel", "-n", "whole_one", leaves=True).said

    assert "`whole_one` is a step of job `whole` and is not canceled on its own" in said
    assert "`penstock job cancel -n whole`" in said
    project.run("job", "cancel", "-n", "whole")
    wait_for(project, "whole", "Canceled")


def test_a_models_version_never_changes_its_content(project: Project) -> None:
    """The same again is fine; other content is refused and registers nothing. A folder without MLmodel is no mlflow_model."""
    project.write({"model/m.pkl": "one"})
    words = (
        "model",
        "create",
        "--name",
        "fixed",
        "--version",
        "1",
        "--type",
        "custom_model",
        "--path",
        "model",
    )
    for _ in range(2):
        assert project.run(*words, "--query", "version", "-o", "tsv").stdout == "1\n"
    (project.folder / "model" / "m.pkl").write_text("two")

    said = project.refused(*words, leaves=True).said
    flavour = project.refused(
        "model", "create", "--name", "x", "--type", "mlflow_model", "--path", "model", leaves=True
    )

    assert "error: model `fixed:1` exists with other content" in said
    assert "hint: leave the version out to get the next one" in said
    assert "--path  a model of type mlflow_model is a folder with an `MLmodel` file" in flavour.said
    assert (
        project.run("model", "list", "--query", "[].[name,latest_version]", "-o", "tsv").stdout
        == "fixed\t1\n"
    )
    assert (
        "model `fixed:9` was not found"
        in project.refused("model", "show", "-n", "fixed", "-v", "9", code=3).said
    )


# Records, as scripts read them ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "output", "text"),
    [
        ("name", "tsv", "done\n"),
        ("name", "json", '"done"\n'),
        ("status", "tsv", "Completed\n"),
        ("error", "tsv", ""),
        ("{Name:name, Status:status}", "table", "Name    Status\n------  ---------\ndone    Completed\n"),
        ("{Name:name, Status:status}", "tsv", "done\tCompleted\n"),
        ("{Name:name, Status:status}", "yaml", "Name: done\nStatus: Completed\n"),
        ("{Name:name, Status:status}", "none", ""),
        ("outputs.keys(@)", "json", '[\n  "folder"\n]\n'),
        ("type", "jsonc", '"command"\n'),
        ("type", "yamlc", "command\n...\n"),
    ],
)  # fmt: skip
def test_a_job_in_every_format(project: Project, query: str, output: str, text: str) -> None:
    """What scripts take out of a real record."""
    done(project)

    assert project.run("job", "show", "-n", "done", "--query", query, "-o", output).stdout == text


def test_what_ci_asks_of_lists_and_records(project: Project) -> None:
    """The queries that public repositories contain, against real records."""
    done(project)

    def ask(*words: str) -> str:
        return project.run(*words).stdout

    assert ask("job", "show", "-n", "done", "--query", "services.Studio.endpoint", "-o", "tsv").startswith(
        "http://127.0.0.1:"
    )
    assert ask("job", "list", "--query", "[?name=='done'][name]", "-o", "tsv") == "done\n"
    assert ask("job", "list", "--query", "[?contains(display_name,'on')].name | [0]", "-o", "tsv") == "done\n"
    assert "done\n" in ask("job", "list", "--query", "[].name", "-o", "tsv")
    assert ask("compute", "list", "--query", "[*].[name]", "-o", "tsv") == "local\n"
    assert (
        ask("compute", "show", "-n", "local", "--query", "provisioning_state", "-o", "tsv") == "Succeeded\n"
    )
    assert ask("compute", "list", "--query", "[?name=='nothing'][name]", "-o", "tsv") == ""
    assert ask("workspace", "show", "--query", "location", "-o", "tsv") == "local\n"
    assert ask("workspace", "show", "--query", "resource_group", "-o", "tsv") == "local\n"
    assert ask("workspace", "show", "--query", "mlflow_tracking_uri", "-o", "tsv").startswith(
        "http://127.0.0.1:"
    )
    assert "done" in ask("job", "list", "-o", "table")


def done(project: Project) -> None:
    """The job `done`, completed."""
    if any(name == "done" for name, _ in project.things()["jobs"]):
        return
    project.write({"job.yml": f"""\
command: echo 1 > ${{{{outputs.folder}}}}/x
outputs: {{folder: {{type: uri_folder}}}}
{PLAIN}
"""})  # fmt: skip
    project.run("job", "create", "-f", "job.yml", "-n", "done", "--stream", "-o", "none")


def test_the_working_folders_are_not_in_the_project(project: Project) -> None:
    """Whatever failed, the project holds the files that were written by hand."""
    project.write({"job.yml": f"command: touch here; exit 1\ncode: .\n{PLAIN}\n"})

    project.refused("job", "create", "-f", "job.yml", "--stream", leaves=True)

    assert [path.name for path in project.folder.iterdir()] == ["job.yml"]
    assert not list(Path("/tmp").glob("penstock-*.unfinished"))
