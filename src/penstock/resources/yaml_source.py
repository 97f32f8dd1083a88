"""Reading one YAML text: plain data, and the line of every value. Whatever YAML can be misused for is refused.

The dialect is YAML 1.1 as PyYAML reads it, which is what Azure ML's own loader does, with these differences. Keys are
text as written (`on:` is not `true`). Dates stay text. Tags other than those of JSON-like values, duplicate keys, aliases that
contain themselves or blow up, several documents in a file, and nesting deeper than `DEEPEST` are errors.
"""

import re
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

from penstock.errors import InvalidDocument, Problem
from penstock.resources.yaml_tree import DEEPEST, PLACEHOLDER_HINT, Node, broken, tree_of

# Any in this module: a JSON value.

LARGEST_FILE = 5_000_000
"""Bytes."""
MOST_BY_ALIAS = 100_000
"""Values and characters that aliases and merge keys may add, together."""

_MERGE = "<<"


@dataclass(frozen=True)
class Position:
    """Where a value was written. `line` and `column` count from 1; line 0 means that `file` is a flag."""

    file: str
    line: int
    column: int


@dataclass(frozen=True)
class YamlText:
    """What a text says: JSON-able data, the position of every value by JSON pointer, and warnings for people."""

    data: Any
    positions: dict[str, Position]
    warnings: tuple[str, ...] = ()


def load_yaml(text: str, *, name: str) -> Any:
    """The data of a YAML text. Raises InvalidDocument, with `name` as the file."""
    return parse_yaml(text, name=name).data


def parse_yaml(text: str, *, name: str) -> YamlText:
    """The data, positions and warnings of a YAML text. Raises InvalidDocument with what stopped the reading."""
    tree = tree_of(text, name=name)
    written = _Written(name)
    data = written.out(tree, "", 0, aliased=False) if tree is not None else None
    return YamlText(data, written.positions, tuple(written.warnings))


def read_yaml(file: Path, *, name: str) -> YamlText:
    """As `parse_yaml`, for a file. UTF-8, with or without a byte-order mark."""
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
    except OSError as error:
        problem = Problem("", f"cannot be read: {error.strerror or error}", code="missing", file=name)
        raise InvalidDocument([problem], f"{name} cannot be read: {error.strerror or error}") from error
    if len(content) > LARGEST_FILE:
        raise broken(
            name, f"the file is larger than {LARGEST_FILE // 1_000_000} MB: this is not a YAML document", 1, 1
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        hint = "save the file as UTF-8"
        raise broken(name, "the file is not UTF-8 text", line, 1, hint=hint) from error
    return parse_yaml(text, name=name)


@dataclass
class _Written:
    """Writes a tree out as data. Aliases are copied, within a budget, so that no two places share a value."""

    name: str
    positions: dict[str, Position] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    by_alias: int = 0

    def out(self, node: Node, pointer: str, depth: int, *, aliased: bool) -> Any:
        if node.target is not None:
            node, aliased = node.target, True
        if depth > DEEPEST:
            raise self.broken(f"values are nested more than {DEEPEST} deep", node)
        if aliased:
            self.by_alias += 1 + len(node.scalar or "")
            if self.by_alias > MOST_BY_ALIAS:
                raise self.broken("aliases multiply what the file says beyond measure", node)
        self.positions.setdefault(pointer, Position(self.name, node.line, node.column))
        if node.entries is not None:
            return self.mapping(node, pointer, depth, aliased=aliased)
        if node.items is not None:
            return [
                self.out(item, f"{pointer}/{index}", depth + 1, aliased=aliased)
                for index, item in enumerate(node.items)
            ]
        return self.scalar(node, pointer)

    def mapping(self, node: Node, pointer: str, depth: int, *, aliased: bool) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key, (key_node, value, merged) in self.entries(node, depth, aliased=aliased).items():
            below = f"{pointer}/{escaped(key)}"
            # The line of the key: that is where a person looks, and a block's value begins a line later.
            self.positions[below] = Position(self.name, key_node.line, key_node.column)
            data[key] = self.out(value, below, depth + 1, aliased=aliased or merged)
        return data

    def entries(self, node: Node, depth: int, *, aliased: bool) -> "dict[str, tuple[Node, Node, bool]]":
        """A mapping's entries by key, those of merge keys (`<<`) where the mapping does not have them itself."""
        if depth > DEEPEST:
            raise self.broken(f"values are nested more than {DEEPEST} deep", node)
        own: dict[str, tuple[Node, Node, bool]] = {}
        merges: list[Node] = []
        seen: dict[str, int] = {}
        for key_node, value in node.entries or []:
            is_merge = key_node.tag == "merge" and key_node.target is None
            key = _MERGE if is_merge else self.key(key_node)
            if (mark := key + ("\0" if is_merge else "")) in seen:
                raise self.broken(f"key `{_short(key)}` is given twice, first in line {seen[mark]}", key_node)
            seen[mark] = key_node.line
            if is_merge:
                merges += self.merged(value)
            else:
                own[key] = (key_node, value, False)
        for source in merges:  # the first of several wins, as the YAML document on merge keys says
            for key, (key_node, value, _) in self.entries(source, depth + 1, aliased=True).items():
                self.by_alias += 1
                own.setdefault(key, (key_node, value, True))
            if self.by_alias > MOST_BY_ALIAS:
                raise self.broken("merge keys multiply what the file says beyond measure", node)
        return own

    def merged(self, value: Node) -> list[Node]:
        """The mappings that a merge key takes in: one, or a list of them."""
        target = value.target or value
        sources = [each.target or each for each in target.items] if target.items is not None else [target]
        for source in sources:
            if source.entries is None:
                raise self.broken("a merge key `<<` takes a mapping, or a list of mappings", value)
        return sources

    def key(self, node: Node) -> str:
        target = node.target or node
        if target.scalar is None:
            hint = PLACEHOLDER_HINT if target.entries is not None else None
            raise self.broken("a key must be text, not a list or a mapping", node, hint=hint)
        return target.scalar

    def scalar(self, node: Node, pointer: str) -> Any:
        text = node.scalar or ""
        try:
            match node.tag:
                case "null":
                    return None
                case "bool":
                    return _BOOLEANS[text.lower()]
                case "int":
                    return _integer(text)
                case "float":
                    return self.number(node, text, pointer)
                case _:
                    return text
        except (ValueError, KeyError, OverflowError) as error:
            raise self.broken(f"`{_short(text)}` is not a value of its type, {node.tag}", node) from error

    def number(self, node: Node, text: str, pointer: str) -> float:
        number = _float(text)
        if not isfinite(number):
            raise self.broken(f"`{text}` is not a finite number", node, hint=f'as text it would be "{text}"')
        if pointer.endswith("/version") and str(number) != text:
            self.warnings.append(
                f'{self.name}:{node.line}: version {text} is the number {number}; write "{text}" if you mean the text'
            )
        return number

    def broken(self, message: str, node: Node, *, hint: str | None = None) -> InvalidDocument:
        return broken(self.name, message, node.line, node.column, hint=hint)


_BOOLEANS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}


def escaped(key: str) -> str:
    """A key as a part of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def _integer(text: str) -> int:
    """YAML 1.1: underscores, binary, octal with a leading zero, hexadecimal, base 60."""
    plain = text.replace("_", "")
    sign, digits = (-1, plain[1:]) if plain.startswith("-") else (1, plain.removeprefix("+"))
    if ":" in digits:
        value = 0
        for part in digits.split(":"):
            value = value * 60 + int(part)
        return sign * value
    if re.fullmatch(r"0[0-7]+", digits):
        return sign * int(digits, 8)
    return sign * int(digits, 0)


def _float(text: str) -> float:
    plain = text.replace("_", "").lower()
    sign, digits = (-1.0, plain[1:]) if plain.startswith("-") else (1.0, plain.removeprefix("+"))
    if ":" in digits:
        value = 0.0
        for part in digits.split(":"):
            value = value * 60 + float(part)
        return sign * value
    return sign * float(digits.removeprefix(".") if digits in (".inf", ".nan") else digits)


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
