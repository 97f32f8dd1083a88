"""Why an environment cannot be built, in a few lines: what uv says, and what a person reads of it."""

from pathlib import Path

import pytest

from penstock.environments.conda_file import Wanted
from penstock.environments.explanations import cannot_be_built
from penstock.environments.interpreters import Interpreter
from penstock.environments.uv import Trouble, Uv, UvFailed
from penstock.errors import PenstockError, StorageFull

PYTHON = Interpreter((3, 11, 7), Path("/opt/python"), "CPython", "linux-x86_64")
WANTED = (
    Wanted("pandas==2.2.0", "/e/dependencies/1"),
    Wanted("numpy==1.19.0", "/e/dependencies/2"),
    Wanted("six", "/e/d/3"),
)

CLASH = """No solution found when resolving dependencies
  cause: Because pandas==2.2.0 depends on numpy{python_full_version < '3.12'}>=1.23.2,<2 and you require pandas==2.2.0, we can conclude that you require numpy>=1.23.2,<2.
         And because you require numpy==1.19.0, we can conclude that your requirements are unsatisfiable."""

NO_WHEEL = """No solution found when resolving dependencies
  cause: Because tensorflow>=2.4.0,<=2.4.4 has no wheels with a matching Python ABI tag (e.g., `cp311`) and only the following versions of tensorflow are available:
             tensorflow<2.4.dev0
             tensorflow>=2.4.0,<=2.4.4
         we can conclude that tensorflow==2.4.* cannot be used.
         And because you require tensorflow==2.4.*, we can conclude that your requirements are unsatisfiable.

hint: You require CPython 3.11 (`cp311`), but we only found wheels for `tensorflow` (v2.4.4) with the following Python ABI tags: `cp36m`, `cp37m`, `cp38`"""

BUILD = """Failed to build `sklearn==0.0.post12`
  cause: The build backend returned an error
  cause: Call to `setuptools.build_meta` failed (exit status: 1)

         [stderr]
         The 'sklearn' PyPI package is deprecated, use 'scikit-learn'

hint: `sklearn` is often confused for `scikit-learn`. Did you mean to install `scikit-learn` instead?

hint: Build failures usually indicate a problem with the package or the build environment"""


def explained(trouble: Trouble, text: str) -> PenstockError:
    """The error that a person sees."""
    return cannot_be_built(
        UvFailed(trouble, text), "train-env:3", WANTED, PYTHON, Uv(Path("/home/environments"), {})
    )


def test_a_contradiction_is_told_in_steps_and_ends_with_the_lines_concerned() -> None:
    """Without ceremony, and without the lines that have no part in it."""
    error = explained(Trouble.CONFLICT, CLASH)

    assert error.message == (
        "environment `train-env:3` cannot be built: its requirements cannot all be met with Python 3.11.7"
    )
    assert error.details == (
        "pandas==2.2.0 depends on numpy>=1.23.2,<2 and you require pandas==2.2.0, so you require numpy>=1.23.2,<2",
        "you require numpy==1.19.0, so the requirements cannot all be met",
        "/e/dependencies/1  pandas==2.2.0",
        "/e/dependencies/2  numpy==1.19.0",
    )


def test_a_release_without_a_wheel_for_this_python_says_for_which_there_are() -> None:
    """uv knows, and its hint is kept."""
    error = explained(Trouble.CONFLICT, NO_WHEEL)

    assert error.details[0].endswith("so tensorflow==2.4.* cannot be used")
    assert error.hint is not None
    assert "`cp38`" in error.hint


def test_a_long_derivation_is_shortened_in_the_middle() -> None:
    """Its beginning and its end say most."""
    steps = "\n         ".join(
        f"And because a{n} depends on b{n}, we can conclude that c{n}." for n in range(40)
    )

    error = explained(Trouble.CONFLICT, f"No solution found when resolving dependencies\n  cause: {steps}")

    assert error.details[0] == "a0 depends on b0, so c0"
    assert "… (32 more steps)" in error.details
    assert error.details[-1] == "a39 depends on b39, so c39"


def test_a_failed_build_keeps_its_first_and_last_lines_and_uvs_advice() -> None:
    """The advice that is true of every failure is left out."""
    error = explained(Trouble.BUILD, BUILD)

    assert error.details[0] == "Failed to build `sklearn==0.0.post12`"
    assert "'sklearn' PyPI package is deprecated" in error.details[-1]
    assert error.hint is not None
    assert "`scikit-learn`" in error.hint


def test_a_full_disk_is_no_fault_of_the_environment() -> None:
    """It has an error of its own."""
    assert isinstance(explained(Trouble.DISK, "No space left on device (os error 28)"), StorageFull)


@pytest.mark.parametrize("trouble", list(Trouble))
def test_every_trouble_has_a_message_that_says_which_environment_or_disk(trouble: Trouble) -> None:
    """Also one that nobody has seen."""
    error = explained(trouble, "something")

    assert "train-env:3" in error.message or isinstance(error, StorageFull)
