"""The kinds of value that fields hold: names, versions, tags, choices, numbers that may arrive as text."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from penstock.resources.nearest import did_you_mean
from penstock.resources.wording import describe, quoted, trouble


@dataclass(frozen=True)
class NameRule(AfterValidator):
    """The validator of a name, and what it asks for, in words: the reference pages print it."""

    rule: str = ""


def _named(what: str, rule: str, pattern: str) -> NameRule:
    """A validator for names; the message carries the rule, because nobody knows it by heart."""
    matches = re.compile(pattern).fullmatch

    def check(name: str) -> str:
        if matches(name):
            return name
        raise trouble(f"`{name}` cannot be {what}", expected=rule)

    return NameRule(check, rule)


AssetName = Annotated[
    str,
    _named(
        "a name of an asset",
        "1 to 255 letters, digits, `-`, `_` and `.`, starting with a letter or a digit",
        r"[a-zA-Z0-9][a-zA-Z0-9\-_.]{0,254}",
    ),
]
JobName = Annotated[
    str,
    _named(
        "a name of a job",
        "1 to 255 letters, digits, `-`, `_` and `.`, starting with a letter or a digit",
        r"[a-zA-Z0-9][a-zA-Z0-9\-_.]{0,254}",
    ),
]
ComputeName = Annotated[
    str,
    _named(
        "a name of a compute",
        "1 to 32 letters, digits, `-` and `_`, starting with a letter",
        r"[a-zA-Z][a-zA-Z0-9\-_]{0,31}",
    ),
]
DatastoreLabel = Annotated[
    str,
    _named(
        "a name of a datastore",
        "1 to 255 letters, digits and `_`",
        r"[a-zA-Z0-9_]{1,255}",
    ),
]
WorkspaceName = Annotated[
    str,
    _named(
        "a name of a workspace",
        "2 to 33 letters, digits, `-` and `_`, starting with a letter or a digit",
        r"[a-zA-Z0-9][a-zA-Z0-9\-_]{1,32}",
    ),
]
RegistryName = Annotated[
    str,
    _named(
        "a name of a registry",
        "2 to 33 letters, digits, `-` and `_`, starting with a letter or a digit",
        r"[a-zA-Z0-9][a-zA-Z0-9\-_]{1,32}",
    ),
]
ComponentName = Annotated[
    str,
    _named(
        "a name of a component",
        "lower-case letters, digits and `_`, starting with a letter",
        r"[a-z][a-z0-9_]{0,254}",
    ),
]
# A step's key is an identifier that Azure ML also uses as a Python name.
StepName = Annotated[
    str,
    _named(
        "a name of a step",
        "lower-case letters, digits and `_`, starting with a letter or `_`",
        r"[a-z_][a-z0-9_]{0,254}",
    ),
]
PortName = Annotated[
    str,
    _named(
        "a name of an input or output",
        "letters, digits and `_`, not starting with a digit",
        r"[a-zA-Z_][a-zA-Z0-9_]{0,254}",
    ),
]
# `group.key`: inputs of a pipeline may stand in groups.
GroupedPortName = Annotated[
    str,
    _named(
        "a name of an input",
        "letters, digits and `_`, not starting with a digit; groups are separated by dots",
        r"[a-zA-Z_][a-zA-Z0-9_]*(\.[a-zA-Z_][a-zA-Z0-9_]*)*",
    ),
]
VariableName = Annotated[
    str,
    _named(
        "a name of an environment variable",
        "letters, digits and `_`, not starting with a digit",
        r"[a-zA-Z_][a-zA-Z0-9_.\-]*",
    ),
]


def _number_as_text(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value


def _version(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._+:~\-]{0,254}", text):
        return text
    raise trouble(
        f"`{text}` cannot be a version",
        expected="letters, digits, `.`, `_`, `-`, `+` and `:`",
    )


Version = Annotated[
    str,
    BeforeValidator(_number_as_text),
    AfterValidator(_version),
    WithJsonSchema({"type": ["string", "number"]}),
]
"""A version is text; YAML's numbers become text as Python writes them, so an unquoted `1.10` is `1.1`."""


def _scalar_as_text(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        return str(value)
    return value


def _variable(value: Any) -> Any:
    if isinstance(value, bool):
        raise trouble(
            f"{{field}} must be text, got {describe(value)}",
            expected="text",
            hint=f'put it in quotes, as the program expects it: "{str(value).lower()}"',
        )
    if value is None:
        raise trouble("{field} has no value", expected="text", hint='write "" for an empty variable')
    return _number_as_text(value)


_SCALAR_SCHEMA = {"type": ["string", "number", "boolean"]}
AnyTags = dict[str, Annotated[str, BeforeValidator(_scalar_as_text), WithJsonSchema(_SCALAR_SCHEMA)] | None]
"""Tags and properties of assets: any scalar, kept as text."""
TextTags = dict[str, str | None]
"""Tags and properties of jobs and components: text only, or nothing."""
Variables = dict[
    VariableName,
    Annotated[str, BeforeValidator(_variable), WithJsonSchema({"type": ["string", "number"]})],
]
"""Environment variables. Numbers become text; true and false must be quoted, for nobody knows how they are spelled."""


def _no_truth(value: Any) -> Any:
    # To Python `true` is the number 1; nobody means that.
    if isinstance(value, bool):
        raise trouble(f"{{field}} must be a whole number, got {describe(value)}", expected="a whole number")
    return value


Whole = Annotated[int, BeforeValidator(_no_truth)]
"""A whole number, also as text (`--set limits.timeout=30`)."""


Flag = Annotated[bool, WithJsonSchema({"type": "boolean"})]
"""True or false, also as text (`--set settings.force_rerun=True`)."""


def _filled(text: str) -> str:
    if text.strip():
        return text
    raise trouble("{field} is empty", expected="text")


FilledText = Annotated[str, AfterValidator(_filled)]


def _absolute(text: str) -> str:
    if text.startswith("/"):
        return text
    raise trouble(
        f"`{text}` is not an absolute path",
        expected="an absolute path",
        hint="the command line makes a relative path absolute; a REST caller has to",
    )


AbsolutePath = Annotated[str, AfterValidator(_absolute)]
"""A file or folder of the server's machine."""
"""Text with something in it."""


@dataclass(frozen=True)
class AlsoWritten:
    """Marks a field whose files may also hold a value of other JSON types: a path that is read, or nothing.

    It changes the JSON Schema for editors only.
    """

    types: tuple[str, ...]

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [*({"type": name} for name in self.types), handler(schema)]}


@dataclass(frozen=True)
class Choice:
    """Marks a `Literal`: one of its values, whatever their case and underscores, or one that is not supported yet.

    `also` pairs other spellings with values. Ports are exact (`exact=True`), as Azure ML is there.
    """

    not_yet: tuple[str, ...] = ()
    also: tuple[tuple[str, str], ...] = ()
    exact: bool = False
    hint: str | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        choose: Callable[[Any], Any] = lambda value: self.choose(value, get_args(source))  # noqa: E731
        return core_schema.no_info_before_validator_function(choose, handler(source))

    def choose(self, value: Any, offered: tuple[str, ...]) -> str:
        """The value of `offered` that is meant."""
        if not isinstance(value, str):
            raise trouble(
                f"{{field}} must be one of {quoted(offered)}, got {describe(value)}",
                expected=f"one of {quoted(offered)}",
            )
        spelled = self._spell(value)
        for candidate in offered:
            if self._spell(candidate) == spelled:
                return candidate
        for other, candidate in self.also:
            if self._spell(other) == spelled:
                return candidate
        for candidate in self.not_yet:
            if self._spell(candidate) == spelled:
                raise trouble(
                    f"{{field}} `{candidate}` is not supported yet",
                    expected=f"one of {quoted(offered)}",
                    hint=self.hint,
                    code="unsupported",
                )
        raise trouble(
            f"{{field}} must be one of {quoted(offered)}, got {describe(value)}",
            expected=f"one of {quoted(offered)}",
            hint=did_you_mean(value, offered),
        )

    def _spell(self, value: str) -> str:
        return value if self.exact else value.strip().replace("_", "").replace("-", "").lower()
