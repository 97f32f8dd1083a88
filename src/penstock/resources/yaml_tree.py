"""From a YAML text to a tree of what was written, with the place of everything; no value is made of it yet.

PyYAML's events are read one by one, so that nothing is built from a text that nothing must be built from: tags that
make objects, nesting without end, aliases that contain themselves, a second document.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from penstock.errors import InvalidDocument, Problem

# Any in this module: an object of PyYAML, whose types say no more.

DEEPEST = 64
"""Levels of nesting, aliases written out. Real files have about ten."""

PLACEHOLDER = re.compile(r"(?<!\$)\{\{")
PLACEHOLDER_HINT = "`{{…}}` is a placeholder that a script fills in; a text with braces needs quotes"

_TAG = "tag:yaml.org,2002:"


def tree_of(text: str, *, name: str) -> "Node | None":
    """The root of the one document in a text, None where there is none. Raises InvalidDocument."""
    return _Builder(text, name).tree()


def broken(name: str, message: str, line: int, column: int, *, hint: str | None = None) -> InvalidDocument:
    """The error for a text that cannot be read any further."""
    problem = Problem("", message, hint=hint, code="syntax", file=name, line=line)
    return InvalidDocument([problem], f"{name} cannot be read as YAML: line {line}, column {column}")


@dataclass
class Node:
    """A value as written. Exactly one of `scalar`, `items`, `entries`, `target` (of an alias) says what it is.

    `tag` is `str`, `int`, `float`, `bool`, `null` or `merge` for a scalar.
    """

    line: int
    column: int
    tag: str = ""
    scalar: str | None = None
    items: "list[Node] | None" = None
    entries: "list[tuple[Node, Node]] | None" = None
    pending: "Node | None" = None  # the key that waits for its value
    target: "Node | None" = None
    is_open: bool = False


class _Builder:
    """Reads PyYAML's events one by one, so that nothing is built from a text that must not be built from it."""

    def __init__(self, text: str, name: str) -> None:
        import yaml

        self.yaml: Any = yaml
        self.name = name
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            self.loader: Any = loader(text)
        except (yaml.YAMLError, UnicodeEncodeError) as error:
            raise self.broken_syntax(error, text) from error
        self.text = text
        self.anchors: dict[str, Node] = {}
        self.stack: list[Node] = []
        self.root: Node | None = None

    def tree(self) -> Node | None:
        """The document's root; None where the text is empty."""
        try:
            for event in self.events():
                self.take(event)
        except (self.yaml.YAMLError, UnicodeEncodeError) as error:
            raise self.broken_syntax(error, self.text) from error
        finally:
            self.loader.dispose()
        return self.root

    def events(self) -> Iterator[Any]:
        while self.loader.check_event():
            yield self.loader.get_event()

    def take(self, event: Any) -> None:
        yaml = self.yaml
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            raise broken(
                self.name,
                "the file holds more than one document",
                line,
                column,
                hint="one file, one document",
            )
        if isinstance(event, yaml.AliasEvent):
            self.add(self.alias(event.anchor, line, column))
        elif isinstance(event, yaml.ScalarEvent):
            tag = self.tag_of(event, line, column)
            node = Node(line, column, tag, scalar=event.value)
            self.anchor(event, node)
            self.add(node)
        elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            self.open(event, line, column)
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            self.stack.pop().is_open = False

    def open(self, event: Any, line: int, column: int) -> None:
        if len(self.stack) >= DEEPEST:
            raise broken(self.name, f"values are nested more than {DEEPEST} deep", line, column)
        is_map = isinstance(event, self.yaml.MappingStartEvent)
        expected = _TAG + ("map" if is_map else "seq")
        if event.tag not in (None, "!", expected):
            raise self.tagged(event.tag, line, column)
        node = Node(line, column, expected, is_open=True)
        if is_map:
            node.entries = []
        else:
            node.items = []
        self.anchor(event, node)
        self.add(node)
        self.stack.append(node)

    def add(self, node: Node) -> None:
        if not self.stack:
            self.root = node
            return
        parent = self.stack[-1]
        if parent.items is not None:
            parent.items.append(node)
        elif parent.entries is not None:
            if parent.pending is None:
                parent.pending = node
            else:
                parent.entries.append((parent.pending, node))
                parent.pending = None

    def anchor(self, event: Any, node: Node) -> None:
        if event.anchor is not None:
            self.anchors[event.anchor] = node

    def alias(self, anchor: str, line: int, column: int) -> Node:
        target = self.anchors.get(anchor)
        if target is None:
            raise broken(
                self.name, f"`*{anchor}` refers to nothing: there is no `&{anchor}` before it", line, column
            )
        if target.is_open:
            raise broken(self.name, f"`*{anchor}` contains itself", line, column)
        return Node(line, column, target=target)

    def tag_of(self, event: Any, line: int, column: int) -> str:
        tag = event.tag
        if tag is None or tag == "!":
            tag = self.loader.resolve(self.yaml.ScalarNode, event.value, event.implicit)
        elif tag not in {_TAG + short for short in ("str", "int", "float", "bool", "null")}:
            raise self.tagged(tag, line, column)
        short = str(tag).removeprefix(_TAG)
        # A plain date is text here: JSON has none, and `version: 2024-05-01` means what it says.
        return "str" if short in ("timestamp", "value") else short

    def tagged(self, tag: str, line: int, column: int) -> InvalidDocument:
        shown = tag.replace(_TAG, "!!")
        hint = (
            "a document holds plain text, numbers, true, false, null, lists and mappings: leave the tag out"
        )
        return broken(self.name, f"the tag `{shown}` is not allowed", line, column, hint=hint)

    def broken_syntax(self, error: Exception, text: str) -> InvalidDocument:
        """PyYAML's finding as ours."""
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        if mark is None:
            return broken(
                self.name, "the file holds characters that are not allowed in YAML", *_bad_character(text)
            )
        message = str(getattr(error, "problem", None) or "this is not YAML")
        context = getattr(error, "context", None)
        line, column = mark.line + 1, mark.column + 1
        return broken(
            self.name,
            message + (f" ({context})" if context else ""),
            line,
            column,
            hint=_advice(text, line, column),
        )


def _bad_character(text: str) -> tuple[int, int]:
    """Line and column of the first character that YAML does not allow."""
    found = re.search("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    at = found.start() if found else 0
    return text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1


def _advice(text: str, line: int, column: int) -> str | None:
    """The next step for the mistakes that people make most."""
    lines = text.splitlines()
    row = lines[line - 1] if 0 < line <= len(lines) else ""
    if "\t" in row[: len(row) - len(row.lstrip())]:
        return "indent with blanks: YAML allows no tabs there"
    if PLACEHOLDER.search(row):
        return PLACEHOLDER_HINT
    if row[column - 1 : column] in ("%", "@", "`", "*", "&", "!") or "${{" in row:
        return "put the text in quotes"
    if row.count(": ") > 1:
        return "a text that holds `: ` needs quotes"
    return None
