"""A real container engine, and an image made of this machine's own programs: no registry is asked."""

import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.compute.engine import Engine, Engines

IMAGE = "localhost/penstock-tests:1"
_PROGRAMS = ("bash", "cat", "sleep", "env", "id", "touch", "mkdir", "ls", "df", "setsid")
# What an unprivileged sandbox needs of podman: limits that it may set, and a runtime that knows its cgroups.
_SANDBOX = """\
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The engine of this machine with the tests' image on it; the tests say why they skip where it runs nothing."""
    found = Engines().found()
    if found is None:
        pytest.skip("neither podman nor docker answers on this machine")
    before, had = os.environ.get("CONTAINERS_CONF"), _images(found)
    if not _runs(found, tmp_path_factory.mktemp("image")):
        if found.name != "podman" or shutil.which("runc") is None:
            pytest.skip(f"{found.name} {found.version} cannot run a container here")
        conf = tmp_path_factory.mktemp("podman") / "containers.conf"
        conf.write_text(_SANDBOX)
        os.environ["CONTAINERS_CONF"] = str(conf)
        if not _runs(found, tmp_path_factory.mktemp("again")):
            pytest.skip(
                f"{found.name} {found.version} cannot run a container here, even with limits of its own"
            )
    yield found
    left = sorted(_images(found) - had)
    if left:
        subprocess.run(
            [found.program, "rmi", "--force", *left], capture_output=True, timeout=120, check=False
        )
    os.environ.pop("CONTAINERS_CONF", None)
    if before is not None:
        os.environ["CONTAINERS_CONF"] = before


def _images(engine: Engine) -> set[str]:
    """Names of all images; those that the tests make are removed at their end."""
    listed = subprocess.run(
        [engine.program, "images", "--format", "{{.Repository}}:{{.Tag}}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return {name for name in listed.stdout.split() if name.startswith("localhost/penstock")}


def _runs(engine: Engine, folder: Path) -> bool:
    if not engine.has_image(IMAGE):
        _import(engine, folder)
    ran = subprocess.run(
        [
            engine.program,
            "run",
            "--rm",
            "--network",
            "host",
            "--entrypoint",
            "/bin/bash",
            IMAGE,
            "-c",
            "exit 7",
        ],
        capture_output=True,
        timeout=120,
        check=False,
    )
    return ran.returncode == 7


def _import(engine: Engine, folder: Path) -> None:
    archive = folder / "image.tar"
    with tarfile.open(archive, "w") as tar:
        for name in _PROGRAMS:
            program = shutil.which(name)
            if program is None:
                pytest.skip(f"this machine has no `{name}` to make an image of")
            tar.add(os.path.realpath(program), f"bin/{name}")
            for library in _libraries_of(program):
                if library.lstrip("/") not in tar.getnames():
                    tar.add(os.path.realpath(library), library.lstrip("/"))
        link = tarfile.TarInfo("bin/sh")
        link.type, link.linkname = tarfile.SYMTYPE, "bash"
        tar.addfile(link)
        for name in ("tmp", "proc", "dev", "sys", "etc"):
            place = tarfile.TarInfo(name)
            place.type, place.mode = tarfile.DIRTYPE, 0o1777
            tar.addfile(place)
    done = subprocess.run(
        [engine.program, "import", str(archive), IMAGE], capture_output=True, timeout=300, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"{engine.name} cannot import an image: {done.stderr.decode('utf-8', 'replace')[-300:]}")


def _libraries_of(program: str) -> list[str]:
    if shutil.which("ldd") is None:
        pytest.skip("this machine has no `ldd` to find a program's libraries with")
    said = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    return [word for line in said.splitlines() for word in line.split() if word.startswith("/")]
