"""The YAML of MLTable files: PyYAML where the environment has it, else a strict reader of the part that these files use.

That part: block mappings and lists, `[…]` and `{…}`, quoted and plain texts, comments. Anchors, tags and folded texts are refused
with their line.
"""

from __future__ import annotations

import datetime
import json
import re
from typing import Any

from .errors import MLTableError

_INT = re.compile(r"[-+]?(0|[1-9][0-9_]*)$")
_FLOAT = re.compile(r"[-+]?([0-9][0-9_]*)?\.[0-9_]*([eE][-+]?[0-9]+)?$|[-+]?[0-9]+[eE][-+]?[0-9]+$")
_TRUE, _FALSE = ("true", "yes", "on"), ("false", "no", "off")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", '"': '"', "\\": "\\", "/": "/", " ": " "}
_PLAIN = re.compile(r"[A-Za-z_./][\w./ -]*$")
_DEEPEST = 50


def read(text: str, name: str) -> Any:
    """The data of a YAML text; `name` is the file's, for messages. Dates stay text."""
    try:
        import yaml
    except ImportError:
        return read_subset(text, name)
    try:
        return _without_dates(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise MLTableError("{} is not YAML: {}".format(name, error)) from error


def _without_dates(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _without_dates(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_dates(item) for item in value]
    return value.isoformat() if isinstance(value, (datetime.date, datetime.datetime)) else value


def read_subset(text: str, name: str) -> Any:
    """As `read`, without PyYAML."""
    return _Reader(text.lstrip("\ufeff"), name).document()


class _Reader:
    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self.lines: list[tuple[int, int, str]] = []  # line number, indentation, content
        self.at = 0
        for number, raw in enumerate(text.splitlines(), start=1):
            content = _uncommented(raw).rstrip()
            body = content.lstrip(" ")
            if body.startswith("\t"):
                raise self.trouble("a tab indents the line; YAML takes blanks", number)
            if body and not (body == "---" and not self.lines) and not body.startswith("%YAML"):
                self.lines.append((number, len(content) - len(body), body))

    def trouble(self, what: str, line: int) -> MLTableError:
        return MLTableError(
            "{}:{}: {}; with PyYAML in the environment (`pyyaml` in the conda file) all of YAML is read".format(
                self.name, line, what
            )
        )

    def document(self) -> Any:
        if not self.lines:
            return None
        value = self.block(self.lines[0][1], 0)
        if self.at < len(self.lines):
            raise self.trouble("this line is indented unlike those around it", self.lines[self.at][0])
        return value

    def block(self, indent: int, depth: int) -> Any:
        number, _, body = self.lines[self.at]
        if depth > _DEEPEST:
            raise self.trouble("values are nested too deep", number)
        if body == "-" or body.startswith("- "):
            return self.items(indent, depth)
        if _key_of(body) is not None:
            return self.mapping(indent, depth)
        self.at += 1
        gathered = self.gathered(body, number)
        return self.value(gathered, number)

    def items(self, indent: int, depth: int) -> list[Any]:
        found = []
        while self.at < len(self.lines):
            number, own, body = self.lines[self.at]
            if own != indent or not (body == "-" or body.startswith("- ")):
                break
            rest = body[1:].lstrip(" ")
            if not rest:
                self.at += 1
                found.append(self.below(indent, number, depth))
                continue
            inner = indent + len(body) - len(rest)
            self.lines[self.at] = (number, inner, rest)
            found.append(self.block(inner, depth + 1))
        return found

    def mapping(self, indent: int, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self.at < len(self.lines):
            number, own, body = self.lines[self.at]
            if own != indent:
                break
            split = _key_of(body)
            if split is None:
                raise self.trouble("`{}` is no `key: value`".format(body), number)
            key = str(self.scalar(split[0], number, key=True))
            if key in found:
                raise self.trouble("key `{}` is given twice".format(key), number)
            self.at += 1
            if split[1]:
                found[key] = self.value(self.gathered(split[1], number), number)
            else:
                found[key] = self.below(indent, number, depth, lists_too=True)
        return found

    def below(self, indent: int, number: int, depth: int, lists_too: bool = False) -> Any:
        """The value that stands on the lines after a key or a dash."""
        if self.at >= len(self.lines):
            return None
        _, own, body = self.lines[self.at]
        if own > indent or (lists_too and own == indent and (body == "-" or body.startswith("- "))):
            return self.block(own, depth + 1)
        return None

    def gathered(self, text: str, number: int) -> str:
        """A `[…]` or `{…}` that goes on over several lines, as one line."""
        if text[0] not in "[{":
            return text
        while not _is_closed(text):
            if self.at >= len(self.lines):
                raise self.trouble("`{}` is not closed".format(text[0]), number)
            text += " " + self.lines[self.at][2]
            self.at += 1
        return text

    def value(self, text: str, number: int) -> Any:
        if text[0] in "[{":
            value, rest = self.flow(text, number, 0)
            if rest.strip():
                raise self.trouble("`{}` follows a closed list or mapping".format(rest.strip()), number)
            return value
        return self.scalar(text, number)

    def flow(self, text: str, number: int, depth: int) -> tuple[Any, str]:
        """The value at the beginning of `text`, and what follows it."""
        if depth > _DEEPEST:
            raise self.trouble("values are nested too deep", number)
        text = text.lstrip()
        if text[:1] == "[":
            found, text = [], text[1:].lstrip()
            while text[:1] != "]":
                item, text = self.flow(text, number, depth + 1)
                found.append(item)
                text = self.separated(text, "]", number)
            return found, text[1:]
        if text[:1] == "{":
            entries: dict[str, Any] = {}
            text = text[1:].lstrip()
            while text[:1] != "}":
                key, text = self.flow(text, number, depth + 1)
                text = text.lstrip()
                if text[:1] != ":":
                    raise self.trouble("a `:` is missing after `{}`".format(key), number)
                entries[str(key)], text = self.flow(text[1:], number, depth + 1)
                text = self.separated(text, "}", number)
            return entries, text[1:]
        match = re.match(r'"(?:[^"\\]|\\.)*"|\'(?:[^\']|\'\')*\'|(?:[^,\[\]{}:]|:(?=[^\s,\]}]))*', text)
        assert match is not None  # the last alternative matches nothing at all, too
        return self.scalar(match.group().strip(), number), text[match.end() :]

    def separated(self, text: str, end: str, number: int) -> str:
        text = text.lstrip()
        if text[:1] == ",":
            return text[1:].lstrip()
        if text[:1] != end:
            raise self.trouble("`,` or `{}` is missing before `{}`".format(end, text[:20]), number)
        return text

    def scalar(self, text: str, number: int, key: bool = False) -> Any:
        if not text:
            return None
        if text[0] == '"':
            if len(text) < 2 or not re.match(r'"(?:[^"\\]|\\.)*"$', text):
                raise self.trouble("a text in quotes is not closed on its line", number)
            return re.sub(r"\\(x..|u....|.)", lambda match: self.escape(match.group(1), number), text[1:-1])
        if text[0] == "'":
            if len(text) < 2 or not re.match(r"'(?:[^']|'')*'$", text):
                raise self.trouble("a text in quotes is not closed on its line", number)
            return text[1:-1].replace("''", "'")
        if text[0] in "&*!|>%@`":
            raise self.trouble(
                "`{}` begins something that is not read without PyYAML".format(text[0]), number
            )
        if key:
            return text
        if re.search(r":\s", text):
            raise self.trouble("`{}` holds `: `; put the text into quotes".format(text), number)
        lowered = text.lower()
        if lowered in ("~", "null"):
            return None
        if lowered in _TRUE or lowered in _FALSE:
            return lowered in _TRUE
        if _INT.match(text):
            return int(text.replace("_", ""))
        if _FLOAT.match(text) and text not in (".", "-.", "+."):
            return float(text.replace("_", ""))
        return text

    def escape(self, mark: str, number: int) -> str:
        if mark[0] in "xu" and len(mark) > 1:
            return chr(int(mark[1:], 16))
        if mark not in _ESCAPES:
            raise self.trouble("`\\{}` is no escape".format(mark), number)
        return _ESCAPES[mark]


def _uncommented(line: str) -> str:
    """The line without its comment: a `#` at its beginning or after a blank, outside of quotes."""
    quote = ""
    skip = False
    for place, sign in enumerate(line):
        if skip:
            skip = False
        elif quote:
            skip = sign == "\\" and quote == '"'
            quote = "" if sign == quote and not skip else quote
        elif sign in "\"'" and (not line[:place].strip() or line[place - 1] in " [{,:-"):
            quote = sign
        elif sign == "#" and (place == 0 or line[place - 1] in " \t"):
            return line[:place]
    return line


def _key_of(body: str) -> tuple[str, str] | None:
    """The key and the rest of a `key: value`."""
    match = re.match(
        r'("(?:[^"\\]|\\.)*"|\'(?:[^\']|\'\')*\'|[^\s"\'\[\]{},#&*!|>%@`-][^#]*?|-[^\s#][^#]*?)\s*:(?:\s+(.*))?$',
        body,
    )
    return (match.group(1), (match.group(2) or "").strip()) if match else None


def _is_closed(text: str) -> bool:
    depth = 0
    for sign in re.sub(r'"(?:[^"\\]|\\.)*"|\'(?:[^\']|\'\')*\'', "", text):
        depth += (sign in "[{") - (sign in "]}")
    return depth <= 0


def written(value: Any, indent: int = 0) -> str:
    """The value as YAML that both readers read again."""
    pad = " " * indent
    if isinstance(value, dict) and value:
        return "".join(
            "{}{}:{}".format(pad, _scalar_text(key), _after_key(item, indent)) for key, item in value.items()
        )
    if isinstance(value, list) and value:
        return "".join(
            "{}- {}".format(pad, written(item, indent + 2).lstrip(" "))
            if isinstance(item, (dict, list)) and item
            else "{}- {}\n".format(pad, _scalar_text(item))
            for item in value
        )
    return pad + _scalar_text(value) + "\n"


def _after_key(item: Any, indent: int) -> str:
    if isinstance(item, (dict, list)) and item:
        return "\n" + written(item, indent + 2 if isinstance(item, dict) else indent)
    return " " + _scalar_text(item) + "\n"


def _scalar_text(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.match(value) and not value.endswith(" "):
        if value.lower() not in (*_TRUE, *_FALSE, "null", "y", "n") and not _FLOAT.match(value):
            return value
    return json.dumps(value)
