"""A Dockerfile as a list of instructions, each with the line of every part of it; nothing is understood yet."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_DIRECTIVE = re.compile(r"#\s*(\w+)\s*=\s*(\S+)\s*$")
_VARIABLE = re.compile(r"\\.|\$(?:(\w+)|\{(\w+)(?:(:?[-+])([^}]*))?\})")
_HEREDOC = re.compile(r"<<-?[\"']?(\w+)")


@dataclass(frozen=True)
class Instruction:
    """One instruction. `name` is in capitals; `text` is what follows it, continued lines joined.

    `starts` holds where in `text` each line of the file begins, as (offset, 1-based line).
    """

    name: str
    text: str
    line: int
    starts: tuple[tuple[int, int], ...]

    def line_at(self, offset: int) -> int:
        """The line of the file where this character of `text` stands."""
        return max((line for start, line in self.starts if start <= offset), default=self.line)

    @property
    def has_heredoc(self) -> bool:
        return _HEREDOC.search(self.text) is not None


def instructions_of(text: str) -> Iterator[Instruction]:
    """The instructions in order. Comments, also between continued lines, and empty lines are passed over."""
    lines = text.splitlines()
    escape = _escape_of(lines)
    at = 0
    while at < len(lines):
        if not lines[at].strip() or lines[at].lstrip().startswith("#"):
            at += 1
            continue
        first, body, starts = at, "", []
        while at < len(lines):
            line = lines[at]
            at += 1
            if body and (not line.strip() or line.lstrip().startswith("#")):
                continue
            starts.append((len(body), at))
            stripped = line.rstrip()
            if not stripped.endswith(escape):
                body += stripped
                break
            body += stripped[:-1] + " "
        name, _, rest = body.strip().partition(" ")
        lead = len(body) - len(body.lstrip()) + len(name) + 1
        rest_lead = len(rest) - len(rest.lstrip())
        shifted = tuple((max(0, start - lead - rest_lead), line) for start, line in starts)
        instruction = Instruction(name.upper(), rest.strip(), first + 1, shifted)
        if instruction.name in ("RUN", "COPY", "ADD") and instruction.has_heredoc:
            at = _after_heredoc(lines, at, instruction.text)
        yield instruction


def substituted(text: str, variables: Mapping[str, str]) -> str:
    """The text with the variables that are known; the others stay as they are."""

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name is None:
            return match[0]
        known = variables.get(name)
        if match[3] in (":-", "-"):
            return known or match[4]
        if match[3] in (":+", "+"):
            return match[4] if known else ""
        return match[0] if known is None else known

    return _VARIABLE.sub(value, text)


def _escape_of(lines: list[str]) -> str:
    """The character that continues a line, as the directives on top say it."""
    for line in lines:
        directive = _DIRECTIVE.match(line)
        if directive is None:
            break
        if directive[1].lower() == "escape":
            return directive[2]
    return "\\"


def _after_heredoc(lines: list[str], at: int, text: str) -> int:
    """The first line behind the documents that an instruction holds."""
    for word in _HEREDOC.findall(text):
        while at < len(lines) and lines[at].strip() != word:
            at += 1
        at += 1
    return at
