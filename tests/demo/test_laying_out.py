"""The demo's project becomes files in a folder, and never at the cost of files that are there."""

import shutil
import sys
from pathlib import Path

import pytest

from penstock.cli.demo import lay_out, way_to_the_command
from penstock.errors import AlreadyExists, PenstockError


def test_the_project_is_written_into_a_new_folder(tmp_path: Path) -> None:
    """Everything that the pipeline names is there, and nothing that Python leaves behind."""
    folder = tmp_path / "new" / "place"

    lay_out(folder)

    written = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    scripts = {f"src/{name}.py" for name in ("prep", "train", "evaluate", "register")}
    assert written == {"pipeline.yml", "environment.yml", "conda.yml"} | scripts


def test_writing_it_again_changes_nothing(tmp_path: Path) -> None:
    """A second demo in the same folder is welcome, also when the folder holds other files."""
    lay_out(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")

    lay_out(tmp_path)

    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_file_that_differs_is_left_alone_and_named(tmp_path: Path) -> None:
    """The error says which file, how to run it as it is, and how to start afresh; nothing else is written."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text("mine")

    with pytest.raises(AlreadyExists) as caught:
        lay_out(tmp_path)

    assert caught.value.details == (f"differs: {tmp_path / 'src' / 'train.py'}",)
    assert "penstock job create -f" in str(caught.value.hint)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["train.py"]


def test_a_place_where_nothing_can_be_written_is_named(tmp_path: Path) -> None:
    """A file in the way of the folder is an error with a next step, not a traceback."""
    (tmp_path / "taken").write_text("a file")

    with pytest.raises(PenstockError) as caught:
        lay_out(tmp_path / "taken")

    assert "taken" in caught.value.message
    assert "--folder" in str(caught.value.hint)


def test_where_the_command_is_not_on_the_path_the_demo_says_how_to_reach_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After `make demo` it lies in .venv/bin; the three proposals that follow have to work as they stand."""
    program = tmp_path / "my checkout" / "penstock"
    program.parent.mkdir()
    program.write_text("")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(program), "demo"])

    monkeypatch.setenv("PATH", str(tmp_path))
    proposed = way_to_the_command()[1]
    monkeypatch.setenv("PATH", str(program.parent))

    assert proposed == f"""  export PATH='{program.parent}':"$PATH\""""
    assert shutil.which("penstock") == str(program)
    assert way_to_the_command() == []
