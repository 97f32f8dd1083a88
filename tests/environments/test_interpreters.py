"""The Pythons of this machine: found, verified by running them once, remembered."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.environments.interpreters import Interpreter, Interpreters
from penstock.errors import PenstockError


def test_the_python_that_runs_penstock_is_found(present: tuple[Interpreter, ...]) -> None:
    """As its base: not the venv that Penstock lives in."""
    assert sys.version_info[:3] in [one.version_info for one in present]
    assert all(one.path == one.path.resolve() for one in present)
    assert all(one.minor >= (3, 7) for one in present)


def test_every_python_is_listed_once(present: tuple[Interpreter, ...]) -> None:
    """`python`, `python3` and `python3.11` are one file."""
    assert len({one.path for one in present}) == len(present)


def test_pyenvs_versions_are_found_where_only_its_shims_are_on_path(
    tmp_path: Path, present: tuple[Interpreter, ...]
) -> None:
    """A shim is a script: it is skipped, and never run."""
    root, ran = tmp_path / "pyenv", tmp_path / "ran"
    shim = root / "shims" / "python3.9"
    shim.parent.mkdir(parents=True)
    shim.write_text(f"#!/bin/sh\ntouch {ran}\nexit 127\n")
    shim.chmod(0o755)
    real = root / "versions" / "x" / "bin" / "python3"
    real.parent.mkdir(parents=True)
    real.symlink_to(present[0].path)

    found = Interpreters(
        tmp_path / "memory.json", {"HOME": str(tmp_path), "PYENV_ROOT": str(root), "PATH": str(shim.parent)}
    ).found()

    assert present[0] in found
    assert not ran.exists()


def test_an_interpreter_is_asked_once_and_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also by the next process, as long as its file stays the same."""
    memory = tmp_path / "memory.json"
    first = Interpreters(memory, os.environ).found()
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("an interpreter was run again"))

    again = Interpreters(memory, os.environ).found()

    assert again == first


def test_a_damaged_memory_is_made_anew(tmp_path: Path) -> None:
    """It is only a memory."""
    memory = tmp_path / "memory.json"
    memory.write_text("{ half a")

    assert Interpreters(memory, os.environ).found()
    assert memory.read_text().startswith('{\n "schema"')


def test_a_program_that_only_calls_itself_python_is_left_out(tmp_path: Path) -> None:
    """Broken, foreign or ancient: it is asked, does not answer, and nothing is raised."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "python3.12").symlink_to("/bin/true")
    (folder / "python3.13").symlink_to(tmp_path / "nowhere")

    found = Interpreters(tmp_path / "memory.json", {"HOME": str(tmp_path), "PATH": str(folder)}).found()

    assert not [one for one in found if one.path.name in ("true", "nowhere")]


def test_a_new_python_is_seen_without_a_restart(tmp_path: Path, present: tuple[Interpreter, ...]) -> None:
    """Somebody runs `pyenv install` because the error said so."""
    root = tmp_path / "pyenv" / "versions"
    root.mkdir(parents=True)
    interpreters = Interpreters(
        tmp_path / "memory.json",
        {"HOME": str(tmp_path), "PYENV_ROOT": str(root.parent), "PATH": str(tmp_path)},
    )
    interpreters.found()
    (root / "new" / "bin").mkdir(parents=True)
    (root / "new" / "bin" / "python3").symlink_to(present[0].path)

    assert present[0] in interpreters.found()


def test_a_user_names_the_only_pythons(tmp_path: Path, present: tuple[Interpreter, ...]) -> None:
    """By file, by folder, or by the folder above `bin`; nothing else is looked at, not even Penstock's own."""
    last = present[-1]
    (tmp_path / "some" / "bin").mkdir(parents=True)
    (tmp_path / "some" / "bin" / "python3").symlink_to(last.path)

    for named in (last.path, tmp_path / "some" / "bin", tmp_path / "some"):
        environ = {**os.environ, "PENSTOCK_PYTHONS": f"{named}{os.pathsep}"}
        assert Interpreters(tmp_path / "memory.json", environ).found() == (last,)


def test_a_named_python_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """Leaving it out would take another Python without a word."""
    environ = {**os.environ, "PENSTOCK_PYTHONS": str(tmp_path / "python3.11")}

    with pytest.raises(PenstockError, match="PENSTOCK_PYTHONS names"):
        Interpreters(tmp_path / "memory.json", environ).found()
