"""Steps that run in an image, through the real server, with a real engine where there is one."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from penstock.compute.engine import Engine
from penstock.jobs.statuses import TERMINAL
from penstock.jobs.step_runner import StepRunner
from tests.server.conftest import Api
from tests.server.container_engine import IMAGE, engine

__all__ = ["engine"]

pytestmark = pytest.mark.slow

# Not a Python package: a venv cannot be had of it.
DOCKERFILE = f"FROM {IMAGE}\nENV MADE=by-the-image\nRUN touch /of-the-image\n"


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "docker"
    folder.mkdir()
    (folder / "Dockerfile").write_text(DOCKERFILE)
    return folder


@pytest.fixture(autouse=True)
def no_tracking(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow is not what is tested here, and takes seconds to start."""
    original = StepRunner._tracking
    monkeypatch.setattr(StepRunner, "_tracking", lambda *about, wanted: original(*about, wanted=False))


def until(api: Api, name: str, *statuses: str, within: float = 120) -> Any:
    """The job as soon as it has one of the statuses; one that has ended otherwise is not waited for."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        job = api.get(f"workspaces/default/jobs/{name}")
        if job["status"] in statuses:
            return job
        if job["status"] in TERMINAL:
            break
        time.sleep(0.1)
    raise AssertionError(f"{job['status']}, not {statuses}: {job.get('error')}")


def log_of(api: Api, name: str) -> str:
    """What the step printed."""
    files = list((api.platform.home.path / "workspaces/default").rglob("std_log.txt"))
    (file,) = [each for each in files if name in str(each)]
    return file.read_text()


def until_it_says(api: Api, name: str, text: str, within: float = 60) -> None:
    """As soon as the step has printed it."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if any(text in file.read_text() for file in api.platform.home.path.rglob(f"*{name}*/**/std_log.txt")):
            return
        time.sleep(0.05)
    raise AssertionError(f"it never said {text!r}")


def containers(engine: Engine, api: Api) -> set[str]:
    """Those of this home's steps, running or not: other homes of the machine have theirs."""

    def said(*words: str) -> str:
        return subprocess.run([engine.program, *words], capture_output=True, text=True, check=False).stdout

    listed = said("ps", "-a", "--filter", "label=penstock=step", "--format", "{{.Names}}").split()
    return {name for name in listed if str(api.platform.home.path) in said("inspect", name)}


def in_the_image(api: Api, context: Path, command: str, **more: Any) -> Any:
    """A job whose environment is the build context."""
    build = {"path": api.upload(context)}
    return api.create("jobs", type="command", command=command, environment={"build": build}, **more)


def test_a_step_runs_in_the_image_of_its_build_context(
    engine: Engine, api: Api, context: Path, tmp_path: Path
) -> None:
    """With its code, input, output and variables at the paths that the command was told, and nothing left afterwards."""
    code, data = tmp_path / "code", tmp_path / "data.txt"
    code.mkdir()
    (code / "main.sh").write_text(
        'cat "$1" > "$2/copy.txt"; echo "$MADE $SECRET"; ls /of-the-image; touch here\n'
    )
    data.write_text("forty-two\n")
    job = in_the_image(
        api,
        context,
        "bash main.sh ${{inputs.data}} ${{outputs.out}}",
        code=api.upload(code),
        inputs={"data": {"type": "uri_file", "path": api.upload(data)}},
        outputs={"out": {"type": "uri_folder"}},
        environment_variables={"SECRET": "hunter2\nwith a second line"},
        resources={"shm_size": "64m", "docker_args": "--hostname inside"},
    )

    until(api, job["name"], "Completed")

    assert log_of(api, job["name"]) == "by-the-image hunter2\nwith a second line\n/of-the-image\n"
    (copy,) = (api.platform.home.path / "workspaces/default").rglob("copy.txt")
    assert copy.read_text() == "forty-two\n"
    assert copy.stat().st_uid == os.geteuid()
    assert not containers(engine, api)


def test_an_input_cannot_be_written_to(engine: Engine, api: Api, context: Path, tmp_path: Path) -> None:
    """It is mounted to be read; the command's exit code is the step's."""
    data = tmp_path / "folder"
    data.mkdir()
    (data / "x").write_text("1")
    job = in_the_image(
        api,
        context,
        "touch ${{inputs.data}}/y || exit 9",
        inputs={"data": {"type": "uri_folder", "path": api.upload(data)}},
    )

    failed = until(api, job["name"], "Failed")

    assert "exited with code 9" in failed["error"]["message"]


def test_a_canceled_step_leaves_no_process_and_no_container(engine: Engine, api: Api, context: Path) -> None:
    """Also where the command ignores signals and has detached children."""
    command = "trap '' TERM; setsid bash -c 'trap \"\" TERM; while true; do sleep 0.3; done' & echo up; while true; do sleep 0.3; done"
    job = in_the_image(api, context, command)
    until_it_says(api, job["name"], "up\n")
    assert containers(engine, api)

    api.http.post(f"/api/v1/workspaces/default/jobs/{job['name']}/cancel")

    until(api, job["name"], "Canceled")
    assert not containers(engine, api)
    assert not [one for one in _command_lines() if "while true; do sleep 0.3" in one]


def test_a_killed_small_parent_leaves_no_container(engine: Engine, api: Api, context: Path) -> None:
    """It can tell nobody; the step is lost, and what it left running is ended."""
    job = in_the_image(api, context, "trap '' TERM; echo up; while true; do sleep 0.4; done")
    until_it_says(api, job["name"], "up\n")
    (record,) = api.platform.home.path.rglob("worker.json")

    os.kill(json.loads(record.read_text())["pid"], signal.SIGKILL)

    until(api, job["name"], "Failed")
    assert not containers(engine, api)
    assert not [one for one in _command_lines() if "while true; do sleep 0.4" in one]


def test_a_step_that_takes_too_long_is_ended(engine: Engine, api: Api, context: Path) -> None:
    """The small parent's limit holds for the container too."""
    job = in_the_image(api, context, "sleep 301", limits={"timeout": 2})

    until(api, job["name"], "Canceled", "Failed")

    assert not containers(engine, api)


def test_nothing_secret_stands_in_arguments_or_on_disk(engine: Engine, api: Api, context: Path) -> None:
    """Variables are named there; their values go by the client's environment."""
    job = in_the_image(
        api, context, "echo up; sleep 300", environment_variables={"SECRET": "hunter-in-the-forest"}
    )
    until_it_says(api, job["name"], "up\n")
    folder = api.platform.home.path / "workspaces/default/jobs" / job["name"]

    assert not [one for one in _command_lines() if "hunter-in-the-forest" in one]
    assert not [
        one for one in folder.rglob("*") if one.is_file() and b"hunter-in-the-forest" in one.read_bytes()
    ]

    api.http.post(f"/api/v1/workspaces/default/jobs/{job['name']}/cancel")
    until(api, job["name"], "Canceled")


def test_an_image_that_cannot_be_built_says_why(engine: Engine, api: Api, context: Path) -> None:
    """With the end of what the engine said."""
    (context / "Dockerfile").write_text(f"FROM {IMAGE}\nRUN this-is-no-program\n")
    job = in_the_image(api, context, "true")

    failed = until(api, job["name"], "Failed")

    assert "this-is-no-program" in json.dumps(failed["error"])


def test_an_image_is_built_once(engine: Engine, api: Api, context: Path) -> None:
    """The digest of the context names it."""
    for _ in range(2):
        until(api, in_the_image(api, context, "true")["name"], "Completed")

    logs = [file.read_text() for file in api.platform.home.path.rglob("environment.log")]

    assert sum("building image" in log for log in logs) <= 1


def test_never_refuses_what_is_no_venv(
    engine: Engine, api: Api, context: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line of the Dockerfile, as on a machine without an engine."""
    monkeypatch.setenv("PENSTOCK_CONTAINERS", "never")
    document = {"type": "command", "command": "true", "environment": {"build": {"path": api.upload(context)}}}

    _, record = api.refused("POST", "workspaces/default/jobs", json={"document": document})

    assert record["problems"][0]["line"] == 3


def test_always_runs_any_image_in_a_container(
    engine: Engine, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An image without a conda file: the command uses the image's own tools, and nothing is installed."""
    monkeypatch.setenv("PENSTOCK_CONTAINERS", "always")

    job = api.create(
        "jobs", type="command", command="ls -d /of-the-image || echo none", environment={"image": IMAGE}
    )

    until(api, job["name"], "Completed")
    assert log_of(api, job["name"]).endswith("none\n")


def _command_lines() -> list[str]:
    """Of every process that can be seen, without this one's."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                found.append(
                    (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                )
            except OSError:
                continue  # gone meanwhile
    return found


def test_a_conda_file_is_laid_over_the_image_by_the_images_own_conda(
    engine: Engine, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Azure ML does with its images; this image's conda only says what it was asked."""
    (tmp_path / "Dockerfile").write_text(f"FROM {IMAGE}\nENV PATH=/tools:$PATH\nCOPY conda /tools/conda\n")
    tool = tmp_path / "conda"
    tool.write_text('#!/bin/bash\nmkdir -p /opt/penstock\necho "$@" > /opt/penstock/asked\n')
    tool.chmod(0o755)
    engine.build(tmp_path, "Dockerfile", "localhost/penstock-tests-conda:1", lambda _: None)
    monkeypatch.setenv("PENSTOCK_CONTAINERS", "always")
    conda = {"dependencies": ["python=3.11", {"pip": ["six"]}]}

    job = api.create(
        "jobs",
        type="command",
        command='cat /opt/penstock/asked; echo "$CONDA_PREFIX"',
        environment={"image": "localhost/penstock-tests-conda:1", "conda_file": conda},
    )

    until(api, job["name"], "Completed")
    assert (
        log_of(api, job["name"]) == "env create -p /opt/penstock -f /tmp/penstock-conda.yml\n/opt/penstock\n"
    )
