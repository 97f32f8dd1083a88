"""MLflow's own clients, old and new, against one server through the loopback port, as a job has them."""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from penstock.identity.tokens import Caller
from tests.tracking.conftest import Port

pytestmark = pytest.mark.slow

_JOURNEY = Path(__file__).with_name("mlflow_client_journey.py")


@dataclass(frozen=True)
class Client:
    """A release of MLflow's client, the Pythons that it runs on, newest first, and neighbours of its time."""

    mlflow: str
    pythons: tuple[str, ...]
    neighbours: tuple[str, ...]

    @property
    def requirements(self) -> tuple[str, ...]:
        """What its environment is made of. mlflow-skinny has everything that a client needs but pandas and numpy."""
        return (self.mlflow, *self.neighbours)


# skops: how MLflow 3 writes scikit-learn models. setuptools: the old ones import pkg_resources. numpy: their pandas was compiled for 1.x.
_OLD = ("setuptools<81", "numpy<2", "pandas<2", "scikit-learn<1.2")
CLIENTS = {
    "1.30": Client("mlflow-skinny==1.30.*", ("3.10", "3.9", "3.8"), _OLD),
    "2.0": Client("mlflow-skinny==2.0.*", ("3.10", "3.9", "3.8"), _OLD),
    "2.10": Client(
        "mlflow-skinny==2.10.*", ("3.11", "3.10", "3.9"), ("setuptools<81", "numpy<2", "pandas<3", "scikit-learn<1.5")
    ),
    "2.x": Client(
        "mlflow-skinny==2.*", ("3.12", "3.13", "3.11", "3.10"), ("setuptools<81", "numpy<3", "pandas<3", "scikit-learn<1.8")
    ),
    "3.x": Client("mlflow-skinny==3.*", ("3.13", "3.12", "3.11", "3.10"), ("numpy", "pandas<3", "scikit-learn", "skops")),
}  # fmt: skip


@pytest.mark.parametrize("name", ["here", *CLIENTS])
def test_a_client_logs_registers_and_searches(
    name: str, port: Port, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """With the tracking URI and a job's token, and nothing else."""
    python = Path(sys.executable) if name == "here" else _environment(CLIENTS[name], _cache(request))
    environment = port.client_environment(Caller("job", "clients", "brave_tree"), "clients")

    done = subprocess.run(
        [str(python), str(_JOURNEY), name], env=environment, cwd=tmp_path, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert said["params"] == {"alpha": "0.5", **{f"p{number}": str(number) for number in range(20)}}
    assert said["metrics"] == {"mse": 1.0}
    assert said["history"] == [3.0, 2.0, 1.0]
    assert said["run_name"] == f"run of {name}"
    assert {"data", "notes"} <= set(said["artifacts"])
    assert said["note"] == "häh? 100%\n"
    assert said["size"] == 24 * 1024 * 1024
    assert said["runs"] == 1
    assert said["model_versions"] == ["1"]
    assert said["second"] == "2"
    assert "2" in said["latest"]
    assert said["prediction"] == 6.0
    if name != "here":
        assert said["version"].startswith(name.removesuffix(".x"))


def test_a_client_with_a_password_instead_of_a_token_is_let_in(port: Port, tmp_path: Path) -> None:
    """MLflow's clients know both."""
    environment = port.client_environment(Caller("job", "clients", "brave_tree"), "clients")
    environment["MLFLOW_TRACKING_PASSWORD"] = environment.pop("MLFLOW_TRACKING_TOKEN")
    environment["MLFLOW_TRACKING_USERNAME"] = "anything"
    program = "import mlflow; print(mlflow.search_experiments()[0].name)"

    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=tmp_path, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr


def test_a_client_that_may_not_is_told_so(port: Port, tmp_path: Path) -> None:
    """In our words, by MLflow's own exception."""
    environment = port.client_environment(Caller("job", "clients", "brave_tree"), "clients")
    program = (
        "import mlflow; c = mlflow.MlflowClient(); c.delete_experiment(c.create_experiment('to delete'))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=tmp_path, capture_output=True, text=True
    )

    assert done.returncode == 1
    assert "PERMISSION_DENIED: a job may not do this" in done.stderr


def _cache(request: pytest.FixtureRequest) -> Path:
    """Where the clients' environments are kept from run to run."""
    named = os.environ.get("PENSTOCK_TEST_CACHE")
    if named:
        return Path(named)
    cache = request.config.cache
    assert cache is not None
    return cache.mkdir("penstock")


def _environment(client: Client, cache: Path) -> Path:
    """The Python of a venv with the client; built once, whoever asks at the same time."""
    interpreter = _interpreter(client.pythons)
    key = json.dumps([client.requirements, str(interpreter)])
    folder = cache / "mlflow-clients" / hashlib.sha256(key.encode()).hexdigest()[:16]
    python = folder / "bin" / "python"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.with_suffix(".lock")):
        if (folder / "complete").exists():
            return python
        shutil.rmtree(folder, ignore_errors=True)
        _uv("venv", "--quiet", "--python", str(interpreter), str(folder))
        _uv("pip", "install", "--quiet", "--python", str(python), *client.requirements)
        (folder / "complete").touch()
    return python


def _uv(*arguments: str) -> None:
    from uv import find_uv_bin

    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    done = subprocess.run([find_uv_bin(), *arguments], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _interpreter(versions: Sequence[str]) -> Path:
    """The first of these Pythons that this machine has; skips the test where there is none."""
    found = _interpreters()
    for version in versions:
        if version in found:
            return found[version]
    pytest.skip(f"no Python {', '.join(versions)} on this machine (there are {', '.join(sorted(found))})")


def _interpreters() -> dict[str, Path]:
    """Every Python that runs here, by its minor version: on the PATH and pyenv's, of whose shims not each one works."""
    folders = [Path(place) for place in os.environ.get("PATH", "").split(os.pathsep) if place]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    folders += sorted(pyenv.glob("*/bin"), reverse=True)
    found: dict[str, Path] = {}
    for folder in folders:
        for candidate in folder.glob("python3.*"):
            match = re.fullmatch(r"python(3\.\d+)", candidate.name)
            if match and match[1] not in found and _runs_as(candidate, match[1]):
                found[match[1]] = candidate
    return found


def _runs_as(python: Path, version: str) -> bool:
    program = "import sys, ensurepip; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([str(python), "-c", program], capture_output=True, text=True)
    return done.returncode == 0 and done.stdout.strip() == version


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
