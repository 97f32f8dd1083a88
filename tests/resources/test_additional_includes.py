"""`additional_includes`: what goes into a component's code beside its `code` folder."""

import io
import zipfile
from pathlib import Path

import pytest

from penstock.client.uploads import Prepared, prepare
from penstock.errors import Problem
from penstock.resources.reading import read_document

COMPONENT = "name: train\ntype: command\ncommand: python train.py\nenvironment: azureml:e:1\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a component's folder, and a library beside it that several components use."""
    write(tmp_path / "README.md", "a project")
    write(tmp_path / "train" / "src" / "train.py", "import lib")
    write(tmp_path / "lib" / "__init__.py", "")
    write(tmp_path / "lib" / "deep" / "math.py", "x = 1")
    write(tmp_path / "settings.toml", "a = 1")
    return tmp_path


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def component(project: Path, *lines: str, code: str | None = "./src") -> Prepared:
    """The component `train/c.yml` with these includes, ready to be sent."""
    text = COMPONENT + (f"code: {code}\n" if code else "") + "additional_includes:\n"
    write(project / "train" / "c.yml", text + "".join(f"- {line}\n" for line in lines))
    return prepare(read_document(project / "train" / "c.yml", "component", project_root=project))


def files_of(prepared: Prepared) -> list[str]:
    assert prepared.document.problems == ()
    assert "additional_includes" not in prepared.data
    [snapshot] = prepared.snapshots
    assert prepared.data["code"] == snapshot.uri
    assert all(file.digest in prepared.files for file in snapshot.files)
    return [file.path for file in snapshot.files]


def problem_of(prepared: Prepared) -> Problem:
    [problem] = prepared.document.problems
    return problem


def test_includes_stand_at_the_top_of_the_code(project: Path) -> None:
    """Files and folders under their own names, whatever the way to them."""
    prepared = component(project, "../lib", "../settings.toml")

    assert files_of(prepared) == ["lib/__init__.py", "lib/deep/math.py", "settings.toml", "train.py"]
    assert prepared.snapshots[0].name == "src"


def test_without_code_the_includes_are_the_code(project: Path) -> None:
    """The component's own folder is not uploaded with them."""
    assert files_of(component(project, "../lib", code=None)) == ["lib/__init__.py", "lib/deep/math.py"]


def test_code_that_is_a_file_lies_beside_its_includes(project: Path) -> None:
    """It keeps its name."""
    prepared = component(project, "../settings.toml", code="./src/train.py")

    assert files_of(prepared) == ["settings.toml", "train.py"]


def test_a_change_of_an_include_is_a_change_of_the_code(project: Path) -> None:
    """The content's digest covers includes; their place in the project does not count."""
    before = component(project, "../lib").data["code"]
    (project / "lib").rename(project / "train" / "lib")
    moved = component(project, "./lib").data["code"]
    write(project / "train" / "lib" / "deep" / "math.py", "x = 2")

    assert moved == before
    assert component(project, "./lib").data["code"] != before


def test_a_zip_that_is_not_there_is_an_archive_of_its_folder(project: Path) -> None:
    """The folder is in it under its own name, and the same files make the same archive."""
    prepared = component(project, "../lib.zip")

    assert files_of(prepared) == ["lib.zip", "train.py"]
    [archived] = [file for file in prepared.snapshots[0].files if file.path == "lib.zip"]
    content = prepared.files[archived.digest]
    assert isinstance(content, bytes)
    assert zipfile.ZipFile(io.BytesIO(content)).namelist() == ["lib/__init__.py", "lib/deep/math.py"]
    assert component(project, "../lib.zip").data["code"] == prepared.data["code"]


def test_a_zip_that_is_there_is_a_file(project: Path) -> None:
    """Its folder does not count then."""
    write(project / "lib.zip", "mine")

    prepared = component(project, "../lib.zip")

    [archived] = [file for file in prepared.snapshots[0].files if file.path == "lib.zip"]
    assert prepared.files[archived.digest] == project / "lib.zip"


def test_ignore_files_of_the_code_and_of_the_includes_count_together(project: Path) -> None:
    """The code's rules for everything, a folder's own for that folder."""
    write(project / "train" / "src" / ".amlignore", "*.csv\nlib/deep\n")
    write(project / "train" / "src" / "big.csv", "1")
    write(project / "lib" / "big.csv", "1")
    write(project / "lib" / "notes.txt", "1")
    write(project / "lib" / ".gitignore", "*.txt\n")

    assert files_of(component(project, "../lib")) == [
        ".amlignore", "lib/.gitignore", "lib/__init__.py", "train.py",
    ]  # fmt: skip


def test_folders_of_one_name_become_one_and_the_later_file_stays(project: Path) -> None:
    """A warning names both files; equal ones need none."""
    write(project / "train" / "src" / "lib" / "own.py", "")
    write(project / "train" / "src" / "lib" / "deep" / "math.py", "x = 0")

    prepared = component(project, "../lib")

    assert files_of(prepared) == ["lib/__init__.py", "lib/deep/math.py", "lib/own.py", "train.py"]
    [kept] = [file for file in prepared.snapshots[0].files if file.path == "lib/deep/math.py"]
    assert prepared.files[kept.digest] == project / "lib" / "deep" / "math.py"
    [warning] = prepared.warnings
    assert "`lib/deep/math.py` of the code is that of" in warning.message
    assert (warning.file or "").endswith("c.yml")
    assert warning.line == 7


def test_a_file_where_a_folder_is_is_refused(project: Path) -> None:
    """No order of them makes sense."""
    write(project / "train" / "src" / "lib", "a file")

    assert "`lib` would be a file" in problem_of(component(project, "../lib")).message


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("../libb", "`../libb` does not exist"),
        ("../../elsewhere", "leaves the project"),
        ("../none.zip", "`../none` does not exist"),
        ("{type: artifact, feed: x}", "not supported yet"),
        ("3", "must be a path"),
    ],
)
def test_an_include_that_leads_nowhere_is_told_with_its_line(project: Path, line: str, words: str) -> None:
    """Missing, outside of the project, or no path at all."""
    (project.parent / "elsewhere").mkdir(exist_ok=True)

    problem = problem_of(component(project, line))

    assert words in problem.message
    assert problem.pointer == "/additional_includes/0"
    assert problem.line == 7


def test_links_of_an_include_may_not_leave_the_project(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """As those of `code`."""
    outside = tmp_path_factory.mktemp("outside")
    (project / "lib" / "away").symlink_to(outside)

    problem = problem_of(component(project, "../lib"))

    assert "leaves the project" in problem.message
    assert problem.pointer == "/additional_includes/0"


def test_a_step_by_file_and_a_step_written_out_have_their_includes(project: Path) -> None:
    """Edge cases 1.2 and 6.3: relative to the file that it stands in; two steps of one component have one snapshot."""
    component(project, "../lib")
    write(
        project / "pipeline.yml",
        "type: pipeline\njobs:\n  a: {component: ./train/c.yml}\n  b: {component: train/c.yml}\n"
        "  c:\n    component:\n      command: ls\n      environment: azureml:e:1\n"
        "      additional_includes: [settings.toml]\n",
    )

    prepared = prepare(read_document(project / "pipeline.yml", "job", project_root=project))

    steps = prepared.data["jobs"]
    assert steps["a"]["component"]["code"] == steps["b"]["component"]["code"]
    assert [len(snapshot.files) for snapshot in prepared.snapshots] == [3, 3, 1]
    assert "additional_includes" not in steps["c"]["component"]
