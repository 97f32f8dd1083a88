"""What an environment asks for, read from its image and conda file; pure, so that it can be checked at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from penstock.environments.conda_file import CondaFile, read_conda_file
from penstock.environments.image import ImageName, read_image_name
from penstock.environments.locking import Ask
from penstock.environments.python_choice import PythonWish
from penstock.environments.relaxation import Registered
from penstock.errors import Problem


@dataclass(frozen=True)
class EnvironmentRequest:
    """An environment as a document says it.

    `label` names it to people; `conda` is the parsed conda file; `pointer` is the JSON pointer under which `image` and
    `conda_file` stand in the document. `allow_nearest_python` is the workspace's word; the server's setting
    PENSTOCK_PYTHON=nearest allows it for all. `notes` are warnings that whoever made the request has. `relax` asks for
    the nearest set that can be installed, where what is written cannot. `conda_packages` says whether a conda file's
    packages are PyPI's, or the real ones of its channels. `registered` is taken in place of a new search, as long as this
    machine has its Python and the indexes its releases.
    """

    label: str
    image: str | None
    conda: Mapping[str, object] | None
    pointer: str = ""
    allow_nearest_python: bool = False
    notes: tuple[str, ...] = ()
    relax: bool = False
    conda_packages: Literal["pypi", "conda"] = "pypi"
    registered: Registered | None = None


@dataclass(frozen=True)
class Recipe:
    """A request, understood. `is_image_only` environments hold pip and nothing else."""

    wish: PythonWish
    ask: Ask
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]
    is_image_only: bool


def recipe_of(request: EnvironmentRequest) -> Recipe:
    """Read a request. Nothing is raised: what is wrong is in `problems`, all of it."""
    image = read_image_name(request.image) if request.image else None
    if request.conda is None:
        return _image_only(request, image)
    conda = read_conda_file(request.conda, f"{request.pointer}/conda_file")
    warnings = notes_on(request, conda.warnings)
    return Recipe(
        wish=_wish(request, image, conda),
        ask=Ask(conda.wanted, conda.option_lines, conda.arguments),
        problems=conda.problems,
        warnings=warnings,
        is_image_only=False,
    )


def notes_on(request: EnvironmentRequest, warnings: Sequence[str]) -> tuple[str, ...]:
    """All that is to be said of a request with a conda file: its own notes, the file's warnings, a word on its image."""
    notes = (*request.notes, *warnings)
    image = read_image_name(request.image) if request.image else None
    if image is None or image.is_plain_base:
        return notes
    return (
        *notes,
        f"image `{image.text}` is recorded and not run: what it holds beside the conda file's packages is not "
        "there (PENSTOCK_CONTAINERS=always runs steps in their image)",
    )


def _image_only(request: EnvironmentRequest, image: ImageName | None) -> Recipe:
    wish = _wish(request, image, CondaFile())
    if image is None:
        problem = Problem(
            request.pointer,
            f"environment `{request.label}` has neither `image` nor `conda_file`",
            expected="`conda_file`, `image` or both",
            code="missing",
        )
        return Recipe(wish, Ask(()), (problem,), (), is_image_only=True)
    warning = (
        f"image `{image.text}` is recorded and not run: commands run with a Python of this machine that has pip and "
        "no other package (PENSTOCK_CONTAINERS=always runs steps in their image)"
    )
    return Recipe(wish, Ask(()), (), (warning,), is_image_only=True)


def _wish(request: EnvironmentRequest, image: ImageName | None, conda: CondaFile) -> PythonWish:
    if conda.python is not None:
        return PythonWish(conda.python, "the conda file", conda.python_pointer, binding=True)
    if image is not None and image.python is not None:
        exact = image.python.count(".") == 2
        specifier = f"=={image.python}" if exact else f"=={image.python}.*"
        return PythonWish(
            specifier, f"the image's name `{image.text}`", f"{request.pointer}/image", binding=False
        )
    where = "conda_file" if request.conda is not None else "image"
    return PythonWish("", "the environment", f"{request.pointer}/{where}", binding=False)
