"""Which of the machine's Pythons an environment gets."""

from pathlib import Path

import pytest

from penstock.environments.interpreters import Interpreter
from penstock.environments.python_choice import Chosen, PythonWish, choose_python
from penstock.errors import Problem


def machine(*versions: str) -> list[Interpreter]:
    """A machine with these Pythons."""
    return [
        Interpreter((int(a), int(b), int(c)), Path(f"/opt/python{v}"), "CPython", "linux-x86_64")
        for v in versions
        for a, b, c in [v.split(".")]
    ]


def choose(
    specifier: str,
    *versions: str,
    nearest: bool = False,
    binding: bool = True,
    running: tuple[int, int] = (3, 11),
) -> Chosen | Problem:
    """Choose on a machine with these Pythons."""
    wish = PythonWish(specifier, "the conda file", "/conda_file/dependencies/0", binding)
    return choose_python(wish, machine(*versions), nearest_allowed=nearest, running=running)


EXACT = [
    ("==3.9.*", ("3.8.1", "3.9.2", "3.9.18", "3.10.1"), "3.9.18"),
    ("==3.9.2", ("3.9.2", "3.9.18"), "3.9.2"),
    ("", ("3.8.1", "3.11.7", "3.13.0"), "3.11.7"),
    ("", ("3.7.1", "3.14.0", "3.12.1"), "3.12.1"),
    (">=3.8", ("3.8.1", "3.10.2", "3.13.0"), "3.10.2"),
    (">=3.8,<3.10", ("3.8.1", "3.9.2", "3.10.2"), "3.9.2"),
    ("<3.9", ("3.7.1", "3.8.18", "3.11.0"), "3.8.18"),
    ("==3.*", ("3.7.1", "3.10.2"), "3.10.2"),
]


@pytest.mark.parametrize(("specifier", "versions", "expected"), EXACT)
def test_a_python_that_fits_is_taken_without_a_word(
    specifier: str, versions: tuple[str, ...], expected: str
) -> None:
    """Of several, Penstock's own version, then the one with most wheels."""
    choice = choose(specifier, *versions)

    assert isinstance(choice, Chosen)
    assert (choice.interpreter.version, choice.warning) == (expected, None)


def test_another_patch_release_of_the_asked_version_is_taken_with_a_warning() -> None:
    """It runs the same code and the same wheels."""
    choice = choose("==3.9.12", "3.8.1", "3.9.18")

    assert isinstance(choice, Chosen)
    assert choice.interpreter.version == "3.9.18"
    assert choice.warning is not None
    assert "3.9.12" in choice.warning


def test_an_absent_python_is_a_problem_that_lists_what_the_machine_has() -> None:
    """And says how to get it, and how to allow the nearest."""
    problem = choose("==3.9.*", "3.8.1", "3.11.7")

    assert isinstance(problem, Problem)
    assert problem.pointer == "/conda_file/dependencies/0"
    assert problem.message == "Python 3.9 is not on this machine"
    assert problem.expected == "one of 3.8.1, 3.11.7"
    assert problem.hint is not None
    assert "PENSTOCK_PYTHON=nearest" in problem.hint
    assert "3.8.1" in problem.hint


NEAREST = [
    ("==3.9.*", ("3.7.1", "3.10.2", "3.11.7"), "3.10.2"),
    ("==3.9.*", ("3.8.1", "3.10.2"), "3.10.2"),
    ("==3.6.*", ("3.7.1", "3.11.7"), "3.7.1"),
    ("==3.14.*", ("3.7.1", "3.11.7"), "3.11.7"),
    (">=3.12", ("3.7.1", "3.11.7"), "3.11.7"),
    ("==2.7.*", ("3.7.1", "3.11.7"), "3.11.7"),
]


@pytest.mark.parametrize(("specifier", "versions", "expected"), NEAREST)
def test_the_nearest_python_is_taken_with_a_warning_where_it_is_allowed(
    specifier: str, versions: tuple[str, ...], expected: str
) -> None:
    """Of two that are equally near, the newer."""
    choice = choose(specifier, *versions, nearest=True)

    assert isinstance(choice, Chosen)
    assert choice.interpreter.version == expected
    assert choice.warning is not None
    assert "nearest" in choice.warning


def test_a_python_that_only_an_image_names_is_a_preference() -> None:
    """The image is not run anyway."""
    choice = choose("==3.10.*", "3.11.7", binding=False)

    assert isinstance(choice, Chosen)
    assert choice.interpreter.version == "3.11.7"
    assert choice.warning is not None


def test_a_python_too_old_to_run_anything_beside_it_says_so() -> None:
    """3.6 cannot be installed into working order."""
    problem = choose("==3.6.*", "3.11.7")

    assert isinstance(problem, Problem)
    assert "3.7 or later" in problem.message
    assert "pyenv install" not in (problem.hint or "")


def test_a_machine_without_any_python_says_so() -> None:
    """No list of nothing."""
    problem = choose("")

    assert isinstance(problem, Problem)
    assert "no usable Python" in problem.message
