"""The first ten minutes: a clean machine, a wheel, one command, a registered model."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.journeys.person import ROOT, Person

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built as `make wheel` builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("penstock-*.whl")
    return built


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Iterator[Person]:
    """Somebody with a clean venv that holds the wheel and what it needs, and nothing else."""
    place = tmp_path_factory.mktemp("newcomer")
    uv = str(Path(sys.executable).parent / "uv")
    for command in (
        [uv, "venv", "--python", sys.executable, str(place / "venv")],
        [uv, "pip", "install", "--python", str(place / "venv" / "bin" / "python"), "--compile-bytecode",
         "--constraints", str(ROOT / "requirements" / "run.lock"), str(wheel)],
    ):  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    (place / "work").mkdir()
    someone = Person(folder=place / "work", home=place / "home", bin=place / "venv" / "bin")
    yield someone
    someone.leave()


@pytest.fixture(scope="module")
def shown(newcomer: Person) -> str:
    """What the first `penstock demo` prints."""
    return newcomer.penstock("demo")


def test_a_newcomer_gets_a_registered_model_by_one_command(newcomer: Person, shown: str) -> None:
    """`penstock demo` says what was trained, how good it is, what was registered, and what to try next."""
    assert re.search(r"ROC AUC +0\.9\d+", shown)
    assert "Registered as tumour-classifier:1, the champion now" in shown
    assert (newcomer.folder / "penstock-demo" / "pipeline.yml").is_file()


def test_the_commands_that_the_demo_proposes_work(newcomer: Person, shown: str) -> None:
    """They are run as they stand; of the one that opens a browser the link is followed."""
    web, again, download, model = re.findall(r"^  (penstock .*)$", shown, re.MULTILINE)

    page = newcomer.types(*web.split(), more={"BROWSER": "true"}).stderr.strip().splitlines()[-1]
    assert httpx.get(page, follow_redirects=True).status_code == 200
    job = newcomer.types(
        *again.removesuffix(" --stream").split(), "--query", "name", "-o", "tsv"
    ).stdout.strip()
    newcomer.penstock("job", "cancel", "-n", job)
    newcomer.types(*download.split())
    assert (newcomer.folder / "results" / "named-outputs" / "evaluation" / "evaluation.json").is_file()
    assert "version: '1'" in newcomer.types(*model.split()).stdout


def test_a_second_demo_compares_itself_with_the_champion(newcomer: Person) -> None:
    """The champion that an earlier run registered is loaded from the registry and judged on the same cases."""
    record = json.loads(newcomer.penstock("demo", "-o", "json"))

    assert record["promoted"] is True
    assert "against" in record["reason"]
    assert record["version"] != "1"


def test_the_demo_leaves_files_alone_that_a_person_has_changed(newcomer: Person) -> None:
    """Whoever edits the project keeps the edit, and is told how to run it."""
    script = newcomer.folder / "penstock-demo" / "src" / "train.py"
    mine = script.read_text() + "# mine\n"
    script.write_text(mine)

    said = newcomer.types("penstock", "demo", expect=1).stderr

    assert str(Path("penstock-demo") / "src" / "train.py") in said
    assert "penstock job create -f" in said
    assert script.read_text() == mine


def test_reliability_44_a_fresh_machine_runs_the_demo_again_without_a_network(newcomer: Person) -> None:
    """What was fetched once is enough: install, quick start, and then offline."""
    alone = ("unshare", "--net", "--map-root-user", "sh", "-c", 'ip link set lo up; exec "$0" "$@"')
    if (
        shutil.which("unshare") is None
        or subprocess.run([*alone, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("this system lets us make no network of our own")
    newcomer.types("penstock", "server", "stop")  # the server would keep the network that it was started in

    words = ("penstock", "demo", "--folder", "offline", "-o", "json")
    record = json.loads(newcomer.types(*words, first=alone).stdout)
    newcomer.types("penstock", "server", "stop")

    assert record["model"] == "tumour-classifier"
    assert record["version"] is not None
