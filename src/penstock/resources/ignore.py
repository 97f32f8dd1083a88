"""Which files of a folder are uploaded: `.amlignore`, or else `.gitignore`, in the root of that folder.

Patterns are those of git; the last one that matches a file decides. Unlike git, a `!pattern` also brings back a file
whose folder is left out, as it does in Azure ML. Nested ignore files have no effect. `.git` and `__pycache__` are
always left out: they change without the code having changed, and would change the snapshot's digest.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

IGNORE_FILES = (".amlignore", ".gitignore")
ALWAYS_LEFT_OUT = frozenset({".git", "__pycache__"})

_NOTHING = "(?!)"


@dataclass(frozen=True)
class Rule:
    """One line: paths that match are left out, or, where the line began with `!`, taken in."""

    pattern: "re.Pattern[str]"
    leaves_out: bool


@dataclass(frozen=True)
class IgnoreRules:
    """The rules of one folder, in the order of their lines."""

    rules: tuple[Rule, ...] = ()

    @classmethod
    def of(cls, folder: Path) -> "IgnoreRules":
        """The rules in the root of a folder. Raises OSError where the ignore file cannot be read."""
        for name in IGNORE_FILES:
            file = folder / name
            if file.is_file():
                # Bytes that are not UTF-8 stay what they are, as they do in the names of files.
                return cls.from_lines(file.read_text("utf-8-sig", errors="surrogateescape").splitlines())
        return cls()

    @classmethod
    def from_lines(cls, lines: Iterable[str]) -> "IgnoreRules":
        return cls(tuple(rule for line in lines if (rule := _rule(line)) is not None))

    @cached_property
    def can_prune(self) -> bool:
        """Whether a folder that is left out need not be looked into: no later line can bring a file of it back."""
        return all(rule.leaves_out for rule in self.rules)

    @cached_property
    def _any(self) -> "re.Pattern[str] | None":
        patterns = [f"(?:{rule.pattern.pattern})" for rule in self.rules]
        return re.compile("|".join(patterns), re.DOTALL) if patterns else None

    def leaves_out(self, path: str) -> bool:
        """Whether a path, relative and with `/`, is left out. A folder's path ends with `/`."""
        if (
            self.can_prune
        ):  # their order does not matter then, and one expression is the faster way to ask for any
            return self._any is not None and self._any.match(path) is not None
        for rule in reversed(self.rules):
            if rule.pattern.match(path):
                return rule.leaves_out
        return False


def _rule(line: str) -> Rule | None:
    """The rule of a line, None for blank lines, comments and what git takes for no pattern."""
    text = _without_trailing_blanks(line.rstrip("\r\n"))
    if not text or text.startswith("#"):
        return None
    leaves_out = not text.startswith("!")
    if not leaves_out:
        text = text[1:]
    folders_only = text.endswith("/")
    segments = text.removesuffix("/").split("/")
    if segments[0] == "" and len(segments) > 1:
        segments = segments[1:]
    elif len(segments) == 1:
        segments = ["**", *segments]  # a name alone matches at any depth
    if not any(segments):
        return None
    body = _translated(segments)
    return Rule(re.compile(body + ("/" if folders_only else "(?:/|$)"), re.DOTALL), leaves_out)


def _without_trailing_blanks(text: str) -> str:
    stripped = text.rstrip(" \t")
    backslashes = len(stripped) - len(stripped.rstrip("\\"))
    # An escaped blank at the end belongs to the name.
    return stripped + text[len(stripped)] if backslashes % 2 and len(stripped) < len(text) else stripped


def _translated(segments: list[str]) -> str:
    """A regular expression for the segments of a pattern; `**` stands for any number of folders."""
    while len(segments) > 1 and segments[-1] == segments[-2] == "**":
        segments = segments[:-1]
    body = ""
    last = len(segments) - 1
    for index, segment in enumerate(segments):
        if segment == "**":
            body += "(?:[^/]+/)*" if index < last else "[^/]+"
        else:
            body += _translated_name(segment) + ("/" if index < last else "")
    return body


def _translated_name(segment: str) -> str:
    out, at = "", 0
    while at < len(segment):
        char = segment[at]
        at += 1
        if char == "*":
            at += len(segment[at:]) - len(segment[at:].lstrip("*"))
            out += "[^/]*"
        elif char == "?":
            out += "[^/]"
        elif char == "[":
            group, at = _translated_class(segment, at)
            out += group
        elif char == "\\" and at < len(segment):
            out += re.escape(segment[at])
            at += 1
        else:
            out += re.escape(char)
    # A name has at least one character, also where every part of its pattern may be empty.
    return "(?=[^/])" + out


def _translated_class(segment: str, at: int) -> tuple[str, int]:
    """The `[…]` whose inside begins at `at`, and where the pattern goes on. An unclosed one matches nothing, as in git."""
    negated = segment[at : at + 1] in ("!", "^")
    start = at + negated
    end, members = start, ""
    while end < len(segment) and (segment[end] != "]" or end == start):
        if segment[end] == "\\" and end + 1 < len(segment):
            end += 1
            members += re.escape(segment[end])
        elif segment[end] == "-" and members and segment[end + 1 : end + 2] not in ("", "]"):
            members += "-"
        else:
            members += re.escape(segment[end])
        end += 1
    if end >= len(segment):
        return _NOTHING, len(segment)
    try:
        re.compile(f"[{members}]")
    except re.error:  # a range that runs backwards matches nothing
        return _NOTHING, end + 1
    return f"(?:(?!/)[{'^' if negated else ''}{members}])", end + 1
