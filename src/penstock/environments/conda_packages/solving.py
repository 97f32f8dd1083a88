"""Asking a solver: what is asked, what an environment needs beside it, and a folder that is thrown away afterwards."""

import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from penstock.environments.building import remove_tree
from penstock.environments.conda_packages.asking import CondaAsk
from penstock.environments.conda_packages.backend import CondaBackend, CondaFailed, Question, Say
from penstock.environments.conda_packages.lock import CondaPackage, version_numbers
from penstock.environments.files import disk_errors_named
from penstock.environments.interpreters import OLDEST
from penstock.environments.locking import digest_of
from penstock.environments.recipes import EnvironmentRequest
from penstock.environments.uv import Trouble
from penstock.errors import EnvironmentCannotBeBuilt

SCHEMA = 1
"""Part of every request's digest: raise it when the same request should be solved anew."""
_PIP = "pip"


@dataclass(frozen=True)
class Asked:
    """A request with what the user told conda: everything that decides what is solved."""

    request: EnvironmentRequest
    ask: CondaAsk
    question: Question

    @property
    def name(self) -> str:
        """The digest of what is asked, which names the record of its lock. No credentials decide anything."""
        parts = [
            str(SCHEMA),
            self.question.subdir,
            self.question.priority,
            *sorted(line.text for line in self.ask.lines),
            "",
            *(channel.plain for channel in self.question.channels),
            "",
            *sorted(one.requirement for one in self.ask.pip),
            "",
            *self.ask.option_lines,
            "",
            *self.ask.arguments,
            "",
            *(f"{name}={value}" for name, value in sorted(self.ask.variables.items())),
        ]
        return digest_of("asked of conda", *parts)


def solved(
    asked: Asked, backend: CondaBackend, scratch: Path, say: Say, held_open: tuple[int, ...]
) -> tuple[tuple[CondaPackage, ...], tuple[str, ...]]:
    """The packages, and warnings. An environment has pip, as conda itself gives it to every Python, where that can be had."""
    question = asked.question
    if _PIP in asked.ask.named:
        return backend.solve(question, scratch, say, held_open), ()
    try:
        with_pip = replace(question, lines=(*question.lines, _PIP))
        return backend.solve(with_pip, scratch, say, held_open), ()
    except CondaFailed as failure:
        if failure.trouble is not Trouble.CONFLICT:
            raise
        remove_tree(scratch)
        packages = backend.solve(question, scratch, say, held_open)
        return packages, ("the channels have no `pip` for this environment: its commands cannot call it",)


def check_python(asked: Asked, packages: tuple[CondaPackage, ...]) -> None:
    """Raise EnvironmentCannotBeBuilt where there is none, or one that is too old for what runs beside a user's code."""
    label, oldest = asked.request.label, ".".join(map(str, OLDEST))
    python = next((one for one in packages if one.name == "python"), None)
    if python is None:
        raise EnvironmentCannotBeBuilt(
            f"environment `{label}` has no Python: none of its packages asks for one",
            hint=f"add `python` to its dependencies, {oldest} or newer",
        )
    if version_numbers(python.version)[:2] < OLDEST:
        lines = [f"{line.pointer}  {line.text}" for line in asked.ask.lines if line.name == "python"]
        raise EnvironmentCannotBeBuilt(
            f"environment `{label}` has Python {python.version}, and jobs need {oldest} or newer",
            details=lines,
            hint=f"ask for `python>={oldest}`, or run the job in its image: PENSTOCK_CONTAINERS=always",
        )


@contextmanager
def thrown_away(folder: Path) -> Iterator[None]:
    """Nothing lies in the folder before, nor after."""
    with disk_errors_named(folder.parent):
        remove_tree(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield
        finally:
            remove_tree(folder)


def subdir_of_machine() -> str:
    """What conda calls this kind of machine: `linux-64`, `osx-arm64`."""
    system = "osx" if sys.platform == "darwin" else "linux"
    kind = platform.machine()
    names = {"x86_64": "64", "amd64": "64", "arm64": "arm64" if system == "osx" else "aarch64"}
    return f"{system}-{names.get(kind.lower(), kind)}"
