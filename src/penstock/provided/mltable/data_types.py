"""The types that a column can be turned into, and the choices of the read steps."""

from __future__ import annotations

from enum import Enum
from typing import Any

from .errors import MLTableError

SIMPLE_TYPES = ("int", "float", "string", "boolean", "datetime", "stream_info")
"""How an MLTable file spells a type that has no settings."""
_SPELLINGS = {"bool": "boolean", "str": "string", "stream": "stream_info", "integer": "int"}
MISMATCHES = ("error", "true", "false")


class MLTableHeaders(Enum):
    """How the first lines of delimited files are understood."""

    no_header = 1
    from_first_file = 2
    all_files_different_headers = 3
    all_files_same_headers = 4


class MLTableFileEncoding(Enum):
    """How a file's bytes become text."""

    utf8 = 1
    iso88591 = 2
    latin1 = 3
    ascii = 4
    utf16 = 5
    utf32 = 6
    utf8bom = 7
    windows1252 = 8


CODECS = {
    "utf8": "utf-8",
    "iso88591": "iso-8859-1",
    "latin1": "latin-1",
    "ascii": "ascii",
    "utf16": "utf-16",
    "utf32": "utf-32",
    "utf8bom": "utf-8-sig",
    "windows1252": "cp1252",
}


def chosen(value: Any, choices: Any, what: str) -> str:
    """The name of an enumeration's member that a member or a text (in any case) stands for."""
    if isinstance(value, choices):
        return str(value.name)
    text = str(value).strip().lower()
    names = [member.name for member in choices]
    if text not in names:
        raise MLTableError("`{}` is no {}: it is one of {}".format(value, what, ", ".join(names)))
    return text


class DataType:
    """A type that `convert_column_types` and `from_delimited_files` take. Made by the `to_…` methods."""

    def __init__(self, kind: str, settings: dict[str, Any] | None = None) -> None:
        self.kind = kind
        self.settings = {key: value for key, value in (settings or {}).items() if value is not None}

    def __repr__(self) -> str:
        return "DataType({!r})".format(self.as_document())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DataType) and self.as_document() == other.as_document()

    def __hash__(self) -> int:
        return hash(repr(self))

    @staticmethod
    def to_int() -> DataType:
        return DataType("int")

    @staticmethod
    def to_float() -> DataType:
        return DataType("float")

    @staticmethod
    def to_string() -> DataType:
        return DataType("string")

    @staticmethod
    def to_stream() -> DataType:
        return DataType("stream_info")

    @staticmethod
    def to_bool(
        true_values: Any = None, false_values: Any = None, mismatch_as: str | None = None
    ) -> DataType:
        """True and false are what these values say; without them `true` and `false`, `1` and `0`."""
        return _boolean(
            {"true_values": true_values, "false_values": false_values, "mismatch_as": mismatch_as}
        )

    @staticmethod
    def to_datetime(formats: Any = None, date_constant: str | None = None) -> DataType:
        """`formats` are tried in order; without them ISO 8601 is read."""
        if date_constant is not None:
            raise MLTableError("`date_constant` is not supported: give a format that has a date")
        return _datetime({"formats": formats})

    def as_document(self) -> Any:
        """As an MLTable file writes it."""
        return {self.kind: dict(self.settings)} if self.settings else self.kind

    @staticmethod
    def of(value: Any) -> DataType:
        """The type that a file or a script gives: a `DataType`, a text, or a mapping with settings."""
        if isinstance(value, DataType):
            return value
        if isinstance(value, str):
            kind = _SPELLINGS.get(value.strip().lower(), value.strip().lower())
            if kind in SIMPLE_TYPES:
                return DataType(kind)
        if isinstance(value, dict) and len(value) == 1:
            ((name, settings),) = value.items()
            kind = _SPELLINGS.get(str(name), str(name))
            if kind == "datetime":
                return _datetime(
                    {"formats": settings} if isinstance(settings, (list, str)) else settings or {}
                )
            if kind == "boolean":
                return _boolean(settings or {})
        raise MLTableError(
            "`{}` is no column type: it is one of {}, or a mapping `datetime: {{formats: […]}}` or "
            "`boolean: {{true_values: …, false_values: …, mismatch_as: …}}`".format(
                value, ", ".join(SIMPLE_TYPES)
            )
        )


def _datetime(settings: dict[str, Any]) -> DataType:
    _only(settings, ("formats",), "datetime")
    formats = settings.get("formats")
    if formats is not None:
        formats = [formats] if isinstance(formats, str) else [str(each) for each in formats]
    return DataType("datetime", {"formats": formats})


def _boolean(settings: dict[str, Any]) -> DataType:
    _only(settings, ("true_values", "false_values", "mismatch_as"), "boolean")
    values = {}
    for name in ("true_values", "false_values"):
        given = settings.get(name)
        if given is not None:
            given = list(given) if isinstance(given, (list, tuple, set)) else [given]
            if any(isinstance(each, bool) for each in given):
                raise MLTableError(
                    "`{}` holds a truth value; put the text into quotes: YAML reads yes, no, on and off so, too".format(
                        name
                    )
                )
            values[name] = [str(each) for each in given]
    if len(values) == 1:
        raise MLTableError("a boolean takes `true_values` and `false_values` together, or neither")
    both = set(values.get("true_values", ())) & set(values.get("false_values", ()))
    if both:
        raise MLTableError("`{}` stands for true and for false".format(sorted(both)[0]))
    mismatch = settings.get("mismatch_as")
    if mismatch is not None:
        mismatch = str(mismatch).lower()
        if mismatch not in MISMATCHES:
            raise MLTableError("`mismatch_as: {}` is none of {}".format(mismatch, ", ".join(MISMATCHES)))
    return DataType("boolean", dict(values, mismatch_as=mismatch))


def _only(settings: Any, known: tuple[str, ...], what: str) -> None:
    if not isinstance(settings, dict):
        raise MLTableError("the settings of type `{}` are a mapping, not `{}`".format(what, settings))
    for key in settings:
        if key not in known:
            raise MLTableError(
                "`{}` is no setting of type `{}`: it takes {}".format(key, what, ", ".join(known))
            )
