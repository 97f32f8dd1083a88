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

HINT = "copy it into the project, or set PENSTOCK_PROJECT_ROOT to a folder that holds both"


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
        root = Path(named).expanduser().resolve()
        if not root.is_dir():
            raise UsageError(
                f"PENSTOCK_PROJECT_ROOT names no folder: {named}", hint="unset it, or name a folder"
            )
        return root
    start = folder.resolve()
    upwards = [each for each in (start, *start.parents) if not _is_too_wide(each)]
    repository = next((each for each in upwards if (each / ".git").exists()), None)
    if repository is not None:
        return repository
    signed = [each for each in upwards if _has_a_sign(each)]
    if signed:
        return signed[-1]
    current = (cwd if cwd is not None else Path.cwd()).resolve()
    if current in upwards:
        return current
    return start.parent if start.parent in upwards else start


def place_of(path: Path) -> Path:
    """The absolute path of a file or folder under its own name: links above it are resolved, it itself is not."""
    absolute = path.absolute()
    if absolute.name in ("", ".."):
        return absolute.resolve()
    return absolute.parent.resolve() / absolute.name


def is_inside(path: Path, root: Path) -> bool:
    """Whether a path lies in a folder (or is it), all links resolved."""
    real, real_root = os.path.realpath(path), os.path.realpath(root)
    return real == real_root or real.startswith(real_root.rstrip(os.sep) + os.sep)


def _is_too_wide(folder: Path) -> bool:
    return folder in (Path(folder.anchor), Path.home().resolve(), Path(tempfile.gettempdir()).resolve())


def _has_a_sign(folder: Path) -> bool:
    try:
        names = [entry.name for entry in folder.iterdir()]
    except OSError:  # a folder above that may not be listed is no project of this user's
        return False
    return any(name in SIGNS_OF_A_PROJECT or name.upper().startswith("README") for name in names)
