"""From files on disk to a document that can be sent."""

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.errors import InvalidDocument, Problem, UsageError
from penstock.resources.reading import (
    Document,
    Position,
    document_from_flags,
    kind_of,
    load_yaml,
    read_document,
)

Write = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, and the folder that one stands in."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "README.md").touch()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def write(project: Path) -> Write:
    """Write a file of the project."""

    def written(name: str, text: str = "") -> Path:
        file = project / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text).lstrip())
        return Path(name)

    return written


def read(file: Path | str, kind: str = "job", **options: Any) -> Document:
    return read_document(Path(file), kind, **options)


def messages(document: Document) -> list[str]:
    return [problem.message for problem in document.problems]


def local(document: Document) -> dict[str, tuple[str, str]]:
    """Role and path (relative to the current folder where it is below) of every local path."""
    here = Path.cwd()
    return {
        each.pointer: (
            each.role,
            str(each.path.relative_to(here) if each.path.is_relative_to(here) else each.path),
        )
        for each in document.local
    }


# Inclusion ----------------------------------------------------------------------------------------------------------


def test_files_are_put_where_they_are_named(write: Write) -> None:
    """Edge cases 1.2 and 2.2. Component, its environment, and that one's conda file: each path starts from the file that names it."""
    write("envs/conda/train.yml", "dependencies: [python=3.11, {pip: [scikit-learn]}]")
    write("envs/train.yml", "name: train\nimage: ubuntu\nconda_file: conda/train.yml")
    write("components/train/code/train.py")
    write(
        "components/train/component.yml",
        "name: t\ntype: command\ncode: ./code\ncommand: x\nenvironment: ../../envs/train.yml",
    )
    file = write(
        "jobs/pipeline.yml",
        "type: pipeline\njobs:\n  train:\n    component: ../components/train/component.yml\n",
    )

    document = read(file)

    assert messages(document) == []
    assert document.data["jobs"]["train"]["component"] == {
        "name": "t",
        "type": "command",
        "code": "./code",
        "command": "x",
        "environment": {
            "name": "train",
            "image": "ubuntu",
            "conda_file": {"dependencies": ["python=3.11", {"pip": ["scikit-learn"]}]},
        },
    }
    assert local(document) == {"/jobs/train/component/code": ("code", "components/train/code")}


def test_a_build_context_starts_from_the_environments_file(write: Write) -> None:
    """Edge case 2.2, for `build.path`: the folder of the file that says it, though a job elsewhere includes it."""
    write("envs/docker/Dockerfile", "FROM python:3.11")
    write("envs/train.yml", "build: {path: ./docker}")
    file = write("jobs/job.yml", "command: x\nenvironment: file:../envs/train.yml")

    document = read(file)

    assert messages(document) == []
    assert local(document) == {"/environment/build/path": ("build", "envs/docker")}


def test_every_value_is_found_in_the_file_that_says_it(write: Write) -> None:
    """Lines point into included files; what is missing there is found in the file that should have it."""
    write("env.yml", "# trains\nimage: ubuntu\nconda_file: conda.yml")
    write("conda.yml", "# c\n\ndependencies:\n  - python=3.11\n  - pip:\n    - numpy\n")
    file = write("job.yml", "command: x\n\nenvironment: ./env.yml\n")

    document = read(file)

    assert document.position_of("/environment/conda_file/dependencies/1/pip/0") == Position("conda.yml", 6, 7)
    assert document.position_of("/environment/image") == Position("env.yml", 2, 1)
    assert document.position_of("/environment/nothing/below") == Position("env.yml", 2, 1)
    assert document.position_of("/command") == Position("job.yml", 1, 1)
    assert document.position_of("") == Position("job.yml", 1, 1)


def test_problems_of_the_server_get_their_file_and_line(write: Write) -> None:
    """By pointer; one that has a file already keeps it."""
    write("env.yml", "image: ubuntu\nconda: x")
    document = read(write("job.yml", "command: x\nenvironment: file:env.yml\n"))

    placed = document.locate(
        [Problem("/environment/conda", "unknown"), Problem("", "x", file="other.yml", line=3)]
    )

    assert [(problem.file, problem.line) for problem in placed] == [("env.yml", 2), ("other.yml", 3)]


@pytest.mark.parametrize("written", ["file:part.yml", "file:./part.yml", "./part.yml", "part.yml"])
@pytest.mark.parametrize("key", ["component", "environment"])
def test_components_and_environments_need_no_prefix(write: Write, key: str, written: str) -> None:
    """With and without `file:`, with and without `./`."""
    write("part.yml", "image: x" if key == "environment" else "command: x")
    document = read(write("pipeline.yml", f"type: pipeline\njobs:\n  a: {{{key}: '{written}'}}\n"))

    assert messages(document) == []
    assert isinstance(document.data["jobs"]["a"][key], dict)


def test_file_inclusion_works_wherever_a_mapping_may_stand(write: Write) -> None:
    """Also a whole step, limits, inputs; not where text is meant."""
    write("steps/train.yml", "command: x\ncode: ./code\nenvironment: azureml:e:1\n")
    write("steps/code/x.py")
    write("inputs.yml", "raw: {type: uri_file, path: data.csv}\n")
    write("data.csv")
    text = """
        type: pipeline
        description: file:steps/train.yml
        tags: {t: "file:x"}
        inputs: file:inputs.yml
        jobs:
          train: file:steps/train.yml
          eval: {command: "file:x", environment: azureml:e:1, inputs: {t: "file:x"}, environment_variables: {V: "file:x"}}
    """

    document = read(write("pipeline.yml", text))

    assert messages(document) == []
    assert local(document) == {
        "/inputs/raw/path": ("data", "data.csv"),
        "/jobs/train/code": ("code", "steps/code"),
    }
    assert document.data["description"] == "file:steps/train.yml"


def test_references_and_expressions_are_left_alone(write: Write) -> None:
    """Nothing that has a scheme or an expression is looked for on disk."""
    text = """
        type: pipeline
        inputs:
          a: {type: uri_folder, path: azureml:cars:1}
          b: {type: uri_file, path: https://host/x.csv}
          c: {type: uri_file, path: "azureml:wasbs://c@a.blob.core.windows.net/x"}
          d: text
          e: 0.1
        outputs:
          o: {type: uri_folder, path: azureml://datastores/workspaceblobstore/paths/x/}
        jobs:
          s:
            component: azureml:comp:1
            inputs: {d: "${{parent.inputs.a}}", e: {path: "${{parent.inputs.a}}"}}
          t: {command: x, environment: "azureml://registries/azureml/environments/e/labels/latest", code: "git+https://x/y"}
    """

    document = read(write("pipeline.yml", text))

    assert messages(document) == []
    assert document.local == ()
    assert document.data == load_yaml(textwrap.dedent(text), name="x")


def test_the_same_file_may_be_named_twice(write: Write) -> None:
    """Two steps with one component share nothing in the document."""
    write("c.yml", "command: x")
    document = read(write("p.yml", "type: pipeline\njobs: {a: {component: c.yml}, b: {component: c.yml}}"))

    assert document.data["jobs"]["a"] == document.data["jobs"]["b"]
    assert document.data["jobs"]["a"]["component"] is not document.data["jobs"]["b"]["component"]


def test_a_file_that_includes_itself_is_named_with_its_way(write: Write) -> None:
    """Round one or more corners, also by a link under another name."""
    write("a.yml", "type: pipeline\njobs:\n  s:\n    component: b.yml\n")
    write("b.yml", "type: pipeline\njobs:\n  s: {component: ./link.yml}\n")
    Path("link.yml").symlink_to("a.yml")

    (problem,) = read("a.yml").problems

    assert problem.message == "`./link.yml` includes itself: a.yml → b.yml → link.yml"
    assert (problem.file, problem.line, problem.pointer) == ("b.yml", 3, "/jobs/s/component/jobs/s/component")


def test_files_that_multiply_end(write: Write) -> None:
    """Each including the next one twice: an error, not an hour."""
    for level in range(20):
        write(
            f"f{level}.yml",
            f"type: pipeline\njobs: {{a: {{component: f{level + 1}.yml}}, b: {{component: f{level + 1}.yml}}}}",
        )
    write("f20.yml", "command: x")

    with pytest.raises(InvalidDocument, match="reads in more than"):
        read("f0.yml")


def test_broken_yaml_in_an_included_file_is_a_problem_there(write: Write) -> None:
    """With the line of that file; the rest of the document is still looked at."""
    write("env.yml", "image: x\nimage: y\n")
    document = read(write("job.yml", "command: x\nenvironment: ./env.yml\ncode: ./nothing\n"))

    found = [(problem.file, problem.line, problem.message) for problem in document.problems]
    assert found[0] == ("env.yml", 2, "key `image` is given twice, first in line 1")
    assert found[1][:2] == ("job.yml", 3)


@pytest.mark.parametrize(
    ("name", "text", "written", "message", "hint"),
    [
        ("conda.yml", "channels: [a]\ndependencies: [b]", "environment: ./conda.yml", "`conda.yml` is a conda file, not an environment", "`conda_file:`"),
        ("env.yml", "image: x", "component: ./env.yml", "`env.yml` is an environment, not a component", "penstock environment create"),
        ("env.yml", "image: x", "environment: {image: x, conda_file: env.yml}", "`env.yml` is an environment, not a conda file", None),
        ("e.yml", "", "environment: ./e.yml", "`e.yml` is empty", None),
        ("e.yml", "- a", "environment: ./e.yml", "`e.yml` holds no mapping", None),
        ("r.txt", "numpy", "environment: {image: x, conda_file: r.txt}", "`r.txt` is a pip requirements file, not a conda file", "- pip:"),
        ("x", "", "environment: {image: x, conda_file: 'https://host/c.yml'}", "`conda_file` is an address, and conda files are not fetched", None),
        ("x", "", 'environment: {image: x, conda_file: "a:\\n"}', "`conda_file` is text", None),
        ("env.yml", "image: x", "environment: envv", "`envv` is neither a reference nor a file in {project}", "did you mean `./env.yml`?"),
        ("x", "", "environment: sklearn-1.5", "`sklearn-1.5` is neither a reference nor a file in {project}", "`azureml:sklearn-1.5@latest`"),
        ("d/x", "", "environment: ./d", "`./d` is a folder, and a file is needed: {project}/d", None),
    ],
)  # fmt: skip
def test_a_file_of_another_kind_is_told_what_it_is(
    write: Write, project: Path, name: str, text: str, written: str, message: str, hint: str | None
) -> None:
    """Instead of a list of strange fields."""
    write(name, text)
    (problem,) = read(write("p.yml", f"type: pipeline\njobs:\n  s:\n    {written}\n")).problems

    assert problem.message == message.format(project=project)
    assert (hint or "") in (problem.hint or "")
    assert (problem.file, problem.line) == ("p.yml", 4)


def test_the_name_and_version_of_an_included_file_stay(write: Write) -> None:
    """It is the model that drops and warns of them; a version that lost its zero is warned of here, by file and line."""
    write("env.yml", "name: e\nversion: 1.10\nimage: x")
    document = read(write("job.yml", "command: x\nenvironment: ./env.yml"))

    assert document.data["environment"]["name"] == "e"
    assert document.warnings == (
        'env.yml:2: version 1.10 is the number 1.1; write "1.10" if you mean the text',
    )


# Local paths --------------------------------------------------------------------------------------------------------


def test_local_paths_of_every_kind_are_found(write: Write, project: Path) -> None:
    """Code, data and models, build contexts: with their role, absolute."""
    for name in ("src/train.py", "data/x.csv", "model/MLmodel", "docker/Dockerfile"):
        write(name)
    text = f"""
        command: x
        code: ./src
        environment: {{build: {{path: ./docker}}}}
        inputs:
          file: {{type: uri_file, path: data/x.csv}}
          folder: {{path: file:data}}
          model: {{type: mlflow_model, path: ./model/}}
          absolute: {{type: uri_folder, path: {project}/data}}
          literal: ./data
    """

    document = read(write("job.yml", text))

    assert messages(document) == []
    assert local(document) == {
        "/code": ("code", "src"),
        "/environment/build/path": ("build", "docker"),
        "/inputs/file/path": ("data", "data/x.csv"),
        "/inputs/folder/path": ("data", "data"),
        "/inputs/model/path": ("model", "model"),
        "/inputs/absolute/path": ("data", "data"),
    }


def test_a_path_alone_is_data_where_the_component_declares_data(write: Write) -> None:
    """`inputs: {raw: ./x.csv}` of a step: the component's port says what it is."""
    write("x.csv")
    write(
        "c.yml", "command: x\ninputs: {raw: {type: uri_file}, m: {type: custom_model}, label: {type: string}}"
    )
    text = "type: pipeline\njobs:\n  a:\n    component: c.yml\n    inputs: {raw: ./x.csv, m: ./gone, label: ./x.csv}\n"

    document = read(write("p.yml", text))

    assert local(document) == {"/jobs/a/inputs/raw": ("data", "x.csv")}
    assert [problem.pointer for problem in document.problems] == ["/jobs/a/inputs/m"]


@pytest.mark.parametrize(("kind", "role"), [("data", "data"), ("model", "model")])
def test_the_path_of_an_asset_is_a_local_path(write: Write, kind: str, role: str) -> None:
    """Data and models: local files and folders; addresses are left alone."""
    write("x.csv")
    assert local(read(write("a.yml", "name: a\npath: ./x.csv"), kind)) == {"/path": (role, "x.csv")}
    assert local(read(write("b.yml", "name: a\npath: azureml://datastores/d/paths/x"), kind)) == {}
    assert local(read(write("c.yml", "name: a\npath: runs:/r/model"), kind)) == {}


def test_code_may_be_one_file_or_the_folder_itself(write: Write, project: Path) -> None:
    """`code: .` is the folder under its own name."""
    write("train.py")
    assert local(read(write("a.yml", "command: x\ncode: train.py")))["/code"] == ("code", "train.py")

    (code,) = read(write("b.yml", "command: x\ncode: .")).local
    assert (code.path, code.path.name) == (project, "project")


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ("./scr", "`./scr` does not exist: there is no {project}/scr", "did you mean `src`?"),
        ("src/tarin.py", "`src/tarin.py` does not exist: there is no {project}/src/tarin.py", "did you mean `train.py`?"),
        ("scr/lib/x", "`scr/lib/x` does not exist: there is no {project}/scr/lib/x", "did you mean `src`?"),
        ("zzz", "`zzz` does not exist: there is no {project}/zzz", "{project} holds README.md, empty, job.yml, link, loop, src"),
        ("empty/x", "`empty/x` does not exist: there is no {project}/empty/x", "{project}/empty is empty"),
        ("~/x", "`~/x` does not exist: there is no {project}/~/x", "`~` is not expanded in files: write the path out"),
        ("src\\lib", "`src\\lib` does not exist: there is no {project}/src\\lib", "write `/` between folders"),
        ("src/train.py/", "`src/train.py/` is a file, and a `/` at the end means a folder: {project}/src/train.py", None),
        ("link", "`link` is a link that leads nowhere: {project}/link → nowhere", None),
        ("loop", "`loop` cannot be read: Too many levels of symbolic links ({project}/loop)", None),
        ("src/train.py/x", "`src/train.py/x` cannot be read: Not a directory ({project}/src/train.py/x)", None),
        (" ", "the path is empty", None),
        ("x" * 300, "cannot be read: File name too long", None),
    ],
)  # fmt: skip
def test_a_missing_file_names_its_line_and_what_is_there(
    write: Write, project: Path, written: str, message: str, hint: str | None
) -> None:
    """The resolved path, the file and line that name it, and a name that is near."""
    write("src/train.py")
    (project / "empty").mkdir()
    (project / "link").symlink_to("nowhere")
    (project / "loop").symlink_to("loop")

    (problem,) = read(write("job.yml", f"command: x\ncode: '{written}'\n")).problems

    assert message.format(project=project) in problem.message
    assert problem.hint == (hint.format(project=project) if hint else None)
    assert (problem.file, problem.line, problem.pointer) == ("job.yml", 2, "/code")


def test_all_problems_come_at_once(write: Write) -> None:
    """One reading, every missing file."""
    text = """
        type: pipeline
        inputs: {a: {path: ./gone.csv}}
        jobs:
          s: {command: x, code: ./gone, environment: {image: x, conda_file: gone.yml}}
          t: {component: ./gone.yml}
    """
    document = read(write("p.yml", text))

    assert [(problem.pointer, problem.code) for problem in document.problems] == [
        ("/inputs/a/path", "missing"),
        ("/jobs/s/code", "missing"),
        ("/jobs/s/environment/conda_file", "missing"),
        ("/jobs/t/component", "missing"),
    ]


OUTSIDE = [
    "../secret",
    "../../etc",
    "src/../../secret",
    "./link/secret",
    "/etc",
    "file:../secret",
    "../project-2",
    "src/../..",
]


@pytest.mark.parametrize("written", OUTSIDE)
@pytest.mark.parametrize(
    "place",
    [
        "code: '{}'",
        "environment: '{}/env.yml'",
        "environment: {{image: x, conda_file: '{}/conda.yml'}}",
        "environment: {{build: {{path: '{}'}}}}",
        "component: '{}/c.yml'",
        "limits: 'file:{}/x.yml'",
    ],
)
def test_reliability_01_no_file_outside_the_project_is_read(
    write: Write, project: Path, place: str, written: str
) -> None:
    """Up and out, absolute, by a link: refused before it is looked at, so that not even its existence shows."""
    for folder in (project.parent / "secret", project.parent / "project-2"):
        folder.mkdir()
        for name in ("env.yml", "conda.yml", "c.yml", "x.yml"):
            (folder / name).write_text("password: secret")
    write("src/x.py")
    (project / "link").symlink_to("..")
    text = place.format(written).replace("file:file:", "file:")

    document = read(write("job.yml", f"type: pipeline\njobs:\n  s:\n    {text}\n"))

    (problem,) = document.problems
    assert "leaves the project" in problem.message
    assert "PENSTOCK_PROJECT_ROOT" in str(problem.hint)
    assert document.local == ()
    assert "secret" not in json.dumps(document.data).replace(written, "")


def test_data_may_lie_anywhere_when_its_path_is_absolute(write: Write, project: Path) -> None:
    """A relative path that leaves the project is still refused; links in data outside are the person's own."""
    outside = project.parent / "data"
    outside.mkdir()
    write("data/x.csv")
    text = f"command: x\ninputs:\n  a: {{path: {outside}}}\n  b: {{path: ../data}}\n  c: {{path: ./data}}\n"

    document = read(write("job.yml", text))

    assert [(each.pointer, each.root) for each in document.local] == [
        ("/inputs/a/path", Path("/")),
        ("/inputs/c/path", project),
    ]
    (problem,) = document.problems
    assert problem.pointer == "/inputs/b/path"
    assert str(problem.hint).endswith("or give the absolute path")


def test_the_project_may_be_made_wider(write: Write, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the hint says."""
    (project.parent / "shared").mkdir()
    file = write("job.yml", "command: x\ncode: ../shared")
    assert len(read(file).problems) == 1

    monkeypatch.setenv("PENSTOCK_PROJECT_ROOT", str(project.parent))
    assert messages(read(file)) == []

    monkeypatch.delenv("PENSTOCK_PROJECT_ROOT")
    assert messages(read(file, project_root=project.parent)) == []


# Flags --------------------------------------------------------------------------------------------------------------


def test_set_comes_before_everything_else(write: Write) -> None:
    """A component chosen by `--set` is read in; its path starts from the file's folder, not the current one."""
    write("jobs/other.yml", "command: y")
    file = write("jobs/p.yml", "type: pipeline\njobs:\n  train:\n    component: azureml:c:1\n")

    document = read(file, overrides=["jobs.train.component=./other.yml", "inputs.rate=0.1"])

    assert messages(document) == []
    assert document.data["jobs"]["train"]["component"] == {"command": "y"}
    assert document.data["inputs"] == {"rate": "0.1"}
    assert document.position_of("/jobs/train/component/command") == Position("jobs/other.yml", 1, 1)
    assert document.position_of("/inputs/rate") == Position("--set inputs.rate=0.1", 0, 0)


def test_set_through_a_reference_is_a_problem_of_the_flag(write: Write) -> None:
    """Edge case 1.4. Together with the others of the file; so is a path that was set and is not there."""
    write("env.yml", "image: x")
    file = write("job.yml", "command: x\nenvironment: ./env.yml\n")

    document = read(file, overrides=["environment.image=y", "code=./gone"])

    assert [(problem.file, problem.line) for problem in document.problems] == [
        ("--set environment.image=y", 0),
        ("--set code=./gone", 0),
    ]


def test_flags_win_over_set_and_the_file(write: Write) -> None:
    """`--name` last; a flag that was not given changes nothing."""
    file = write("job.yml", "command: x\nname: a\ndescription: d\n")

    document = read(
        file, overrides=["name=b"], fields={"name": "c", "description": None, "display_name": "e"}
    )

    assert (document.data["name"], document.data["description"]) == ("c", "d")
    assert document.position_of("/name") == Position("--name", 0, 0)
    assert document.position_of("/display_name") == Position("--display-name", 0, 0)


def test_a_set_that_cannot_be_understood_is_a_usage_error(write: Write) -> None:
    """It is the command line that is wrong, not the file."""
    with pytest.raises(UsageError):
        read(write("job.yml", "command: x"), overrides=["a"])


def test_flags_alone_make_a_document(write: Write, project: Path) -> None:
    """Paths start from the given folder and may lead anywhere: whoever types a path means it."""
    (project.parent / "conda.yml").write_text("dependencies: [python]")
    write("docker/Dockerfile")

    environment = document_from_flags(
        "environment", {"name": "e", "image": "x", "conda_file": "../conda.yml"}, base=project
    )
    assert messages(environment) == []
    assert environment.data == {"name": "e", "image": "x", "conda_file": {"dependencies": ["python"]}}
    assert environment.position_of("/name") == Position("--name", 0, 0)

    built = document_from_flags(
        "environment", {"build": {"path": "docker", "dockerfile_path": None}}, base=project
    )
    assert local(built) == {"/build/path": ("build", "docker")}
    assert built.position_of("/build/path") == Position("--build-context", 0, 0)

    (problem,) = document_from_flags("data", {"path": "./gone", "type": "uri_file"}, base=project).problems
    assert (problem.file, problem.line) == ("--path", 0)


# The file itself ----------------------------------------------------------------------------------------------------


def test_a_file_that_does_not_exist_names_a_near_one(write: Write) -> None:
    """The commonest slip of all."""
    write("pipeline.yml", "type: pipeline")

    with pytest.raises(InvalidDocument, match=r"pipelne\.yml does not exist") as caught:
        read("pipelne.yml")

    assert caught.value.problems[0].hint == "did you mean `pipeline.yml`?"


@pytest.mark.parametrize(
    ("kind", "text", "message", "hint"),
    [
        ("job", "", "f.yml is empty", "the fields of a job"),
        ("job", "- a", "f.yml holds a list, not a mapping", "the fields of a job"),
        ("job", "a", "f.yml holds one text, not a mapping", "the fields of a job"),
        ("environment", "dependencies: [a]", "f.yml is a conda file, not an environment", "`conda_file:`"),
        ("job", "dependencies: [a]", "f.yml is a conda file, not a job", "`conda_file:`"),
        ("job", "image: x", "f.yml is an environment, not a job", "penstock environment create -f f.yml"),
        ("job", "type: command\nversion: 1\ncommand: x", "f.yml is a component, not a job", "component: ./f.yml"),
        ("data", "type: amlcompute", "f.yml is a compute, not a data asset", "penstock compute create -f f.yml"),
        ("environment", "type: pipeline\nsettings: {}", "f.yml is a job, not an environment", "penstock job create -f f.yml"),
    ],
)  # fmt: skip
def test_a_file_that_is_something_else_is_told_so_at_once(
    write: Write, kind: str, text: str, message: str, hint: str | None
) -> None:
    """There is no use in going on."""
    with pytest.raises(InvalidDocument) as caught:
        read(write("f.yml", text), kind)

    (problem,) = caught.value.problems
    assert (problem.message, problem.file) == (message, "f.yml")
    assert (hint or "") in (problem.hint or "")


def test_broken_yaml_is_raised_at_once(write: Write) -> None:
    """With file and line."""
    with pytest.raises(InvalidDocument) as caught:
        read(write("job.yml", "a: 1\na: 2\n"))

    assert [(problem.file, problem.line) for problem in caught.value.problems] == [("job.yml", 2)]


def test_a_folder_is_no_file(project: Path) -> None:
    """Said so, rather than with the system's words."""
    with pytest.raises(InvalidDocument, match=r"\. is a folder, not a file"):
        read(".")


def test_what_only_follows_from_a_missing_file_is_not_said_twice(write: Write) -> None:
    """`together` leaves out what the server says about a path that was found missing here."""
    document = read(write("job.yml", "command: x\ncode: ./gone\nnayme: y\n"))

    together = document.together(
        [Problem("/code", "local path was not uploaded"), Problem("/nayme", "unknown")]
    )

    assert [(problem.pointer, problem.line) for problem in together] == [("/code", 2), ("/nayme", 3)]
    assert together[0].code == "missing"


def test_what_only_follows_from_a_missing_file_of_a_flag_is_not_said_twice(write: Write) -> None:
    """A component that `--set` names and that is not there is one problem; other fields' are told too."""
    document = read(
        write("job.yml", "type: pipeline\njobs: {a: {inputs: {}}}\n"),
        overrides=["jobs.a.component=./gone.yml"],
    )

    together = document.together([Problem("/jobs/a/component", "no reference"), Problem("/jobs/b", "odd")])

    assert [(problem.pointer, problem.code) for problem in together] == [
        ("/jobs/a/component", "missing"),
        ("/jobs/b", "invalid"),
    ]


def test_a_document_can_be_sent_as_json(write: Write) -> None:
    """Dates, numbers and all."""
    document = read(
        write("job.yml", "command: x\ntags: {day: 2024-05-01}\ninputs: {n: 0x10, f: 1.5, b: yes}\n")
    )

    assert json.loads(json.dumps(document.data, allow_nan=False)) == document.data


def test_reading_loads_only_the_standard_library() -> None:
    """The command line imports it; libraries come when a file is read. By name, not by time."""
    code = "import sys, penstock.resources.reading as r; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    libraries = {
        "yaml",
        "ruamel",
        "pydantic",
        "pathspec",
        "jmespath",
        "rich",
        "httpx",
        "sqlalchemy",
        "fastapi",
        "mlflow",
    }
    assert not loaded & (
        libraries | {"asyncio", "http", "unittest", "difflib", "subprocess", "multiprocessing", "logging"}
    )


def test_kind_of_is_offered_here() -> None:
    """`penstock check` takes any file."""
    assert kind_of({"type": "pipeline", "jobs": {}, "settings": {}}) == "job"
