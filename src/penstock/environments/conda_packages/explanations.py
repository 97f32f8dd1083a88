"""Why a conda environment cannot be had, in lines that a person can act on, with the conda file's own."""

import re
from collections.abc import Sequence

from penstock.environments.conda_packages.asking import CondaAsk, Line
from penstock.environments.conda_packages.backend import CondaFailed
from penstock.environments.conda_packages.channels import Channel
from penstock.environments.credentials import without_credentials
from penstock.environments.files import storage_full
from penstock.environments.uv import Trouble, Uv
from penstock.errors import EnvironmentCannotBeBuilt, PenstockError, Problem

HOW_TO_HAVE_ONE = (
    "install py-rattler where the server runs (`pip install 'penstock[conda]'`), or put micromamba, mamba or conda on "
    "the server's PATH; or unset PENSTOCK_CONDA_PACKAGES, and the packages come from PyPI"
)
_ADD_A_CHANNEL = "change the lines, or add the channel that has the package to `channels:`"
_MOST_LINES = 16
# What conda and micromamba say of a package that no channel has, and the advice that conda adds for its own users.
_NOT_THERE = re.compile(r"PackagesNotFound|ResolvePackageNotFound|does not exist \(perhaps a typo")
_ADVICE = re.compile(r"^\s*(?:Current channels:|To search for alternate channels)", re.MULTILINE)
_NAME_OF_ERROR = re.compile(
    r"^(?:[A-Za-z]+Error|Exception): (?:Cannot solve the request because of: )?", re.MULTILINE
)


def refused(label: str, problems: Sequence[Problem]) -> EnvironmentCannotBeBuilt:
    """The error for a request that shows without the network that it cannot be had: all of its problems."""
    hints = dict.fromkeys(problem.hint for problem in problems if problem.hint)
    return EnvironmentCannotBeBuilt(
        f"environment `{label}` cannot be built",
        details=[f"{problem.pointer}  {problem.message}" for problem in problems],
        hint="\n".join(hints) or None,
    )


def nothing_here(pointer: str) -> Problem:
    """There is no program that knows conda packages."""
    return Problem(
        pointer,
        "this machine has nothing that installs conda packages: neither py-rattler, nor micromamba, mamba or conda on PATH",
        hint=HOW_TO_HAVE_ONE,
        code="unsupported",  # not absent: nothing that can be relaxed
    )


def conda_cannot(
    failure: CondaFailed, label: str, ask: CondaAsk, channels: Sequence[Channel], uv: Uv
) -> PenstockError:
    """The error for what a conda program said while it worked on the environment called `label`."""
    text = _NAME_OF_ERROR.sub("", without_credentials(failure.text)).strip()
    asked = ", ".join(channel.plain for channel in channels)
    match failure.trouble:
        case Trouble.DISK:
            return storage_full(uv.folder)
        case Trouble.CONFLICT:
            return _unsatisfiable(failure, text, label, ask, asked)
        case Trouble.NETWORK:
            return EnvironmentCannotBeBuilt(
                f"environment `{label}` cannot be built: a conda channel cannot be reached",
                details=[
                    *_shortened(text),
                    f"asked: {asked}",
                    "what was downloaded before is not enough for it",
                ],
                hint="check the network, HTTPS_PROXY, the channel's name, and `channel_alias` and `ssl_verify` in "
                ".condarc, and run the job again",
            )
        case _:
            return EnvironmentCannotBeBuilt(
                f"environment `{label}` cannot be built from conda packages", details=_shortened(text)
            )


def _unsatisfiable(
    failure: CondaFailed, text: str, label: str, ask: CondaAsk, asked: str
) -> EnvironmentCannotBeBuilt:
    absent = [_absent(line, failure.absent[line.text]) for line in ask.lines if line.text in failure.absent]
    if absent:
        return EnvironmentCannotBeBuilt(
            f"environment `{label}` cannot be built: its channels do not have what it asks for",
            details=[*absent, f"asked: {asked}"],
            hint=_ADD_A_CHANNEL,
        )
    if _NOT_THERE.search(failure.text):
        return EnvironmentCannotBeBuilt(
            f"environment `{label}` cannot be built: its channels do not have what it asks for",
            details=[*_shortened(_ADVICE.split(text)[0]), *_concerned(ask, text), f"asked: {asked}"],
            hint=_ADD_A_CHANNEL,
        )
    return EnvironmentCannotBeBuilt(
        f"environment `{label}` cannot be built: its conda packages cannot all be had together",
        details=[*_shortened(text), *_concerned(ask, text), f"asked: {asked}"],
        hint="loosen or change one of the lines named above",
    )


def _absent(line: Line, versions: Sequence[str]) -> str:
    there = f"there are {', '.join(versions)}" if versions else "no package of that name"
    return f"{line.pointer}  {without_credentials(line.text)}: {there}"


def _concerned(ask: CondaAsk, text: str) -> list[str]:
    """The lines of the file whose packages the text speaks of."""
    return [f"{line.pointer}  {line.text}" for line in ask.lines if _is_named(line, text)]


def _is_named(line: Line, text: str) -> bool:
    name = line.name
    return name is not None and re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text.lower()) is not None


def _shortened(text: str) -> list[str]:
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    if len(lines) <= _MOST_LINES:
        return lines
    half = _MOST_LINES // 2
    return [*lines[:half], f"… ({len(lines) - 2 * half} more lines)", *lines[-half:]]
