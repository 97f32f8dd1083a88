"""From a request to a folder that runs Python: built once, whole or not at all, and removed only when nobody uses it."""

import os
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from penstock.environments.environments import EnvironmentRequest, Environments
from penstock.errors import Conflict, EnvironmentCannotBeBuilt, NotFound
from tests.environments.conftest import make_wheel

_DEADLINE = 120.0

# Runs in a process of its own: asks for an environment from several threads and prints what it heard.
_ASK = """
import sys, threading
from pathlib import Path
from penstock.environments.environments import EnvironmentRequest, Environments
environments = Environments(Path(sys.argv[1]))
request = EnvironmentRequest("e", None, {"dependencies": [{"pip": sys.argv[3:]}]}, "")
def ask():
    ready = environments.ensure(request, lambda line: print(line, flush=True))
    print("ready", ready.digest, flush=True)
threads = [threading.Thread(target=ask) for _ in range(int(sys.argv[2]))]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""

# The build back-end of a source package that says when it began and waits to be let on.
_BACKEND = """
import os, time, zipfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    open({began!r}, "w").close()
    while not os.path.exists({go!r}):
        time.sleep(0.02)
    with zipfile.ZipFile(os.path.join(folder, "slow-1.0-py3-none-any.whl"), "w") as archive:
        archive.writestr("slow.py", "")
        archive.writestr("slow-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: slow\\nVersion: 1.0\\n")
        archive.writestr("slow-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr("slow-1.0.dist-info/RECORD", "")
    return "slow-1.0-py3-none-any.whl"
"""


def asking(*pip: str) -> EnvironmentRequest:
    """A request with these pip lines."""
    return EnvironmentRequest("e", None, {"dependencies": [{"pip": list(pip)}]}, "")


def wait_until(happened: Callable[[], object], what: str) -> None:
    """Look again and again, until a deadline."""
    deadline = time.monotonic() + _DEADLINE
    while not happened():
        assert time.monotonic() < deadline, f"waited too long until {what}"
        time.sleep(0.02)


def ask_elsewhere(folder: Path, environ: dict[str, str], threads: int, *pip: str) -> "subprocess.Popen[str]":
    """Another process asks for an environment."""
    return subprocess.Popen(
        [sys.executable, "-c", _ASK, str(folder), str(threads), *pip],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.fixture
def slow(wheelhouse: Path, tmp_path: Path, environ: dict[str, str]) -> tuple[dict[str, str], Path, Path]:
    """An index with a source package that waits: the variables, the file that says it began, the one that lets it on."""
    index, began, go = tmp_path / "index", tmp_path / "began", tmp_path / "go"
    index.mkdir()
    files = {
        "PKG-INFO": "Metadata-Version: 2.2\nName: slow\nVersion: 1.0\n",
        "backend.py": _BACKEND.format(began=str(began), go=str(go)),
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "slow"\nversion = "1.0"\n',
    }
    with tarfile.open(index / "slow-1.0.tar.gz", "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"slow-1.0/{name}")
            entry.size = len(text)
            archive.addfile(entry, BytesIO(text.encode()))
    return (
        {**environ, "PIP_FIND_LINKS": f"{wheelhouse} {index}", "UV_CACHE_DIR": str(tmp_path / "cache")},
        began,
        go,
    )


def test_an_environment_runs_python_with_its_packages_and_pip(
    environments: Environments, say: Callable[[str], None]
) -> None:
    """Compiled to bytecode, whatever the server's own variables say."""
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    try:
        ready = environments.ensure(asking("alpha"), say)
    finally:
        del os.environ["PYTHONDONTWRITEBYTECODE"]

    answer = subprocess.run(
        [ready.python, "-c", "import alpha, pip, sys; print(alpha.version, sys.prefix)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert answer.stdout.split() == ["2.0", str(ready.prefix)]
    assert list(ready.prefix.glob("lib/python3*/site-packages/__pycache__/alpha.*.pyc"))
    assert ready.lock.splitlines()[0] == "alpha==2.0"


def test_the_second_ask_runs_nothing(environments: Environments, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither uv nor an interpreter."""
    first = environments.ensure(asking("alpha"), lambda _: None)
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a process was started"))
    heard: list[str] = []

    second = environments.ensure(asking("alpha"), heard.append)

    assert second == first
    assert heard == []


def test_progress_is_said_line_by_line(environments: Environments) -> None:
    """What is resolved, what is built, how long it took."""
    heard: list[str] = []

    environments.ensure(asking("alpha"), heard.append)

    assert heard[0].startswith("resolving environment `e` for Python 3.")
    assert any(line.startswith("building environment `e`: Python 3.") for line in heard)
    assert heard[-1].startswith("built environment `e` in ")


def test_one_builds_however_many_threads_and_processes_ask(tmp_path: Path, environ: dict[str, str]) -> None:
    """The issue's own words: built once."""
    folder = tmp_path / "environments"

    asking_processes = [ask_elsewhere(folder, environ, 3, "alpha") for _ in range(2)]
    heard = [
        line
        for process in asking_processes
        for line in process.communicate(timeout=_DEADLINE)[0].splitlines()
    ]

    ready = [line for line in heard if line.startswith("ready")]
    assert len(ready) == 6, heard
    assert len(set(ready)) == 1
    assert sum(line.startswith("building") for line in heard) == 1
    assert sum(line.startswith("resolving") for line in heard) == 1


def test_a_build_that_was_killed_is_built_anew_after_its_orphan_has_ended(
    tmp_path: Path, slow: tuple[dict[str, str], Path, Path]
) -> None:
    """uv outlives a killed server for a moment; the next one waits for it instead of writing over it."""
    environ, began, go = slow
    folder = tmp_path / "environments"
    killed = ask_elsewhere(folder, environ, 1, "slow")
    wait_until(began.exists, "the build began")
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    heard: list[str] = []
    environments = Environments(folder, environ=environ)
    results: list[object] = []
    asks = threading.Thread(target=lambda: results.append(environments.ensure(asking("slow"), heard.append)))

    asks.start()
    wait_until(lambda: any("waiting for environment" in line for line in heard), "the next ask waits")
    assert [one.name for one in (folder / "built").iterdir()]  # half-made, and not taken for finished
    assert environments.installed() == []
    go.touch()
    asks.join(_DEADLINE)

    [ready] = environments.installed()
    assert any(line.startswith("building environment") for line in heard)
    assert (folder / "built" / ready.digest[:32] / "bin" / "python").exists()
    assert len(results) == 1
    assert killed.stdout is not None
    killed.stdout.close()


def test_what_a_killed_build_left_is_removed_on_request(environments: Environments, tmp_path: Path) -> None:
    """Nobody may ask for it again."""
    ready = environments.ensure(asking("alpha"), lambda _: None)
    unfinished = tmp_path / "environments" / "built" / ("0" * 32)
    (unfinished / "lib").mkdir(parents=True)

    removed = environments.remove_unfinished()

    assert removed == 1
    assert not unfinished.exists()
    assert [one.digest for one in environments.installed()] == [ready.digest]


def test_a_package_that_cannot_be_built_is_explained_and_leaves_nothing(
    tmp_path: Path, wheelhouse: Path, environ: dict[str, str]
) -> None:
    """A source package whose build fails: the usual end of an old pin on a new Python."""
    index = tmp_path / "index"
    index.mkdir()
    files = {
        "PKG-INFO": "Metadata-Version: 2.2\nName: broken\nVersion: 1.0\n",
        "backend.py": "def build_wheel(*_, **__):\n    raise SystemExit('no compiler here')\n",
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "broken"\nversion = "1.0"\n',
    }
    with tarfile.open(index / "broken-1.0.tar.gz", "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"broken-1.0/{name}")
            entry.size = len(text)
            archive.addfile(entry, BytesIO(text.encode()))
    environments = Environments(
        tmp_path / "environments", environ={**environ, "PIP_FIND_LINKS": f"{wheelhouse} {index}"}
    )
    heard: list[str] = []

    with pytest.raises(EnvironmentCannotBeBuilt, match="no wheel for Python") as refusal:
        environments.ensure(asking("broken"), heard.append)

    assert any("broken==1.0" in line for line in refusal.value.details)
    assert any("no compiler here" in line for line in refusal.value.details)
    assert any("no compiler here" in line for line in heard)
    assert list((tmp_path / "environments" / "built").iterdir()) == []


def test_a_lock_that_went_stale_is_made_anew(
    tmp_path: Path, wheelhouse: Path, environ: dict[str, str]
) -> None:
    """A release was withdrawn after it was locked and before it was built."""
    index = tmp_path / "index"
    index.mkdir()
    withdrawn = make_wheel(index, "gamma", "2.0")
    make_wheel(index, "gamma", "1.0")
    mine = {**environ, "PIP_FIND_LINKS": f"{wheelhouse} {index}", "UV_CACHE_DIR": str(tmp_path / "cache")}
    environments = Environments(tmp_path / "environments", environ=mine)
    assert "gamma==2.0" in environments.resolve(asking("gamma")).lock
    withdrawn.unlink()

    ready = environments.ensure(asking("gamma"), lambda _: None)

    assert "gamma==1.0" in ready.lock


def test_an_environment_whose_python_is_gone_is_built_anew(environments: Environments) -> None:
    """An upgrade of the machine's Python removes the one that the links point to."""
    ready = environments.ensure(asking("alpha"), lambda _: None)
    ready.python.unlink()
    ready.python.symlink_to("/nowhere/python3")

    again = environments.ensure(asking("alpha"), lambda _: None)

    assert again == ready
    assert subprocess.run([again.python, "-c", "import alpha"], check=False).returncode == 0


def test_an_environment_in_use_is_not_removed(environments: Environments, tmp_path: Path) -> None:
    """In use as long as the overlay's folder exists: also after a restart."""
    ready = environments.ensure(asking("alpha"), lambda _: None)
    environments.overlay(ready, tmp_path / "overlay")

    with pytest.raises(Conflict, match="in use") as refusal:
        environments.remove(ready.digest)
    shutil.rmtree(tmp_path / "overlay")
    freed = environments.remove(ready.digest)

    assert str(tmp_path / "overlay") in refusal.value.details[0]
    assert freed > 1000
    assert not ready.prefix.exists()
    assert environments.installed() == []


def test_a_hold_keeps_an_environment_without_an_overlay(environments: Environments, tmp_path: Path) -> None:
    """For what runs in it without a layer of its own."""
    ready = environments.ensure(asking("alpha"), lambda _: None)
    deployment = tmp_path / "deployment"
    deployment.mkdir()
    environments.hold(ready.digest, deployment)

    assert environments.installed()[0].used_by == (deployment,)
    with pytest.raises(Conflict):
        environments.remove(ready.digest)


def test_uses_that_ended_do_not_pile_up(environments: Environments, tmp_path: Path) -> None:
    """Thousands of jobs use one environment."""
    ready = environments.ensure(asking("alpha"), lambda _: None)
    for number in range(3):
        environments.overlay(ready, tmp_path / f"ended-{number}")
        shutil.rmtree(tmp_path / f"ended-{number}")
    environments.overlay(ready, tmp_path / "overlay")

    page = tmp_path / "environments" / "uses" / ready.prefix.name
    assert sorted(path.name == "last" for path in page.iterdir()) == [False, True]


def test_an_environment_that_was_removed_meanwhile_is_no_base_for_an_overlay(
    environments: Environments, tmp_path: Path
) -> None:
    """Cleaning up between `ensure` and `overlay` is an error that says what to do, not half a layer."""
    ready = environments.ensure(asking("alpha"), lambda _: None)
    environments.remove(ready.digest)

    with pytest.raises(Conflict, match="removed before"):
        environments.overlay(ready, tmp_path / "overlay")

    assert not (tmp_path / "overlay").exists()
    assert environments.ensure(asking("alpha"), lambda _: None) == ready


@pytest.mark.parametrize("digest", ["", "..", "../../x", "0" * 64, "a" * 31])
def test_only_a_digest_names_an_environment_to_remove(environments: Environments, digest: str) -> None:
    """A path is no digest."""
    with pytest.raises(NotFound):
        environments.remove(digest)


def test_installed_environments_are_listed_with_size_and_last_use(environments: Environments) -> None:
    """The longest unused first: the one to remove."""
    first = environments.ensure(asking("alpha"), lambda _: None)
    second = environments.ensure(asking("beta"), lambda _: None)
    uses = first.prefix.parent.parent / "uses"
    os.utime(uses / first.prefix.name / "last", (2_000, 2_000))
    os.utime(uses / second.prefix.name / "last", (1_000, 1_000))

    listed = environments.installed()

    assert [one.digest for one in listed] == [second.digest, first.digest]
    assert [one.last_used for one in listed] == [1_000, 2_000]
    assert all(one.bytes > 1000 and one.packages >= 2 for one in listed)


def test_files_are_shared_with_the_cache_and_counted_once(
    tmp_path: Path, environ: dict[str, str], wheelhouse: Path
) -> None:
    """Hard links: a second environment with the same packages costs next to nothing."""
    own = {name: value for name, value in environ.items() if name != "UV_CACHE_DIR"}
    environments = Environments(tmp_path / "environments", environ=own)
    ready = environments.ensure(asking("alpha"), lambda _: None)
    [module] = ready.prefix.glob("lib/python3*/site-packages/alpha.py")
    before = environments.sizes()

    freed = environments.clear_cache()

    assert before["environments"] > 0
    assert before["cache"] > 0
    assert freed > 0
    assert module.exists()
    assert environments.sizes()["environments"] == before["environments"]


def test_a_cache_of_the_users_own_is_left_alone(environments: Environments, cache: Path) -> None:
    """UV_CACHE_DIR names it; others use it too."""
    environments.ensure(asking("alpha"), lambda _: None)

    assert environments.clear_cache() == 0
    assert environments.sizes()["cache"] == 0
    assert any(cache.iterdir())


# Runs in a mount namespace of its own, on a real small filesystem.
_ON_A_SMALL_DISK = """
import shutil, subprocess, sys
from pathlib import Path
from penstock.environments.environments import EnvironmentRequest, Environments
from penstock.errors import PenstockError
small, memory, mend = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k", "none", str(small)], check=True)
folder = small / "environments"
folder.mkdir()
shutil.copy(memory, folder)
if mend == "ro":
    subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
try:
    request = EnvironmentRequest("e", None, {"dependencies": [{"pip": ["alpha"]}]}, "")
    Environments(folder).ensure(request, print)
except PenstockError as error:
    print("ERROR", error.code, error.message, error.hint)
print("LEFT", sorted(path.name for path in (folder / "built").glob("*")))
"""


def on_a_small_disk(tmp_path: Path, environ: dict[str, str], memory: Path, options: str) -> str:
    """Build on a disk of 1.5 MB, mounted with these options, and return what was printed."""
    small = tmp_path / "small"
    small.mkdir()
    namespace = ["unshare", "--map-root-user", "--mount"]
    trial = [*namespace, "mount", "-t", "tmpfs", "none", str(small)]
    if shutil.which("unshare") is None or subprocess.run(trial, check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a small filesystem")
    answer = subprocess.run(
        [*namespace, sys.executable, "-c", _ON_A_SMALL_DISK, small, memory, options],
        env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return answer.stdout + answer.stderr


def test_a_disk_that_is_full_is_said_plainly_and_nothing_half_made_is_left(
    tmp_path: Path, environ: dict[str, str], memory: Path
) -> None:
    """pip alone does not fit."""
    printed = on_a_small_disk(tmp_path, environ, memory, "rw")

    assert "ERROR StorageFull no space is left on the disk that holds environments" in printed
    assert "penstock gc" in printed
    assert "LEFT []" in printed


def test_a_disk_that_is_read_only_is_said_plainly(
    tmp_path: Path, environ: dict[str, str], memory: Path
) -> None:
    """And what to do about it."""
    printed = on_a_small_disk(tmp_path, environ, memory, "ro")

    assert "ERROR UserError environments cannot be written: Read-only file system" in printed
    assert "PENSTOCK_HOME" in printed


def test_what_a_killed_resolver_left_goes_with_what_killed_builds_left(
    environments: Environments, tmp_path: Path
) -> None:
    """Not what somebody is working in right now."""
    folder = tmp_path / "environments"
    for name in (".lock-old", ".trial-old", ".lock-new"):
        (folder / name / "below").mkdir(parents=True)
        os.utime(folder / name, (0, 0) if name.endswith("old") else None)

    assert environments.remove_unfinished() == 2
    assert {each.name for each in folder.iterdir() if each.name.startswith(".")} == {".lock-new"}
