"""A job's own layer: what a command installs lands there, and the shared environment stays as it is."""

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from penstock.environments.building import build, read_built
from penstock.environments.conda_file import Wanted
from penstock.environments.environments import EnvironmentRequest, Environments, ReadyEnvironment
from penstock.environments.files import locked
from penstock.environments.interpreters import Interpreter
from penstock.environments.locking import Ask, resolve
from penstock.environments.overlay import lay_over
from penstock.environments.uv import Uv
from tests.environments.conftest import make_wheel

REQUEST = EnvironmentRequest("e", None, {"dependencies": [{"pip": ["speaker", "beta==1.0"]}]}, "")


def shell(command: str, *bins: Path, cwd: Path) -> str:
    """Run a command as a job runs it: with these folders first on PATH."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PIP_", "PYTHON", "VIRTUAL"))
    }
    path = os.pathsep.join([*map(str, bins), clean["PATH"]])
    answer = subprocess.run(
        ["bash", "-c", command],
        env={
            **clean,
            "PATH": path,
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        },
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def fingerprint(folder: Path) -> str:
    """Every file of a folder: name, content, links. Times of folders do not count."""
    content = hashlib.sha256()
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            content.update(f"{path.relative_to(folder)} {path.lstat().st_mtime_ns}\n".encode())
            content.update(os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes())
    return content.hexdigest()


def _link_to(path: str, interpreter: Interpreter) -> str | None:
    """The path itself where it leads to this interpreter."""
    return path if os.path.realpath(path) == str(interpreter.path) else None


def minors() -> list[str]:
    """What the layer has to work on; absent ones are skipped."""
    return [f"3.{minor}" for minor in range(7, 15)]


@pytest.fixture
def ready(environments: Environments) -> ReadyEnvironment:
    """A shared environment with a console script and data."""
    return environments.ensure(REQUEST, lambda _: None)


@pytest.mark.parametrize("which", [*minors(), "/usr/bin/python3"])
def test_what_a_command_installs_lands_in_the_layer_on_every_python(
    which: str, present: tuple[Interpreter, ...], tmp_path: Path, environ: dict[str, str]
) -> None:
    """`pip install` and `python -m pip install`, new packages and other versions of shared ones; the shared one stays."""
    fitting = [one for one in present if which in ("{}.{}".format(*one.minor), _link_to(which, one))]
    if not fitting:
        pytest.skip(f"this machine has no {which}")
    prefix, overlay, wheels = tmp_path / "shared", tmp_path / "overlay", tmp_path / "wheels"
    wheels.mkdir()
    make_wheel(wheels, "beta", "7.0")
    make_wheel(
        wheels,
        "extra",
        "1.0",
        scripts={"say-extra": "extra:hello"},
        files={"extra.py": "def hello():\n    print('hello')\n"},
    )
    uv = Uv(tmp_path / "uv", environ)
    wanted = (Wanted("speaker", ""), Wanted("beta==1.0", ""))
    lock = resolve(Ask(wanted), fitting[-1], uv, lambda _: None)
    with locked(tmp_path / "lock") as descriptor:
        built = build(prefix, "d" * 64, lock, fitting[-1], uv, lambda _: None, descriptor)
    before = fingerprint(prefix)

    bin_folder = lay_over(prefix, built, overlay)
    bins = (bin_folder, prefix / "bin")
    first = shell("python -c 'import beta; print(beta.version)'; speak", *bins, cwd=tmp_path)
    shell(
        f"pip install --find-links {wheels} extra && python -m pip install --find-links {wheels} beta==7.0",
        *bins,
        cwd=tmp_path,
    )
    second = shell(
        "python -c 'import beta, extra, sys; print(beta.version, sys.prefix)'; speak; say-extra; python3 -m pip --version",
        *bins,
        cwd=tmp_path,
    )
    shell("pip uninstall -y extra speaker", *bins, cwd=tmp_path)

    assert first.split("\n")[:2] == ["1.0", "speaker with beta 1.0"]
    lines = second.splitlines()
    assert lines[0] == f"7.0 {overlay}"
    assert lines[1] == "speaker with beta 7.0"
    assert lines[2] == "hello"
    assert str(prefix) in lines[3]
    assert not list(overlay.glob("lib/python3*/site-packages/extra*"))
    assert fingerprint(prefix) == before


def test_two_jobs_do_not_see_each_others_packages(
    environments: Environments, ready: ReadyEnvironment, tmp_path: Path
) -> None:
    """Each has a layer of its own."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    make_wheel(wheels, "extra", "1.0")
    one = environments.overlay(ready, tmp_path / "one")
    other = environments.overlay(ready, tmp_path / "other")

    shell(f"pip install --find-links {wheels} extra", one, ready.prefix / "bin", cwd=tmp_path)

    look = "python -c 'import importlib.util; print(importlib.util.find_spec(\"extra\") is not None)'"
    assert shell(look, one, ready.prefix / "bin", cwd=tmp_path) == "True\n"
    assert shell(look, other, ready.prefix / "bin", cwd=tmp_path) == "False\n"


def test_a_new_pip_in_a_layer_is_that_layers_pip(
    environments: Environments, ready: ReadyEnvironment, tmp_path: Path
) -> None:
    """`pip install --upgrade pip` is the first line of many commands."""
    pips = sorted(ready.prefix.glob("lib/python3*/site-packages/pip-*.dist-info"))
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    make_wheel(
        wheels, "pip", "99.0", scripts={"pip": "pip:main"},
        files={"pip/__init__.py": "def main():\n    print('pip 99')\n", "pip/__main__.py": "from pip import main\nmain()\n"},
    )  # fmt: skip
    bins = (environments.overlay(ready, tmp_path / "overlay"), ready.prefix / "bin")

    shell(f"pip install --upgrade --find-links {wheels} pip", *bins, cwd=tmp_path)

    assert shell("pip; python -m pip", *bins, cwd=tmp_path) == "pip 99\npip 99\n"
    assert sorted(ready.prefix.glob("lib/python3*/site-packages/pip-*.dist-info")) == pips


def test_a_command_of_the_shared_environment_sees_what_the_layer_holds(
    environments: Environments, ready: ReadyEnvironment, tmp_path: Path
) -> None:
    """`pip install x && pytest` finds x: commands run with the layer's Python. Their own files are not links."""
    bins = (environments.overlay(ready, tmp_path / "overlay"), ready.prefix / "bin")
    [packages] = (tmp_path / "overlay").glob("lib/python3*/site-packages")
    (packages / "beta.py").write_text("version = 'mine'\n")

    assert shell("speak", *bins, cwd=tmp_path) == "speaker with beta mine\n"
    assert not (bins[0] / "speak").is_symlink()


def test_data_under_the_prefix_is_found_and_cannot_be_written_through(
    environments: Environments, ready: ReadyEnvironment, tmp_path: Path
) -> None:
    """Packages look for `share/…` under `sys.prefix`."""
    bin_folder = environments.overlay(ready, tmp_path / "overlay")
    find = "python -c 'import sys; print(open(sys.prefix + \"/share/speaker/words.txt\").read())'"

    assert shell(find, bin_folder, cwd=tmp_path) == "hello\n\n"
    folder = tmp_path / "overlay" / "share" / "speaker"
    assert not folder.is_symlink()
    (folder / "new.txt").write_text("mine")
    assert not (ready.prefix / "share" / "speaker" / "new.txt").exists()


def test_a_process_that_the_command_starts_has_the_layer_too(
    environments: Environments, ready: ReadyEnvironment, tmp_path: Path
) -> None:
    """multiprocessing and subprocess start `sys.executable`."""
    bin_folder = environments.overlay(ready, tmp_path / "overlay")
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import sys, beta; print(sys.prefix)'], check=True)"

    assert shell(f'python -c "{code}"', bin_folder, cwd=tmp_path).strip() == str(tmp_path / "overlay")


def test_the_layer_starts_no_process(
    environments: Environments, ready: ReadyEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is made before every step, so it has to be cheap."""
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a process was started"))

    environments.overlay(ready, tmp_path / "overlay")

    own_files = [
        path for path in (tmp_path / "overlay").rglob("*") if path.is_file() and not path.is_symlink()
    ]
    assert sum(path.stat().st_size for path in own_files) < 50_000


def test_a_layer_in_a_folder_with_a_strange_name_works(
    environments: Environments, ready: ReadyEnvironment, tmp_path: Path
) -> None:
    """Spaces, quotes, a very long path: nothing of it reaches a `#!` line or a shell unquoted."""
    folder = tmp_path / "it's a job" / ("x" * 120) / 'with "quotes"'
    bin_folder = environments.overlay(ready, folder)

    assert shell("speak && pip --version >/dev/null", bin_folder, cwd=tmp_path) == "speaker with beta 1.0\n"


def test_what_a_finished_environment_says_of_itself_is_read_back(ready: ReadyEnvironment) -> None:
    """The marker is JSON, and anything else in its place means unfinished."""
    marker = ready.prefix / "penstock-environment.json"
    built = read_built(ready.prefix)
    assert built is not None
    assert built.digest == ready.digest
    assert "speak" in built.scripts

    for damaged in ("", "{}", json.dumps({"schema": 999}), "[1"):
        marker.write_text(damaged)
        assert read_built(ready.prefix) is None
