"""A project whose environment time has passed by: what it is told, what it gets with --relax, and where that shows."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock import Client, load_job
from tests.environments.conftest import make_wheel
from tests.journeys.person import Person

CONDA = """\
name: old
channels: [conda-forge]
dependencies:
  - python=3.5.2
  - pip
  - pip:
      - oldlib==0.24.1
      - mlflow
      - gone==3.0
"""
ENVIRONMENT = "name: old\nconda_file: conda.yml\n"
SCRIPT = "import oldlib, os; os.makedirs('outputs', exist_ok=True); print('oldlib', oldlib.version)"
JOB = f"""\
type: command
command: python -c "{SCRIPT}" && echo m > ${{{{outputs.model}}}}/m.txt
environment: azureml:old@latest
experiment_name: old
outputs:
  model: {{type: custom_model, name: from-old}}
"""
SHORT = "oldlib 0.24.1 → 1.0.2"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Packages as they are today: the asked release of one has no wheel any more, another is gone."""
    folder = tmp_path_factory.mktemp("index")
    ask = "import ensurepip, glob, os; print(*glob.glob(os.path.dirname(ensurepip.__file__) + '/_bundled/pip-*.whl'))"
    bundled = subprocess.run(
        [sys.executable, "-c", ask], capture_output=True, text=True, check=True
    ).stdout.split()
    if not bundled:
        pytest.skip("this Python has no ensurepip")
    for path in map(Path, bundled):
        (folder / path.name).write_bytes(path.read_bytes())
    for name, version in (
        ("setuptools", "59.8"),
        ("wheel", "0.45"),
        ("mlflow", "3.13.0"),
        ("oldlib", "1.0.2"),
    ):
        make_wheel(folder, name, version)
    make_wheel(folder, "oldlib", "0.24.1", tag="cp35-none-any")
    return folder


@pytest.fixture(scope="module")
def old(person: Person, index: Path) -> Person:
    """Somebody with one Python and that index."""
    person.environment |= {
        "PENSTOCK_PYTHONS": str(Path(sys.executable).resolve()),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(index),
    }
    for name, text in (("conda.yml", CONDA), ("env.yml", ENVIRONMENT), ("job.yml", JOB)):
        (person.folder / name).write_text(text)
    return person


@pytest.fixture(scope="module")
def relaxed(old: Person) -> "subprocess.CompletedProcess[str]":
    """`environment create --relax`, on a terminal of 80 columns."""
    return old.types("penstock", "environment", "create", "-f", "env.yml", "--relax", more={"COLUMNS": "80"})


def test_1_without_being_asked_nothing_is_relaxed(old: Person) -> None:
    """Every obstacle with its file, its line and a remedy, and the way around; nothing is registered."""
    said = old.types("penstock", "environment", "create", "-f", "env.yml", expect=1)

    assert said.stdout == ""
    for line, name in ((4, "Python 3.5.2"), (7, "oldlib==0.24.1"), (9, "gone==3.0")):
        assert any(f"conda.yml:{line}" in each and name in each for each in said.stderr.splitlines()), (
            said.stderr
        )
    assert said.stderr.count("hint:") >= 4
    assert "--relax" in said.stderr
    assert old.record("environment", "list") == []


def test_2_relaxed_it_is_registered_and_the_difference_is_a_table(
    relaxed: "subprocess.CompletedProcess[str]",
) -> None:
    """The record alone on stdout; the table on stderr, as wide as the terminal."""
    record = json.loads(relaxed.stdout)
    rows = {row["what"]: row for row in record["relaxed"]}

    assert record["mark"] == "relaxed"
    assert rows.keys() >= {"python", "oldlib", "gone"}
    assert (rows["oldlib"]["taken"], rows["gone"]["taken"]) == ("1.0.2", None)
    table = [line for line in relaxed.stderr.splitlines() if line.startswith("  ")]
    assert table[0].split() == ["what", "asked", "taken", "why"]
    assert max(map(len, table)) <= 80
    assert "environment `old:1` is relaxed" in relaxed.stderr
    assert "\033" not in relaxed.stderr


def test_3_a_list_and_a_plan_show_the_mark(old: Person, relaxed: object) -> None:
    """Wherever the environment is named."""
    listed = old.penstock("environment", "list", "-o", "table")
    plan = old.types("penstock", "job", "create", "-f", "job.yml", "--dry-run", "-o", "table")
    checked = old.penstock("check", "job.yml")

    assert "Mark" in listed.splitlines()[0]
    assert "relaxed" in listed.splitlines()[2]
    assert "relaxed" in plan.stdout
    assert "environment `old:1` is relaxed: " in checked


@pytest.mark.slow
def test_4_a_job_needs_no_flag_and_says_that_it_ran_relaxed(
    old: Person, relaxed: object, index: Path
) -> None:
    """In its record, to who follows it, in its MLflow run and on the model that it made. A release that is nearer came
    out meanwhile, and the disk has forgotten everything: it gets what was registered."""
    make_wheel(index, "oldlib", "0.25")
    shutil.rmtree(old.home / "environments")
    ran = old.types("penstock", "job", "create", "-f", "job.yml", "--stream")
    record = json.loads(ran.stdout)
    name = record["name"]

    assert record["mark"] == "relaxed"
    assert "oldlib 1.0.2" in ran.stderr
    assert "environment `old:1` is relaxed: " in ran.stderr
    streamed = old.penstock("job", "stream", "-n", name)
    assert f"job `{name}` ran in a relaxed environment: " in streamed
    assert SHORT in streamed
    model = old.record("model", "show", "-n", "from-old", "-l", "latest")
    assert SHORT in model["tags"]["penstock.environment.relaxed"]
    with Client(home=old.home, quiet=True) as client:
        client.use_mlflow()
        from mlflow import MlflowClient

        tags = MlflowClient().get_run(record["mlflow_run_id"]).data.tags
    assert SHORT in tags["penstock.environment.relaxed"]


@pytest.mark.slow
def test_5_what_was_taken_can_be_pinned_and_needs_no_relaxing_any_more(old: Person, relaxed: object) -> None:
    """The conda file of the record is one that anybody may use."""
    pinned = old.penstock(
        "environment", "show", "-n", "old", "-v", "1", "--query", "pinned_conda_file", "-o", "yaml"
    )
    (old.folder / "pinned.yml").write_text(pinned)
    (old.folder / "again.yml").write_text(
        f'command: python -c "{SCRIPT}"\nenvironment: {{conda_file: pinned.yml}}\nexperiment_name: old\n'
    )

    ran = json.loads(old.types("penstock", "job", "create", "-f", "again.yml", "--stream").stdout)

    assert "oldlib==1.0.2" in pinned
    assert ran["status"] == "Completed"
    assert "mark" not in ran


@pytest.mark.slow
def test_6_an_environment_that_a_job_brings_along_is_relaxed_where_the_job_allows_it(old: Person) -> None:
    """By the flag, the variable, or in Python; the job's record says what was taken."""
    (old.folder / "inline.yml").write_text(
        f'command: python -c "{SCRIPT}"\nenvironment: {{conda_file: conda.yml}}\nexperiment_name: old\n'
    )

    refused = old.types("penstock", "job", "create", "-f", "inline.yml", expect=1)
    still = old.types("penstock", "job", "create", "-f", "inline.yml", expect=1, more={"PENSTOCK_RELAX": "0"})
    wrong = old.types(
        "penstock", "job", "create", "-f", "inline.yml", expect=1, more={"PENSTOCK_RELAX": "maybe"}
    )
    by_flag = old.types(
        "penstock", "job", "create", "-f", "inline.yml", "--relax", "--stream", more={"PENSTOCK_RELAX": "0"}
    )
    by_variable = old.types(
        "penstock", "job", "create", "-f", "inline.yml", "-s", more={"PENSTOCK_RELAX": "1"}
    )
    with Client(home=old.home, quiet=True) as client:
        in_python = client.jobs.create(load_job(old.folder / "inline.yml"), relax=True).wait()

    assert "conda.yml:4" in refused.stderr
    assert "conda.yml:4" in still.stderr
    assert "PENSTOCK_RELAX is `maybe`" in wrong.stderr
    for ran in (json.loads(by_flag.stdout), json.loads(by_variable.stdout), in_python.record):
        assert ran["mark"] == "relaxed"
        assert "oldlib" in {row["what"] for row in ran["relaxed"]}
    assert "Completed" in repr(in_python)


def test_7_a_registry_keeps_the_mark(old: Person, relaxed: object) -> None:
    """Whoever uses it from there is told as well."""
    old.penstock("registry", "create", "-n", "team")
    old.penstock("environment", "share", "-n", "old", "-v", "1", "--registry-name", "team")

    shown = old.record("environment", "show", "-n", "old", "-v", "1", "--registry-name", "team")

    assert shown["mark"] == "relaxed"
    assert "gone" in {row["what"] for row in shown["relaxed"]}


class Silence:
    """An index that takes a request and does not answer, until it hangs up."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}/simple/"
        self._kept: list[socket.socket] = []
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                self._kept.append(self._listener.accept()[0])
            except OSError:
                return
            self.asked.set()

    def hang_up(self) -> None:
        """Nobody waits for an answer any more, nor can ask again."""
        if self._thread.is_alive():
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._thread.join()
        for each in self._kept:
            each.close()


@pytest.fixture
def silence() -> Iterator[Silence]:
    index = Silence()
    yield index
    index.hang_up()


def test_8_a_server_that_is_killed_while_it_relaxes_leaves_nothing_half(
    old: Person, silence: Silence, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The next one has no version, and makes it as if nothing had been."""
    person = Person(old.folder, tmp_path_factory.mktemp("home") / "penstock")
    person.environment = {
        **old.environment, "PIP_NO_INDEX": "", "PIP_FIND_LINKS": "", "PIP_INDEX_URL": silence.address,
    }  # fmt: skip
    command = person.begins("penstock", "environment", "create", "-f", "env.yml", "--relax")
    assert silence.asked.wait(60), person._log()

    os.kill(json.loads((person.home / "server.lock").read_text())["pid"], signal.SIGKILL)
    code = command.wait(60)
    silence.hang_up()
    person.environment = dict(old.environment)
    before = person.record("environment", "list")
    made = json.loads(person.types("penstock", "environment", "create", "-f", "env.yml", "--relax").stdout)
    person.leave()

    assert code != 0
    assert before == []
    assert (made["version"], made["mark"]) == ("1", "relaxed")
