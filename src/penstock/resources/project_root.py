"""The folder that a project's local paths must stay inside."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from penstock.errors import UsageError
from penstock.settings import setting

SIGNS_OF_A_PROJECT = (
    "pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "Makefile", "LICENSE",
    ".amlignore", ".gitignore", ".azureml", ".pre-commit-config.yaml", "azure-pipelines.yml",
)  # fmt: skip
"""Beside any `README*`: what people put where a project begins."""

LEAVES_HINT = "copy it into the project, or set PENSTOCK_PROJECT_ROOT to a folder that holds both"


def project_root_of(
    folder: Path, *, environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Path:
    """The root of the project that a folder (that of the YAML file) belongs to.

    `PENSTOCK_PROJECT_ROOT`; else the nearest folder upwards with `.git`; else the topmost one with the sign of a
    project; else the current folder if it holds the file; else the parent folder. The home folder, the temporary
    folder and `/` are never taken for a project: too much of what lies there is nobody else's business.
    """
    named = setting("PENSTOCK_PROJECT_ROOT", environ)
    if named:
        root = real(Path(named).expanduser())
        if not root.is_dir():
            raise UsageError(
                f"PENSTOCK_PROJECT_ROOT names no folder: {named}", hint="unset it, or name a folder"
            )
        return root
    start = real(folder)
    upwards = [each for each in (start, *start.parents) if not _is_too_wide(each)]
    repository = next((each for each in upwards if (each / ".git").exists()), None)
    if repository is not None:
        return repository
    signed = [each for each in upwards if _has_a_sign(each)]
    if signed:
        return signed[-1]
    current = real(cwd if cwd is not None else Path.cwd())
    if current in upwards:
        return current
    # A file that lies in the home folder itself has no project around it: its own folder has to do.
    return start.parent if upwards[:2] == [start, start.parent] else start


def real(path: Path) -> Path:
    """The path with all links resolved. Unlike `Path.resolve` it never raises: a link to itself stays as it is."""
    return Path(os.path.realpath(path))


def place_of(path: Path) -> Path:
    """The absolute path of a file or folder under its own name: links above it are resolved, it itself is not."""
    absolute = path.absolute()
    if absolute.name in ("", ".."):
        return real(absolute)
    return real(absolute.parent) / absolute.name


def is_inside(path: Path, root: Path) -> bool:
    """Whether a path lies in a folder (or is it), all links resolved."""
    return real(path).is_relative_to(real(root))


def _is_too_wide(folder: Path) -> bool:
    return folder in (Path(folder.anchor), real(Path.home()), real(Path(tempfile.gettempdir())))


def _has_a_sign(folder: Path) -> bool:
    try:
        names = [entry.name for entry in folder.iterdir()]
    except OSError:  # a folder above that may not be listed is no project of this user's
        return False
    return any(name in SIGNS_OF_A_PROJECT or name.upper().startswith("README") for name in names)
