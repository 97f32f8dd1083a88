"""What a conda file asks of conda: its lines as they are written, its channels, and its pip section."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeGuard

from penstock.environments.conda_file import Wanted
from penstock.environments.conda_versions import BadSpec, parse_conda_spec
from penstock.environments.credentials import without_credentials
from penstock.environments.pip_lines import BadLine, PipItem, read_pip_line
from penstock.errors import Problem

_KEYS = ("name", "channels", "dependencies", "prefix", "variables", "platforms", "category")


@dataclass(frozen=True)
class Line:
    """One conda dependency, word for word, and the JSON pointer where it stands. `name` is the package's, if it shows."""

    text: str
    pointer: str

    @property
    def name(self) -> str | None:
        """The package that the line asks for; None where only conda understands the line."""
        try:
            return parse_conda_spec(self.text).name
        except BadSpec:
            return None

    @property
    def channel(self) -> str | None:
        """The channel that the line itself names."""
        try:
            return parse_conda_spec(self.text).channel
        except BadSpec:
            return None


@dataclass(frozen=True)
class CondaAsk:
    """A conda file as conda is asked for it. `option_lines` and `arguments` are the pip section's, for the installer."""

    lines: tuple[Line, ...] = ()
    channels: tuple[str, ...] = field(default=(), repr=False)
    pip: tuple[Wanted, ...] = ()
    option_lines: tuple[str, ...] = field(default=(), repr=False)
    arguments: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def named(self) -> frozenset[str]:
        """The packages that the file names."""
        return frozenset(name for line in self.lines if (name := line.name) is not None)


def read_for_conda(data: object, pointer: str) -> CondaAsk:
    """Read a parsed conda file. `pointer` is where it stands in the document; nothing is raised, and no line is judged.

    Whether conda understands a line and has the package, only conda knows.
    """
    reader = _Reader(pointer)
    reader.read(data)
    return reader.result()


class _Reader:
    """Walks through the file once and collects."""

    def __init__(self, pointer: str) -> None:
        self._pointer = pointer
        self._lines: list[Line] = []
        self._channels: list[str] = []
        self._pip: list[Wanted] = []
        self._option_lines: list[str] = []
        self._arguments: list[str] = []
        self._variables: dict[str, str] = {}
        self._problems: list[Problem] = []
        self._warnings: list[str] = []

    def result(self) -> CondaAsk:
        return CondaAsk(
            lines=tuple(self._lines),
            channels=tuple(self._channels),
            pip=tuple(self._pip),
            option_lines=tuple(self._option_lines),
            arguments=tuple(self._arguments),
            variables=self._variables,
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
        self._read_channels(data.get("channels"))
        self._read_variables(data.get("variables"))
        dependencies = data.get("dependencies")
        if "dependencies" not in data:
            self._problem("", "the conda file has no `dependencies`", code="missing")
        elif dependencies is not None and not _is_list(dependencies):
            self._problem("/dependencies", "`dependencies` must be a list", expected="a list")
        else:
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
        self._problems.append(
            Problem(f"{self._pointer}{at}", message, expected=expected, hint=hint, code=code)
        )

    def _unknown_key(self, key: str) -> None:
        near = difflib.get_close_matches(key, _KEYS, n=1)
        hint = f"did you mean `{near[0]}`?" if near else "a conda file has `name`, `channels`, `dependencies`"
        escaped = key.replace("~", "~0").replace("/", "~1")
        self._problem(f"/{escaped}", f"a conda file has no field `{key}`", hint=hint)

    def _read_channels(self, channels: object) -> None:
        if isinstance(channels, str):  # conda takes a single channel without a list
            channels = [channels]
        if channels is None:
            return
        if not _is_list(channels):
            self._problem("/channels", "`channels` must be a list of names", expected="a list of text")
            return
        for index, channel in enumerate(channels):
            at = f"/channels/{index}"
            if not isinstance(channel, str) or not channel.strip():
                self._problem(at, f"a channel must be a name or an address, got {channel!r}", expected="text")
            elif channel.startswith("."):
                hint = "give its address, or its whole path"
                self._problem(at, f"channel `{channel}` is a path from a folder nobody knows here", hint=hint)
            else:
                self._channels.append(channel)

    def _read_variables(self, variables: object) -> None:
        if variables is None:
            return
        if not isinstance(variables, Mapping):
            self._problem("/variables", "`variables` must be a mapping", expected="a mapping")
            return
        self._variables = {str(name): str(value) for name, value in variables.items() if value is not None}

    def _dependency(self, item: object, at: str) -> None:
        if isinstance(item, str):
            text = item if "://" in item else item.split("#", 1)[0]
            if text.strip().startswith(("-", "@")):  # to a program that would be an option
                self._problem(at, f"`{text.strip()}` is no conda package specification")
            elif text.strip():
                self._lines.append(Line(text.strip(), f"{self._pointer}{at}"))
        elif isinstance(item, Mapping):
            for key, lines in item.items():
                if key == "pip":
                    self._pip_section(lines, f"{at}/pip")
                else:
                    hint = f"write `- {key}={lines}`" if isinstance(lines, str | int | float) else None
                    message = f"`{key}` with a colon is no conda dependency; only `pip:` may hold a list"
                    self._problem(at, message, hint=hint)
        else:
            message = f"a dependency must be text such as `numpy=1.21`, got {item!r}"
            self._problem(at, message, expected="text")

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
                self._problem(f"{at}/{index}", str(error), hint=error.hint, code=code)

    def _pip_line(self, line: PipItem, at: str) -> None:
        if line.requirement is not None:
            self._pip.append(Wanted(line.requirement, f"{self._pointer}{at}"))
        if line.in_file is not None:
            self._option_lines.append(line.in_file)
        self._arguments.extend(line.arguments)
        if line.warning is not None:
            self._warnings.append(without_credentials(line.warning))


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
