"""Where a project begins."""

from pathlib import Path

import pytest

from penstock.errors import UsageError
from penstock.resources.project_root import is_inside, place_of, project_root_of


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    """A folder three levels down, with nothing around it that looks like a project."""
    folder = tmp_path / "a" / "b" / "c"
    folder.mkdir(parents=True)
    return folder


def root_of(folder: Path, *, cwd: Path = Path("/"), **environ: str) -> Path:
    return project_root_of(folder, environ=environ, cwd=cwd)


def test_the_setting_comes_first(deep: Path, tmp_path: Path) -> None:
    """Whoever names the root knows better than any sign."""
    (deep / ".git").mkdir()

    assert root_of(deep, PENSTOCK_PROJECT_ROOT=str(tmp_path)) == tmp_path


def test_a_setting_that_names_no_folder_is_an_error(deep: Path) -> None:
    """It is not silently passed over."""
    with pytest.raises(UsageError, match="names no folder: /nowhere"):
        root_of(deep, PENSTOCK_PROJECT_ROOT="/nowhere")


def test_the_nearest_repository_comes_next(deep: Path) -> None:
    """A repository in a repository (a submodule, whose .git is a file) is a project of its own."""
    (deep.parents[1] / ".git").mkdir()
    assert root_of(deep) == deep.parents[1]

    (deep.parent / ".git").write_text("gitdir: x")
    (deep.parents[1] / "README.md").touch()
    assert root_of(deep) == deep.parent


@pytest.mark.parametrize("sign", ["README.md", "readme.rst", "pyproject.toml", ".amlignore", ".gitignore", "requirements.txt", "Makefile", "setup.py", ".azureml"])  # fmt: skip
def test_the_topmost_sign_of_a_project_comes_next(deep: Path, sign: str) -> None:
    """A folder of code may have its own README; the project begins above."""
    (deep / "README.md").touch()
    (deep.parents[1] / sign).touch()

    assert root_of(deep) == deep.parents[1]


def test_the_current_folder_counts_when_it_holds_the_file(deep: Path, tmp_path: Path) -> None:
    """Else the parent folder is taken, so that `../src` beside `jobs/` works."""
    assert root_of(deep, cwd=deep.parent) == deep.parent
    assert root_of(deep, cwd=tmp_path / "elsewhere") == deep.parent


def test_the_home_and_the_temporary_folder_are_no_projects(
    deep: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even with a README, a repository (dotfiles), or as the current folder: too much else lies there."""
    home = deep.parent
    monkeypatch.setenv("HOME", str(home))
    (home / "README.md").touch()
    (home / ".git").mkdir()

    assert root_of(deep, cwd=home) == deep
    assert root_of(home, cwd=home) == home

    monkeypatch.setenv("HOME", str(tmp_path / "elsewhere"))
    monkeypatch.setattr("tempfile.tempdir", str(home))
    assert root_of(deep, cwd=home) == deep


def test_inside_is_where_links_lead(deep: Path, tmp_path: Path) -> None:
    """A link out is outside; a name that only begins alike is, too."""
    (deep / "out").symlink_to(tmp_path)
    (deep / "loop").symlink_to("loop")
    (tmp_path / "a" / "bb").mkdir()

    assert is_inside(deep / "x", deep.parent)
    assert is_inside(deep, deep)
    assert not is_inside(deep / "out" / "x", deep)
    assert not is_inside(tmp_path / "a" / "bb", tmp_path / "a" / "b")
    assert not is_inside(deep / ".." / ".." / "x", deep)
    assert is_inside(deep / "loop", deep)


def test_a_place_keeps_its_own_name(deep: Path) -> None:
    """Links above are resolved, the last one stays: it is the name that a person knows."""
    (deep / "link").symlink_to(deep.parent)

    assert place_of(deep / "link") == deep / "link"
    assert place_of(deep / "link" / "x") == deep.parent / "x"
    assert place_of(deep / "link" / "..") == deep.parents[1]
    assert place_of(deep / ".") == deep
