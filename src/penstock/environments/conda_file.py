"""What a conda file asks for, said in PyPI's words: a Python, requirements, and everything wrong with it at once."""

import contextlib
import difflib
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeGuard

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from penstock.environments import conda_names
from penstock.environments.conda_versions import BadSpec, CondaSpec, parse_conda_spec
from penstock.environments.credentials import without_credentials
from penstock.environments.pip_lines import BadLine, PipItem, read_pip_line
from penstock.errors import Problem

_KEYS = ("name", "channels", "dependencies", "prefix", "variables", "platforms", "category")
# Channels whose packages PyPI has too. Any other may hold packages that only its owner knows.
_PUBLIC_CHANNELS = (
    "defaults", "main", "free", "r", "msys2", "anaconda", "conda-forge", "pytorch", "pytorch-nightly", "pytorch-test",
    "nvidia", "bioconda", "fastai", "huggingface", "rapidsai", "intel", "pyg", "plotly", "microsoft", "dglteam", "esri",
    "numba", "xgboost", "h2oai", "nodefaults",
)  # fmt: skip
_SHOWN_NAMES = 3
_REAL_ONES = "set PENSTOCK_CONDA_PACKAGES=conda to have the file's conda packages from its channels"


@dataclass(frozen=True)
class Wanted:
    """One requirement, and the JSON pointer of the line that asks for it."""

    requirement: str = field(repr=False)
    pointer: str


@dataclass(frozen=True)
class CondaFile:
    """A conda file, understood. `python` is a PEP 440 specifier, empty for any, None where the file names no Python.

    `option_lines` go into the installer's requirements file, `arguments` onto its command line; both in file order.
    """

    python: str | None = None
    python_pointer: str = ""
    wanted: tuple[Wanted, ...] = ()
    option_lines: tuple[str, ...] = field(default=(), repr=False)
    arguments: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()


def read_conda_file(
    data: object, pointer: str, *, has_program: Callable[[str], object] = shutil.which
) -> CondaFile:
    """Understand a parsed conda file. `pointer` is where it stands in the document; nothing is raised.

    `has_program` says whether the machine has a command: some conda packages are programs and not Python.
    """
    reader = _Reader(pointer, has_program)
    reader.read(data)
    return reader.result()


class _Reader:
    """Walks through the file once and collects."""

    def __init__(self, pointer: str, has_program: Callable[[str], object]) -> None:
        self._pointer = pointer
        self._has_program = has_program
        self._pythons: list[str] = []
        self._python_pointer = ""
        self._wanted: list[Wanted] = []
        self._option_lines: list[str] = []
        self._arguments: list[str] = []
        self._problems: list[Problem] = []
        self._warnings: list[str] = []

    def result(self) -> CondaFile:
        return CondaFile(
            python=",".join(filter(None, self._pythons)) if self._pythons else None,
            python_pointer=self._python_pointer,
            wanted=tuple(self._wanted),
            option_lines=tuple(self._option_lines),
            arguments=tuple(self._arguments),
            problems=tuple(self._problems),
            warnings=tuple(dict.fromkeys(self._warnings)),
        )

    def read(self, data: object) -> None:
        if not isinstance(data, Mapping):
            self._problem("", "a conda file must be a mapping with `dependencies`", expected="a mapping")
            return
        for key in data:
            if key not in _KEYS:
                self._unknown_key(str(key))
        self._channels(data.get("channels"))
        if data.get("variables"):
            self._warnings.append(
                "`variables` of a conda file have no effect here; use `environment_variables` of the job"
            )
        if "dependencies" not in data:
            self._problem("", "the conda file has no `dependencies`", code="missing")
            return
        dependencies = data["dependencies"]
        if dependencies is not None and not _is_list(dependencies):
            self._problem("/dependencies", "`dependencies` must be a list", expected="a list")
            return
        for index, item in enumerate(dependencies or ()):
            self._dependency(item, f"/dependencies/{index}")

    def _problem(
        self,
        at: str,
        message: str,
        *,
        expected: str | None = None,
        hint: str | None = None,
        code: str = "invalid",
    ) -> None:
        pointer = f"{self._pointer}{at}"
        self._problems.append(Problem(pointer, message, expected=expected, hint=hint, code=code))

    def _unknown_key(self, key: str) -> None:
        near = difflib.get_close_matches(key, _KEYS, n=1)
        hint = (
            f"did you mean `{near[0]}`?" if near else "a conda file has `name`, `channels` and `dependencies`"
        )
        escaped = key.replace("~", "~0").replace("/", "~1")
        self._problem(f"/{escaped}", f"a conda file has no field `{key}`", hint=hint)

    def _channels(self, channels: object) -> None:
        if channels is None:
            return
        if isinstance(channels, str):  # conda takes a single channel without a list
            channels = [channels]
        names = [channel for channel in channels if isinstance(channel, str)] if _is_list(channels) else None
        if names is None or names != channels:
            self._problem("/channels", "`channels` must be a list of names", expected="a list of text")
            return
        self._private_channels(names)

    def _private_channels(self, channels: Sequence[str]) -> None:
        private = [channel for channel in channels if _channel_name(channel) not in _PUBLIC_CHANNELS]
        if private:
            names = ", ".join(f"`{without_credentials(channel)}`" for channel in private)
            self._warnings.append(f"packages come from PyPI, so conda channel {names} is not asked")

    def _dependency(self, item: object, at: str) -> None:
        if isinstance(item, str):
            self._conda_dependency(item, at)
        elif isinstance(item, Mapping):
            for key, lines in item.items():
                if key == "pip":
                    self._pip_section(lines, f"{at}/pip")
                else:
                    self._problem(
                        at,
                        f"`{key}` with a colon is no conda dependency; only `pip:` may hold a list",
                        hint=f"write `- {key}={lines}`" if isinstance(lines, str | int | float) else None,
                    )
        else:
            self._problem(
                at, f"a dependency must be text such as `numpy=1.21`, got {item!r}", expected="text"
            )

    def _conda_dependency(self, text: str, at: str) -> None:
        try:
            self._understood(parse_conda_spec(text), at)
        except BadSpec as error:
            hint = "write it as `name=1.2`, `name>=1,<2` or `name`, or under `pip:`"
            self._problem(at, str(error), hint=f"{hint}, or {_REAL_ONES}" if error.conda_knows else hint)

    def _understood(self, spec: CondaSpec, at: str) -> None:
        if spec.channel is not None:
            self._private_channels([spec.channel])
        if spec.name == "python":
            self._pythons.append(spec.versions)
            self._python_pointer = self._python_pointer or f"{self._pointer}{at}"
            return
        match conda_names.meaning_of(spec.name):
            case conda_names.OnPyPI(name):
                self._wanted.append(Wanted(f"{name}{spec.versions}", f"{self._pointer}{at}"))
            case conda_names.LeftOut(because):
                if because is not None:
                    self._warnings.append(f"conda package `{spec.name}` is left out: {because}")
            case conda_names.MachineProgram(command):
                self._program(spec, command, at)
            case None:
                self._unknown_package(spec, at)

    def _program(self, spec: CondaSpec, command: str, at: str) -> None:
        if self._has_program(command):
            self._warnings.append(
                f"conda package `{spec.name}` is left out: the machine's own `{command}` is used"
            )
        else:
            self._problem(
                at,
                f"`{spec.name}` is a program and not a Python package, and this machine has no `{command}`",
                hint=f"install `{command}` on the machine, or take the line out if the code does not need it, or "
                f"{_REAL_ONES}",
                code="not_found",
            )

    def _unknown_package(self, spec: CondaSpec, at: str) -> None:
        near = conda_names.nearest_names(spec.name)
        meant = (
            f"did you mean {' or '.join(f'`{name}`' for name in near[:_SHOWN_NAMES])}? Otherwise: "
            if near
            else ""
        )
        self._problem(
            at,
            f"it is not known what the conda package `{spec.name}` is called on PyPI",
            hint=f"{meant}write `{spec.name}{spec.versions}` (its name on PyPI) under `pip:`, "
            "or take the line out if the code does not need it" + (f", or {_REAL_ONES}" if not near else ""),
            code="not_found",
        )

    def _pip_section(self, lines: object, at: str) -> None:
        if lines is None:
            return
        if not _is_list(lines):
            self._problem(at, "`pip:` must hold a list of requirements", expected="a list")
            return
        for index, line in enumerate(lines):
            if not isinstance(line, str):
                self._problem(f"{at}/{index}", f"a requirement must be text, got {line!r}", expected="text")
                continue
            try:
                self._pip_line(read_pip_line(line), f"{at}/{index}")
            except BadLine as error:
                code = "unsupported" if error.unsupported else "invalid"
                self._problem(f"{at}/{index}", without_credentials(str(error)), hint=error.hint, code=code)

    def _pip_line(self, line: PipItem, at: str) -> None:
        if line.requirement is not None:
            self._wanted.append(Wanted(line.requirement, f"{self._pointer}{at}"))
        if line.in_file is not None:
            self._option_lines.append(line.in_file)
        self._arguments.extend(line.arguments)
        if line.warning is not None:
            self._warnings.append(without_credentials(line.warning))


def names_of(wanted: Sequence[Wanted]) -> dict[str, Wanted]:
    """The requirements by canonical package name; one that is only an address has no name and is not in it."""
    named: dict[str, Wanted] = {}
    for one in wanted:
        with contextlib.suppress(InvalidRequirement):  # a bare address
            named[canonicalize_name(Requirement(one.requirement).name)] = one
    return named


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _channel_name(channel: str) -> str:
    """`https://conda.anaconda.org/conda-forge/linux-64` and `conda-forge` are one channel."""
    match = re.match(r"https?://(?:conda\.anaconda\.org|repo\.anaconda\.com/pkgs)/([^/]+)", channel)
    return (match[1] if match else channel.split("/")[0] if "://" not in channel else channel).lower()
