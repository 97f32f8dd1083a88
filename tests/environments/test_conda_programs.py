"""micromamba, mamba and conda on PATH: which is taken, what it is asked, and how its answers are read.

What conda 26.9 said is recorded here as it said it. Where one of the programs is on PATH, it is asked itself.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.environments.conda_packages.backend import CondaFailed, Question
from penstock.environments.conda_packages.channels import Channel, CondaConfiguration
from penstock.environments.conda_packages.lock import CondaPackage
from penstock.environments.conda_packages.programs import NAMES, Program, find_program
from penstock.environments.environments import EnvironmentRequest, Environments
from penstock.environments.interpreters import Interpreter
from penstock.environments.uv import Trouble
from tests.environments.conda_channel import one_to_package, small_world, write_channel

# Stands for a program: keeps what it was asked, and answers with what lies beside it.
_STAND_IN = """#!{python}
import json, os, shutil, sys
from pathlib import Path
here = Path(__file__).parent
if sys.argv[1:] == ["--version"]:
    print("1.5.8")
    sys.exit()
explicit = [Path(word).read_text() for word in sys.argv if word.endswith(".txt")]
asked = {{"argv": sys.argv[1:], "explicit": explicit, "variables": dict(os.environ)}}
(here / "asked.json").write_text(json.dumps(asked))
if (here / "failure").exists():
    print((here / "failure").read_text())
    sys.exit(1)
prefix = Path(sys.argv[sys.argv.index("--prefix") + 1])
shutil.copytree(here / "conda-meta", prefix / "conda-meta")
print(json.dumps({{"success": True}}))
"""
_RECORD = {
    "name": "alpha", "version": "2.0", "build": "py_0", "build_number": 0, "subdir": "noarch", "depends": ["python"],
    "md5": "0" * 32, "sha256": "1" * 64, "url": "https://alice:word@host/channel/noarch/alpha-2.0-py_0.conda",
    "files": ["site-packages/alpha.py"], "channel": "https://host/channel",
}  # fmt: skip
_QUESTION = Question(
    ("python=3.7.5", "alpha >=1,<3"), (Channel("https://alice:word@host/channel"),), "flexible", "linux-64"
)


def stand_in(folder: Path, name: str) -> Path:
    """A program of that name in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(_STAND_IN.format(python=sys.executable))
    path.chmod(0o755)
    (folder / "conda-meta").mkdir(exist_ok=True)
    (folder / "conda-meta" / "alpha-2.0-py_0.json").write_text(json.dumps(_RECORD))
    return path


def program(tmp_path: Path, *, configuration: CondaConfiguration | None = None) -> Program:
    """The stand-in as a back-end."""
    path = stand_in(tmp_path / "bin", "micromamba")
    variables = {"PATH": os.defpath, "CONDA_PREFIX": "/somewhere", "PYTHONPATH": "/somewhere"}
    return Program(
        path, tmp_path / "home", tmp_path / "cache", variables, configuration or CondaConfiguration()
    )


def asked_of(one: Program) -> dict[str, object]:
    """What the stand-in was asked."""
    return dict(json.loads((one.path.parent / "asked.json").read_text()))


def test_the_first_of_three_that_is_on_path_is_taken(tmp_path: Path) -> None:
    """micromamba, mamba, conda; and none where there is none."""
    folders = [tmp_path / name for name in reversed(NAMES)]
    found = []
    for folder in folders:
        stand_in(folder, folder.name)
        one = find_program(
            tmp_path, tmp_path, {"PATH": os.pathsep.join(map(str, folders))}, CondaConfiguration()
        )
        assert one is not None
        found.append(one.name)

    assert found == ["conda 1.5.8", "mamba 1.5.8", "micromamba 1.5.8"]
    assert find_program(tmp_path, tmp_path, {"PATH": str(tmp_path)}, CondaConfiguration()) is None


def test_a_solve_is_asked_word_for_word_and_read_from_what_was_installed(tmp_path: Path) -> None:
    """Each line is one argument; channels by address, and no others."""
    one = program(tmp_path)

    [package] = one.solve(_QUESTION, tmp_path / "scratch", lambda _: None, ())

    asked = asked_of(one)
    assert asked["argv"] == [
        "create", "--prefix", str(tmp_path / "scratch"), "--yes", "--json",
        "--override-channels", "--channel", "https://alice:word@host/channel", "python=3.7.5", "alpha >=1,<3",
    ]  # fmt: skip
    variables = asked["variables"]
    assert isinstance(variables, dict)
    assert variables["CONDA_PKGS_DIRS"] == str(tmp_path / "cache/pkgs")
    assert variables["MAMBA_ROOT_PREFIX"] == str(tmp_path / "cache/root")
    assert not {"CONDA_PREFIX", "PYTHONPATH"} & set(variables)
    assert package.url == "https://host/channel/noarch/alpha-2.0-py_0.conda"
    assert (package.name, package.version, package.build) == ("alpha", "2.0", "py_0")
    assert "files" not in package.record


def test_an_installation_names_every_package_by_address_and_hash(tmp_path: Path) -> None:
    """In a file that is gone afterwards: the addresses hold credentials."""
    one = program(tmp_path)
    packages = [
        CondaPackage("a", "1", "0", "https://host/channel/noarch/a-1-0.conda", "a" * 32, "b" * 64),
        CondaPackage("b", "1", "0", "https://host/channel/noarch/b-1-0.conda", None, "c" * 64),
    ]

    one.install(packages, _QUESTION.channels, tmp_path / "prefix", lambda _: None, ())

    assert asked_of(one)["explicit"] == [
        "@EXPLICIT\n"
        f"https://alice:word@host/channel/noarch/a-1-0.conda#{'a' * 32}\n"
        f"https://alice:word@host/channel/noarch/b-1-0.conda#sha256:{'c' * 64}\n"
    ]
    assert list((tmp_path / "home").iterdir()) == []


def test_a_users_own_package_cache_is_used(tmp_path: Path) -> None:
    """The program knows it from `.condarc`."""
    one = program(tmp_path, configuration=CondaConfiguration(pkgs_dirs=("/srv/pkgs",)))

    one.solve(_QUESTION, tmp_path / "scratch", lambda _: None, ())

    variables = asked_of(one)["variables"]
    assert isinstance(variables, dict)
    assert "CONDA_PKGS_DIRS" not in variables


@pytest.mark.parametrize(
    ("kind", "message", "trouble"),
    [
        (
            "PackagesNotFoundInChannelsError",
            "The following packages are not available from current channels:\n\n  - alpha=9\n",
            Trouble.CONFLICT,
        ),
        (
            "UnsatisfiableError",
            "The following specifications were found to be incompatible with each other:\n\nPackage beta conflicts for:\nbeta=1",
            Trouble.CONFLICT,
        ),
        (
            "CondaHTTPError",
            "HTTP 000 CONNECTION FAILED for url <http://127.0.0.1:9/x/linux-64/current_repodata.json>\nElapsed: -",
            Trouble.NETWORK,
        ),
        ("NoSpaceLeftError", "No space left on devices.", Trouble.DISK),
        ("CondaError", "something else", Trouble.OTHER),
    ],
)
def test_what_conda_says_of_a_failure_is_understood(
    tmp_path: Path, kind: str, message: str, trouble: Trouble
) -> None:
    """Its report on standard output, as conda 26.9 writes it."""
    one = program(tmp_path)
    report = {"caused_by": "None", "error": f"{kind}: {message}", "exception_name": kind, "message": message}
    (one.path.parent / "failure").write_text(json.dumps(report))

    with pytest.raises(CondaFailed) as failure:
        one.solve(_QUESTION, tmp_path / "scratch", lambda _: None, ())

    assert failure.value.trouble is trouble
    assert failure.value.text == f"{kind}: {message}"
    offline = asked_of(one)["argv"]
    assert isinstance(offline, list)
    assert (offline[-1] == "--offline") is (trouble is Trouble.NETWORK)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_machines_own_program_builds_the_same_environment(
    name: str, tmp_path: Path, environ: dict[str, str], present: tuple[Interpreter, ...]
) -> None:
    """With the lock that py-rattler makes: which program it was makes no difference."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"this machine has no {name}")
    channel = write_channel(tmp_path / "channel", small_world(one_to_package(present)))
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / name).write_text(f'#!/bin/sh\nexec {found} "$@"\n')
    (bin_folder / name).chmod(0o755)
    conda = {
        "channels": [str(channel), "nodefaults"],
        "dependencies": ["python", "alpha=1", {"pip": ["beta"]}],
    }
    request = EnvironmentRequest("e", None, conda, "", conda_packages="conda")
    variables = {**environ, "PATH": f"{bin_folder}{os.pathsep}{os.defpath}", "HOME": str(tmp_path)}
    by_program = Environments(tmp_path / "theirs", environ=variables, find_conda=find_program)
    by_rattler = Environments(tmp_path / "ours", environ=variables)

    ready = by_program.ensure(request, lambda _: None)

    assert ready.lock == by_rattler.resolve(request).lock
    code = "import alpha, beta; print(alpha.version, beta.version)"
    answer = subprocess.run([ready.python, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "1.0 2.0\n"
