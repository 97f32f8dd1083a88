"""Real conda packages by py-rattler, from channels made by hand: solved, locked, built once, never written to."""

import base64
import contextlib
import functools
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from penstock.environments.conda_packages import rattler
from penstock.environments.conda_packages.programs import find_program
from penstock.environments.environments import EnvironmentRequest, Environments, ReadyEnvironment
from penstock.environments.interpreters import Interpreter
from penstock.errors import Conflict, EnvironmentCannotBeBuilt
from tests.environments.conda_channel import (
    File,
    Package,
    one_to_package,
    python_package,
    small_world,
    write_channel,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not rattler.is_here(), reason="py-rattler is not installed"),
]

_DEADLINE = 120.0


@pytest.fixture(scope="session")
def packaged(present: tuple[Interpreter, ...]) -> Interpreter:
    """The Python of this machine that the channel has."""
    return one_to_package(present)


@pytest.fixture(scope="session")
def packages(packaged: Interpreter) -> list[Package]:
    """What the channel has."""
    return small_world(packaged)


@pytest.fixture(scope="session")
def channel(tmp_path_factory: pytest.TempPathFactory, packages: list[Package]) -> Path:
    """The channel with all of it."""
    return write_channel(tmp_path_factory.mktemp("channel"), packages)


@pytest.fixture
def alone(environ: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The variables of a server that knows no Python and no conda configuration of this machine."""
    (tmp_path / "no-pythons").mkdir()
    (tmp_path / "home").mkdir()
    ours = {name: value for name, value in environ.items() if not name.startswith(("CONDA", "MAMBA"))}
    return {**ours, "PENSTOCK_PYTHONS": str(tmp_path / "no-pythons"), "HOME": str(tmp_path / "home")}


@pytest.fixture
def machine(tmp_path: Path, alone: dict[str, str]) -> Environments:
    """The room on a machine without a Python of its own to offer."""
    return Environments(tmp_path / "environments", environ=alone)


def asking(channel: Path | str, *dependencies: object, **more: object) -> EnvironmentRequest:
    """A request for these lines of this channel and no other."""
    conda = {"channels": [str(channel), "nodefaults"], "dependencies": list(dependencies), **more}
    return EnvironmentRequest("train-env:1", None, conda, "/environment", conda_packages="conda")


def said_by(ready: ReadyEnvironment, code: str) -> str:
    """What the environment's Python prints."""
    answer = subprocess.run(
        [ready.python, "-I", "-c", code], env={}, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


def test_a_conda_file_is_built_from_its_channels(
    machine: Environments, channel: Path, packaged: Interpreter
) -> None:
    """With the very Python that it pins, which this machine need not have."""
    request = asking(channel, f"python={packaged.version}", "speaking")
    heard: list[str] = []

    assert machine.check(request) == ()
    ready = machine.ensure(request, heard.append)

    assert said_by(ready, "import alpha, sys; print(alpha.version, sys.base_prefix)") == f"2.0 {ready.prefix}"
    assert subprocess.run(
        [ready.prefix / "bin/speak"], capture_output=True, text=True, check=True
    ).stdout == ("hello from alpha 2.0\n")
    assert (ready.prefix / "share/where.txt").read_text() == f"{ready.prefix}/share\n"
    assert ready.python_version == packaged.version
    assert (
        f"alpha==2.0  special_1  file://{channel}/noarch/alpha-2.0-special_1.tar.bz2  sha256:" in ready.lock
    )
    assert any(line.startswith("solving environment `train-env:1` with py-rattler ") for line in heard)
    assert any("conda packages with py-rattler" in line for line in heard)
    [record] = (ready.prefix.parent.parent / "requests").iterdir()
    assert json.loads(record.read_text())["conda"]["made_by"].startswith("py-rattler ")


def test_the_same_request_gives_the_same_environment_and_is_built_once(
    machine: Environments, channel: Path
) -> None:
    """Also in another order; and what it will be is known without asking anybody."""
    assert machine.foreseen(asking(channel, "python", "alpha=1")) == (None, False)
    ready = machine.ensure(asking(channel, "python", "alpha=1"), lambda _: None)
    before = _fingerprint(ready.prefix)
    heard: list[str] = []

    again = machine.ensure(asking(channel, "alpha=1", "python"), heard.append)

    assert again == ready
    assert heard == []
    assert machine.foreseen(asking(channel, "python", "alpha=1")) == (ready.digest, True)
    assert machine.packages(ready.digest) == {**(machine.packages(ready.digest) or {}), "alpha": "1.0"}
    said_by(ready, "import alpha, json, email.message, sqlite3")
    assert _fingerprint(ready.prefix) == before


def _fingerprint(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file with its size and date."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}


def test_lines_that_only_conda_understands_reach_conda_as_they_are(
    machine: Environments, channel: Path, packaged: Interpreter
) -> None:
    """Builds, channels, ranges, brackets."""
    major, minor = packaged.minor
    lines = (
        f"python >={major}.{minor},<{major}.{minor + 1}",
        "alpha=2.0=py_0",
        f"file://{channel}::beta>=1|=7",
        "speaking[version='>=0.5', build=py_*]",
    )

    locked = machine.resolve(asking(channel, *lines))

    assert "alpha==2.0  py_0 " in locked.lock
    assert "beta==2.0 " in locked.lock
    assert "speaking==1.0 " in locked.lock
    assert locked.python_version == packaged.version


def test_pip_is_there_without_being_asked_for(machine: Environments, channel: Path) -> None:
    """As conda itself gives it to every Python; so a file that names no Python has one too."""
    ready = machine.ensure(asking(channel, "beta=1"), lambda _: None)

    answer = subprocess.run(
        [ready.prefix / "bin/pip", "--version"], capture_output=True, text=True, check=True
    )
    assert str(ready.prefix) in answer.stdout


def test_the_pip_section_is_installed_over_the_conda_packages(machine: Environments, channel: Path) -> None:
    """What conda installed stays where it does; what has to change is told."""
    request = asking(channel, "python", "beta=1", {"pip": ["speaker==1.0", "alpha==2.0", "mlflow==2.9.2"]})

    ready = machine.ensure(request, lambda _: None)

    assert said_by(ready, "import alpha, beta; print(alpha.version, beta.version)") == "2.0 2.0"
    assert ready.warnings == ("pip's section replaces conda's `beta 1.0` by 2.0",)
    assert ready.has_mlflow
    assert machine.installed()[0].packages == len(
        [line for line in ready.lock.splitlines() if line[0] != "#"]
    )
    assert ready.lock.splitlines()[-4:] == ["alpha==2.0", "beta==2.0", "mlflow==2.9.2", "speaker==1.0"]
    stays = machine.resolve(asking(channel, "python", "beta=1", {"pip": ["speaker"]}))
    assert stays.lock.splitlines()[-1] == "speaker==1.0"
    assert sorted(path.name for path in ready.prefix.parent.iterdir()) == [ready.prefix.name]


def test_a_command_installs_into_its_own_layer(
    machine: Environments, channel: Path, alone: dict[str, str], tmp_path: Path
) -> None:
    """`pip install` in a job lands beside the shared environment, which stays as it was."""
    ready = machine.ensure(asking(channel, "python", "speaking", "alpha=1"), lambda _: None)
    before = _fingerprint(ready.prefix)
    commands = machine.overlay(ready, tmp_path / "layer")

    answer = subprocess.run(
        ["/bin/sh", "-c", "pip install --quiet 'alpha==2.0' mlflow==2.9.2 && speak && python -c 'import mlflow'"],
        env={**alone, "PATH": f"{commands}:{ready.prefix / 'bin'}:{os.defpath}", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert answer.stdout == "hello from alpha 2.0\n", answer.stderr
    assert _fingerprint(ready.prefix) == before
    with pytest.raises(Conflict, match="in use"):
        machine.remove(ready.digest)
    shutil.rmtree(tmp_path / "layer")
    assert machine.remove(ready.digest) > 1000
    assert not ready.prefix.exists()


def test_its_commands_get_the_variables_that_activation_would_set(
    machine: Environments, tmp_path: Path, packages: list[Package]
) -> None:
    """Those of packages, by script or by file, and those of the conda file itself."""
    script = File(b'export GEO_DATA="$CONDA_PREFIX/share/geo"\nunset NOTHING\n')
    listed = File(json.dumps({"GEO_LEVEL": "3"}).encode())
    geo = Package(
        "geo",
        "1.0",
        files={"etc/conda/activate.d/geo.sh": script, "etc/conda/env_vars.d/geo.json": listed},
    )
    channel = write_channel(tmp_path / "channel", [*packages, geo])

    ready = machine.ensure(asking(channel, "python", "geo", variables={"MODE": "fast"}), lambda _: None)

    assert ready.variables == {
        "CONDA_PREFIX": str(ready.prefix),
        "CONDA_DEFAULT_ENV": str(ready.prefix),
        "GEO_DATA": f"{ready.prefix}/share/geo",
        "GEO_LEVEL": "3",
        "MODE": "fast",
    }


def test_what_no_channel_has_is_told_with_its_line_and_the_versions_that_there_are(
    machine: Environments, channel: Path
) -> None:
    """All of it at once."""
    request = asking(channel, "python", "alpha=3", "beta<1", "nothing-of-that-name")

    with pytest.raises(EnvironmentCannotBeBuilt, match="channels do not have") as refusal:
        machine.ensure(request, lambda _: None)

    assert refusal.value.details == (
        "/environment/conda_file/dependencies/1  alpha=3: there are 2.0, 1.0",
        "/environment/conda_file/dependencies/2  beta<1: there are 2.0, 1.0",
        "/environment/conda_file/dependencies/3  nothing-of-that-name: no package of that name",
        f"asked: file://{channel}",
    )


def test_packages_that_exclude_each_other_are_told_in_the_solvers_words_with_their_lines(
    machine: Environments, channel: Path
) -> None:
    """Nothing half-made is left."""
    with pytest.raises(EnvironmentCannotBeBuilt, match="cannot all be had together") as refusal:
        machine.ensure(asking(channel, "python", "alpha=2", "beta=1"), lambda _: None)

    told = "\n".join(refusal.value.details)
    assert "alpha" in told
    assert "beta >=2" in told
    assert "/environment/conda_file/dependencies/1  alpha=2" in refusal.value.details
    assert "/environment/conda_file/dependencies/2  beta=1" in refusal.value.details
    assert machine.installed() == []


def test_a_channel_that_is_not_there_is_named(machine: Environments, tmp_path: Path) -> None:
    """A folder, or a server that does not answer."""
    for address in (f"file://{tmp_path}/no-channel", "http://127.0.0.1:9/channel"):
        with pytest.raises(EnvironmentCannotBeBuilt, match="channel cannot be reached") as refusal:
            machine.ensure(asking(address, "python"), lambda _: None)
        assert any(f"asked: {address}" in line for line in refusal.value.details)


def test_a_python_that_is_too_old_for_jobs_is_refused(machine: Environments, tmp_path: Path) -> None:
    """What runs beside a user's code needs 3.7."""
    channel = write_channel(tmp_path / "channel", [Package("python", "2.7.18")])

    with pytest.raises(EnvironmentCannotBeBuilt, match=r"Python 2\.7\.18") as refusal:
        machine.resolve(asking(channel, "python=2.7"))

    assert refusal.value.details == ("/environment/conda_file/dependencies/0  python=2.7",)


def test_an_environment_without_a_python_is_refused(machine: Environments, tmp_path: Path) -> None:
    """Nothing of it asks for one, and the channel has no pip that would."""
    channel = write_channel(tmp_path / "channel", [Package("tool", "1.0")])

    with pytest.raises(EnvironmentCannotBeBuilt, match="has no Python"):
        machine.resolve(asking(channel, "tool"))


class _Guarded(http.server.SimpleHTTPRequestHandler):
    """A web server's folder behind a user and a password."""

    password = "secret-of-alice"

    def do_GET(self) -> None:
        wanted = base64.b64encode(f"alice:{self.password}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {wanted}":
            self.send_error(401)
            return
        super().do_GET()

    def log_message(self, *args: object) -> None:
        pass


@contextlib.contextmanager
def served(folder: Path, handler: type[http.server.SimpleHTTPRequestHandler]) -> Iterator[str]:
    """The folder over HTTP; yields `127.0.0.1:<port>`."""
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(handler, directory=str(folder))
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_credentials_of_a_channel_are_used_and_kept_nowhere(
    machine: Environments, channel: Path, tmp_path: Path
) -> None:
    """Not in the lock, the records, the prefix, the progress or an error."""
    heard: list[str] = []
    with served(channel, _Guarded) as host:
        address = f"http://alice:{_Guarded.password}@{host}"
        ready = machine.ensure(asking(address, "python", "alpha"), heard.append)
        with pytest.raises(EnvironmentCannotBeBuilt) as refusal:
            machine.ensure(asking(address, "alpha=99"), heard.append)

    assert f"http://{host}/noarch/alpha-2.0" in ready.lock
    told = "\n".join([*heard, ready.lock, *refusal.value.details, repr(ready)])
    assert _Guarded.password not in told
    found = subprocess.run(
        ["grep", "-rlF", _Guarded.password, tmp_path / "environments"], capture_output=True, text=True, check=False
    )  # fmt: skip
    assert found.stdout == ""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    """A web server's folder."""

    def log_message(self, *args: object) -> None:
        pass


def test_without_a_network_what_was_downloaded_before_is_enough(machine: Environments, channel: Path) -> None:
    """The channel's index and the packages are there from another environment."""
    with served(channel, _Quiet) as host:
        machine.ensure(asking(f"http://{host}", "python", "speaking", "alpha=1"), lambda _: None)
    heard: list[str] = []

    ready = machine.ensure(asking(f"http://{host}", "python", "alpha=1"), heard.append)

    assert said_by(ready, "import alpha; print(alpha.version)") == "1.0"
    assert "a download failed; trying with what was downloaded before" in heard


def test_a_package_that_was_withdrawn_after_it_was_locked_is_replaced(
    machine: Environments, tmp_path: Path, packages: list[Package]
) -> None:
    """The lock is made anew, and that is told."""
    newer = python_package("beta", "3.0")
    channel = write_channel(tmp_path / "channel", [*packages, newer])
    assert "beta==3.0" in machine.resolve(asking(channel, "python", "beta")).lock
    (channel / "noarch" / newer.file_name).unlink()
    write_channel(channel, packages)
    heard: list[str] = []

    ready = machine.ensure(asking(channel, "python", "beta"), heard.append)

    assert "beta==2.0" in ready.lock
    assert any("cannot be installed any more" in line for line in heard)


def test_what_conda_itself_was_told_is_what_counts(
    channel: Path, alone: dict[str, str], tmp_path: Path
) -> None:
    """A mirror that `.condarc` names stands for every channel's name, also inside a line."""
    (tmp_path / "home/.condarc").write_text(f"channel_alias: file://{channel.parent}\n")
    machine = Environments(tmp_path / "environments", environ=alone)

    locked = machine.resolve(asking(channel.name, "python", f"{channel.name}::alpha=1"))

    assert f"file://{channel}/noarch/alpha-1.0-py_0.conda" in locked.lock


# Runs in a process of its own: asks for an environment from several threads and prints what it heard.
_ASK = """
import json, sys, threading
from pathlib import Path
from penstock.environments.environments import EnvironmentRequest, Environments
environments = Environments(Path(sys.argv[1]))
request = EnvironmentRequest("e", None, json.loads(sys.argv[3]), "", conda_packages="conda")
def ask():
    ready = environments.ensure(request, lambda line: print(f"{line}\\n", end="", flush=True))
    print(f"ready {ready.digest}\\n", end="", flush=True)
threads = [threading.Thread(target=ask) for _ in range(int(sys.argv[2]))]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def ask_elsewhere(
    folder: Path, environ: Mapping[str, str], threads: int, request: EnvironmentRequest
) -> "subprocess.Popen[str]":
    """Another process asks for an environment."""
    return subprocess.Popen(
        [sys.executable, "-c", _ASK, str(folder), str(threads), json.dumps(request.conda)],
        env=dict(environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_however_many_ask_at_once_one_builds(alone: dict[str, str], channel: Path, tmp_path: Path) -> None:
    """Threads and processes."""
    request = asking(channel, "python", "alpha", {"pip": ["speaker"]})
    processes = [ask_elsewhere(tmp_path / "environments", alone, 2, request) for _ in range(2)]

    printed = "".join(process.communicate(timeout=_DEADLINE)[0] for process in processes)

    lines = printed.splitlines()
    assert len([line for line in lines if line.startswith("ready ")]) == 4, printed
    assert len({line for line in lines if line.startswith("ready ")}) == 1
    assert len([line for line in lines if line.startswith("solving environment")]) == 1
    assert len([line for line in lines if line.startswith("building environment")]) == 1


def wait_until(happened: Callable[[], object], what: str) -> None:
    """Look again and again, until a deadline."""
    deadline = time.monotonic() + _DEADLINE
    while not happened():
        assert time.monotonic() < deadline, f"waited too long until {what}"
        time.sleep(0.02)


def test_a_build_that_is_killed_while_it_links_is_begun_anew(
    alone: dict[str, str], machine: Environments, packages: list[Package], tmp_path: Path
) -> None:
    """A package's link script waits, so it is killed when half of the files are there."""
    began, go = tmp_path / "began", tmp_path / "go"
    script = f"#!/bin/sh\ntouch {began}\nwhile [ ! -e {go} ]; do sleep 0.05; done\n"
    slow = Package("slow", "1.0", files={"bin/.slow-post-link.sh": File(script.encode(), 0o755)})
    channel = write_channel(tmp_path / "channel", [*packages, slow])
    request = asking(channel, "python", "alpha", "slow")
    process = ask_elsewhere(tmp_path / "environments", alone, 1, request)
    wait_until(began.exists, "the link script runs")
    [half_made] = (tmp_path / "environments/built").iterdir()
    assert (half_made / "conda-meta").is_dir()

    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=_DEADLINE)
    assert machine.installed() == []
    go.touch()
    ready = machine.ensure(request, lambda _: None)

    assert ready.prefix == half_made
    assert said_by(ready, "import alpha; print(alpha.version)") == "2.0"


def test_a_build_whose_server_was_killed_is_waited_for(
    alone: dict[str, str], machine: Environments, packages: list[Package], tmp_path: Path
) -> None:
    """The orphan that still writes holds the lock: nobody builds in the same folder meanwhile."""
    began, go = tmp_path / "began", tmp_path / "go"
    script = f"#!/bin/sh\ntouch {began}\nwhile [ ! -e {go} ]; do sleep 0.05; done\n"
    slow = Package("slow", "1.0", files={"bin/.slow-post-link.sh": File(script.encode(), 0o755)})
    channel = write_channel(tmp_path / "channel", [*packages, slow])
    request = asking(channel, "python", "alpha", "slow")
    process = ask_elsewhere(tmp_path / "environments", alone, 1, request)
    wait_until(began.exists, "the link script runs")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=_DEADLINE)
    heard: list[str] = []
    asker = threading.Thread(target=machine.ensure, args=(request, heard.append))
    asker.start()

    wait_until(lambda: any("waiting for environment" in line for line in heard), "the lock is held")
    assert not any(line.startswith("building") for line in heard)
    assert machine.remove_unfinished() == 0
    go.touch()
    asker.join(_DEADLINE)

    assert len(machine.installed()) == 1


# Runs in a mount namespace of its own, on a real small filesystem.
_ON_A_SMALL_DISK = """
import json, subprocess, sys
from pathlib import Path
from penstock.environments.environments import EnvironmentRequest, Environments
from penstock.errors import PenstockError
small = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=5m", "none", str(small)], check=True)
folder = small / "environments"
try:
    request = EnvironmentRequest("e", None, json.loads(sys.argv[2]), "", conda_packages="conda")
    Environments(folder).ensure(request, print)
except PenstockError as error:
    print("ERROR", error.code, error.message, error.hint)
print("LEFT", sorted(path.name for path in (folder / "built").glob("*")))
"""


def test_a_full_disk_is_said_plainly_and_nothing_half_made_is_left(
    alone: dict[str, str], channel: Path, tmp_path: Path
) -> None:
    """A Python does not fit."""
    small = tmp_path / "small"
    small.mkdir()
    namespace = ["unshare", "--map-root-user", "--mount"]
    trial = [*namespace, "mount", "-t", "tmpfs", "none", str(small)]
    if shutil.which("unshare") is None or subprocess.run(trial, check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a small filesystem")

    answer = subprocess.run(
        [*namespace, sys.executable, "-c", _ON_A_SMALL_DISK, small, json.dumps(asking(channel, "python").conda)],
        env=alone, capture_output=True, text=True, check=False,
    )  # fmt: skip

    printed = answer.stdout + answer.stderr
    assert "ERROR StorageFull no space is left on the disk that holds environments" in printed
    assert "LEFT []" in printed


def test_the_cache_of_conda_packages_is_counted_and_emptied(machine: Environments, channel: Path) -> None:
    """Environments go on: their files are links of their own."""
    ready = machine.ensure(asking(channel, "python", "alpha=1"), lambda _: None)

    freed = machine.clear_cache()

    assert freed > 1000
    assert machine.sizes()["cache"] == 0
    assert said_by(ready, "import alpha; print(alpha.version)") == "1.0"


def test_without_being_asked_packages_come_from_pypi(environments: Environments, channel: Path) -> None:
    """Nothing changes for a conda file; and an image alone has no conda packages."""
    conda = asking(channel, "numpy").conda
    plain = environments.resolve(EnvironmentRequest("e", None, conda, ""))
    image = environments.resolve(EnvironmentRequest("e", "python:3", None, "", conda_packages="conda"))

    assert plain.lock.startswith("numpy==2.1\n")
    assert image.lock.startswith("pip==")


@pytest.mark.parametrize(
    ("line", "would_help"),
    [
        ("our-own-library", True),
        ("r-base=4.3", True),
        ("numpy>=1.20|=1.18", True),
        ("numpy[version='1.2', md5=0123456789abcdef]", True),
        ("python=3.9", True),
        ("scikit-lern", False),
        ("=1.2", False),
        ("python=2.7", False),
    ],
)
def test_real_conda_packages_are_offered_only_where_they_would_do(
    alone: dict[str, str], tmp_path: Path, present: tuple[Interpreter, ...], line: str, would_help: bool
) -> None:
    """Not for a slip of the pen."""
    one = next((str(each.path) for each in present if each.minor != (3, 9)), None)
    if one is None:
        pytest.skip("this machine has no other Python than 3.9")
    machine = Environments(tmp_path / "environments", environ={**alone, "PENSTOCK_PYTHONS": one})

    [problem] = machine.check(EnvironmentRequest("e", None, {"dependencies": [line]}, ""))

    assert ("PENSTOCK_CONDA_PACKAGES=conda" in (problem.hint or "")) is would_help, problem


def test_a_machine_without_any_program_says_all_ways_to_get_one(
    tmp_path: Path, alone: dict[str, str]
) -> None:
    """Told before anything is built."""
    nowhere = {**alone, "PATH": str(tmp_path / "home")}
    machine = Environments(tmp_path / "environments", environ=nowhere, find_conda=find_program)

    [problem] = machine.check(asking("conda-forge", "python"))

    assert problem.pointer == "/environment/conda_file"
    for way in ("py-rattler", "micromamba", "mamba", "conda", "PyPI"):
        assert way in f"{problem.message} {problem.hint}"


@pytest.mark.parametrize(
    ("conda", "pointer"),
    [
        ({"channels": [3], "dependencies": []}, "/environment/conda_file/channels/0"),
        ({"channels": ["./mine"], "dependencies": []}, "/environment/conda_file/channels/0"),
        ({"dependencies": ["python", {"pip": ["-r more.txt"]}]}, "/environment/conda_file/dependencies/1/pip/0"),
        ({"dependencies": ["--file=/etc/passwd"]}, "/environment/conda_file/dependencies/0"),
        ({"dependencies": [{"python": 3}]}, "/environment/conda_file/dependencies/0"),
        ({"dependences": []}, "/environment/conda_file/dependences"),
        ({"variables": ["a"], "dependencies": []}, "/environment/conda_file/variables"),
    ],
)  # fmt: skip
def test_a_file_of_the_wrong_form_is_refused_at_its_line(
    machine: Environments, conda: dict[str, object], pointer: str
) -> None:
    """Without asking a channel."""
    request = EnvironmentRequest("e", None, conda, "/environment", conda_packages="conda")

    assert machine.check(request)[0].pointer == pointer
