"""Dockerfiles that only install Python packages, and those that do more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from penstock.environments.build_context import ContextRecipe, read_build_context
from penstock.environments.dockerfile import instructions_of, substituted

CONDA = "channels: [conda-forge]\ndependencies:\n- python=3.10\n- numpy=1.22\n- pip:\n  - six==1.16.0\n"


@dataclass(frozen=True)
class Folder:
    """A build context in memory."""

    held: Mapping[str, str]
    name: str = "ctx"

    def paths(self) -> Sequence[str]:
        return list(self.held)

    def text(self, path: str) -> str:
        return self.held[path]


def read(dockerfile: str, **files: str) -> ContextRecipe:
    """The recipe of a context with these files; `__` in a name is a dot, `___` a slash."""
    held = {name.replace("___", "/").replace("__", "."): text for name, text in files.items()}
    return read_build_context(Folder({"Dockerfile": dockerfile, **held}), "Dockerfile", "/build")


def dependencies(recipe: ContextRecipe) -> list[Any]:
    """What the conda file that stands for the context asks for."""
    assert recipe.problems == ()
    assert recipe.conda is not None
    found: list[Any] = recipe.conda["dependencies"]
    return found


PACKAGES_ONLY: Mapping[str, tuple[str, list[Any]]] = {
    "a requirements file": (
        "FROM python:3.10\nCOPY requirements.txt /tmp/\nRUN pip install -r /tmp/requirements.txt\n",
        [{"pip": ["six==1.16.0", "idna"]}],
    ),
    "beside the working folder, quietly": (
        "FROM python:3.10\nWORKDIR /app\nADD requirements.txt .\n"
        "RUN python -m pip install --no-cache-dir -q --upgrade -r requirements.txt && rm -rf /root/.cache\n",
        [{"pip": ["six==1.16.0", "idna"]}],
    ),
    "under another name": (
        "FROM python:3.10\nCOPY requirements.txt /opt/deps.txt\nRUN pip3 install -r /opt/deps.txt\n",
        [{"pip": ["six==1.16.0", "idna"]}],
    ),
    "a mount": (
        "FROM python:3.10\nRUN --mount=type=bind,source=requirements.txt,target=/r.txt"
        " --mount=type=cache,target=/root/.cache pip install -r /r.txt\n",
        [{"pip": ["six==1.16.0", "idna"]}],
    ),
    "a conda file": (
        "FROM mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04\nENV CONDA_PREFIX=/azureml-envs/x\n"
        "COPY conda.yml .\n"
        "RUN conda env create -p $CONDA_PREFIX -f conda.yml -q && \\\n    rm conda.yml && \\\n"
        "    conda run -p $CONDA_PREFIX pip cache purge && conda clean -a -y\n",
        ["python=3.10", "numpy=1.22", {"pip": ["six==1.16.0"]}],
    ),
    "conda's own command line": (
        "FROM continuumio/miniconda3\nRUN conda create -n x -y python=3.9 numpy=1.21 -c conda-forge\n"
        "RUN conda run -n x pip install 'six>=1.16,<2'\n",
        ["python=3.9", "numpy=1.21", {"pip": ["six>=1.16,<2"]}],
    ),
    "arguments and variables": (
        "ARG TAG=3.10\nFROM python:${TAG}\nARG SIX=1.16.0\nENV EXTRA=idna\n"
        "RUN HOROVOD=1 pip install six==${SIX} $EXTRA\n",
        [{"pip": ["six==1.16.0", "idna"]}],
    ),
    "an index": (
        "FROM python:3.10\nRUN pip install six --extra-index-url https://example.org/simple\n",
        [{"pip": ["--extra-index-url https://example.org/simple", "six"]}],
    ),
    "the form without a shell": (
        'FROM python:3.10\nRUN ["pip", "install", "six"]\n',
        [{"pip": ["six"]}],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PACKAGES_ONLY)
def test_a_dockerfile_that_installs_packages_is_the_conda_file_that_says_the_same(name: str) -> None:
    """Requirements, conda files and packages by name, in the order of the file."""
    dockerfile, expected = PACKAGES_ONLY[name]
    files = {"requirements__txt": "six==1.16.0  # old\n\nidna\n", "conda__yml": CONDA}

    recipe = read(dockerfile, **{k: v for k, v in files.items() if k.replace("__", ".") in dockerfile})

    assert dependencies(recipe) == expected


REFUSED: Mapping[str, tuple[str, int, str]] = {
    "apt": ("FROM python:3.10\nRUN pip install six && \\\n    apt-get install -y gcc\n", 3, "installs programs"),
    "a download": ("FROM python:3.10\n\nRUN curl -O https://example.org/x\n", 3, "downloads something"),
    "code that is copied": ("FROM python:3.10\nCOPY train.py /app/\n", 2, "copies `train.py` into the image"),
    "everything that is copied": ("FROM python:3.10\nCOPY . /app\nRUN pip install -r /app/requirements.txt\n", 2, "`train.py`"),
    "the context's own package": ("FROM python:3.10\nRUN pip install .\n", 2, "installs `.`, a folder or file of the image"),
    "a second stage": ("FROM python:3.10 AS a\nFROM python:3.11\n", 2, "more than one stage"),
    "another image's files": ("FROM python:3.10\nCOPY --from=nginx /etc /etc\n", 2, "takes files from elsewhere"),
    "a script": ("FROM python:3.10\nRUN if true; then pip install six; fi\n", 2, "is a script of the shell"),
    "a document in it": ("FROM python:3.10\nRUN <<EOF\npip install six\nEOF\n", 2, "with a document in it"),
    "pip without dependants": ("FROM python:3.10\nRUN pip install --no-deps six\n", 2, "installs with `--no-deps`"),
    "a file that was not copied": ("FROM python:3.10\nRUN pip install -r requirements.txt\n", 2, "was not copied"),
    "a file that is not there": ("FROM python:3.10\nCOPY absent.txt .\n", 2, "which the build context does not hold"),
    "a conda package that is no PyPI's": ("FROM python:3.10\nRUN conda install -y gxx-of-mine\n", 2, "gxx-of-mine"),
    "a requirement that is none": ("FROM python:3.10\nRUN pip install 'six=>1'\n", 2, "no requirement"),
    "an unknown instruction": ("FROM python:3.10\nONBUILD RUN true\n", 2, "no instruction that can be followed"),
    "no image": ("RUN true\n", 1, "begins with FROM"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_any_other_line_is_refused_by_its_number(name: str) -> None:
    """With the file, the line, what the line does, and what to do about it."""
    dockerfile, line, said = REFUSED[name]

    recipe = read(dockerfile, train__py="", requirements__txt="six\n")

    assert recipe.problems, recipe
    problem = recipe.problems[0]
    assert (problem.file, problem.line, problem.pointer) == ("ctx/Dockerfile", line, "/build")
    assert said in problem.message
    assert problem.hint


def test_every_line_that_cannot_be_followed_is_told_at_once() -> None:
    """Not one after the other."""
    recipe = read("FROM python:3.10\nRUN apt-get update\nRUN make\nCOPY x.py .\n", x__py="")

    assert [problem.line for problem in recipe.problems] == [2, 3, 4]


def test_variables_of_the_image_reach_the_command_but_not_its_places() -> None:
    """`ENV` of Python code counts; PATH and its like say where things lie in the image."""
    recipe = read(
        "FROM python:3.10\nENV MODE=fast PATH=/x:$PATH\nENV CONDA_PREFIX /y\nENV LEVEL 1\nCMD python x\n"
    )

    assert recipe.variables == {"MODE": "fast", "LEVEL": "1"}
    assert recipe.image == "python:3.10"
    assert recipe.conda is None
    assert "CMD of the Dockerfile have no effect" in recipe.notes[1]


def test_requirements_may_read_requirements() -> None:
    """`-r` inside a requirements file starts from its folder."""
    recipe = read(
        "FROM python:3.10\nCOPY reqs/ reqs/\nRUN pip install -r reqs/all.txt\n",
        reqs___all__txt="-r base.txt\nidna\n",
        reqs___base__txt="six\n",
    )

    assert dependencies(recipe) == [{"pip": ["six", "idna"]}]


def test_a_dockerfile_by_another_name_and_its_absence() -> None:
    """`dockerfile_path` counts from the context; what the context holds is told."""
    folder = Folder({"docker/Dockerfile.cpu": "FROM python:3.10\nRUN pip install six\n"})

    assert dependencies(read_build_context(folder, "./docker/Dockerfile.cpu", "")) == [{"pip": ["six"]}]
    (problem,) = read_build_context(folder, "Dockerfile", "/build").problems
    assert "has no `Dockerfile`" in problem.message
    assert "docker/Dockerfile.cpu" in (problem.hint or "")


def test_lines_of_continued_instructions_are_those_of_the_file() -> None:
    """Comments and empty lines between them do not shift the count."""
    text = "# escape=`\nFROM a\nRUN one && `\n  # why\n\n  two && `\n  three\n"

    (_, run) = instructions_of(text)

    assert [run.line_at(run.text.index(word)) for word in ("one", "two", "three")] == [3, 6, 7]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("$A", "1"), ("${A}x", "1x"), ("${B:-2}", "2"), ("${A:+3}", "3"), ("${B}", "${B}"), (r"\$A", r"\$A")],
)
def test_known_variables_are_filled_in(text: str, expected: str) -> None:
    """As Docker's own rules are; an unknown one stays, since the image may have it."""
    assert substituted(text, {"A": "1"}) == expected
