"""Which `az` a shell would run, and which come after it."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from penstock.cli.az_script import Shim, shim_at

# How bash hands a function on to the shells that it starts.
_EXPORTED_FUNCTION = "BASH_FUNC_az%%"


@dataclass(frozen=True)
class Az:
    """One executable `az` on PATH; `shim` where it is one of Penstock's."""

    path: str
    shim: Shim | None


def every_az(environ: Mapping[str, str]) -> Iterator[Az]:
    """Every `az` on PATH, in the order in which a shell looks. An empty entry is the current folder."""
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        path = str(Path(folder or os.curdir, "az").absolute())
        # Not Path.is_file, which fails where a folder may not be looked into.
        if os.path.isfile(path) and os.access(path, os.X_OK):  # noqa: PTH113
            yield Az(path, shim_at(path))


def real_az(environ: Mapping[str, str]) -> str | None:
    """The first `az` on PATH that is not Penstock's: not this home's, not another's, under no name."""
    return next((az.path for az in every_az(environ) if az.shim is None), None)


def has_exported_function(environ: Mapping[str, str]) -> bool:
    """Whether every bash that is started from here has a function `az`, which counts before any file."""
    return _EXPORTED_FUNCTION in environ
