"""A condition on one row, as expectations write it: `pickup < dropoff`, `tip == 0 or payment in ('card', 'app')`.

Text in, a tree out: nothing here or later runs any of it as code. Columns are bare names, or stand in backticks where their
name has spaces or signs; texts stand in quotes. `=` is `==`, and `<>` is `!=`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

LONGEST: Final = 2_000
"""Characters of one condition."""
DEEPEST: Final = 50
"""Parentheses, `not` and minus signs within one another."""
MOST_JOINED: Final = 100
"""`and`, `or` and `+ - * /` of one condition: each is a step further down for whoever walks through it."""


class BadCondition(ValueError):
    """The text is no condition; the message says what and where."""


@dataclass(frozen=True)
class Column:
    """The value of a column; as a condition by itself it must be true or false."""

    name: str


@dataclass(frozen=True)
class Literal:
    """A number, a text, true or false."""

    value: int | float | str | bool


@dataclass(frozen=True)
class Arithmetic:
    """`left` `+ - * /` `right`."""

    sign: str
    left: "Column | Literal | Arithmetic"
    right: "Column | Literal | Arithmetic"


@dataclass(frozen=True)
class Comparison:
    """`left` `== != < <= > >=` `right`."""

    sign: str
    left: "Column | Literal | Arithmetic"
    right: "Column | Literal | Arithmetic"


@dataclass(frozen=True)
class Membership:
    """`value in (…)`; `not in` is its negation."""

    value: "Column | Literal | Arithmetic"
    among: tuple[int | float | str | bool, ...]


@dataclass(frozen=True)
class Missing:
    """`value is null`."""

    value: "Column | Literal | Arithmetic"


@dataclass(frozen=True)
class Both:
    """`left and right`."""

    left: "RowCondition"
    right: "RowCondition"


@dataclass(frozen=True)
class Either:
    """`left or right`."""

    left: "RowCondition"
    right: "RowCondition"


@dataclass(frozen=True)
class Negation:
    """`not condition`."""

    condition: "RowCondition"


RowValue = Column | Literal | Arithmetic
RowCondition = Comparison | Membership | Missing | Both | Either | Negation | Column


def parse_condition(text: str) -> RowCondition:
    """The condition that the text is. Raises BadCondition."""
    if len(text) > LONGEST:
        raise BadCondition(f"the condition is longer than {LONGEST} characters")
    reader = _Reader(text)
    found = reader.either(0)
    reader.must_end()
    return found


def columns_of(condition: RowCondition | RowValue) -> Iterator[str]:
    """The columns that a condition names, each as often as it is named."""
    if isinstance(condition, Column):
        yield condition.name
    elif isinstance(condition, Comparison | Arithmetic | Both | Either):
        yield from columns_of(condition.left)
        yield from columns_of(condition.right)
    elif isinstance(condition, Membership | Missing):
        yield from columns_of(condition.value)
    elif isinstance(condition, Negation):
        yield from columns_of(condition.condition)


_TOKEN = re.compile(
    r"""\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
    |(?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
    |(?P<quoted>`[^`]+`)
    |(?P<name>[^\W\d]\w*(?:\.\w+)*)
    |(?P<sign><=|>=|==|!=|<>|<|>|=|\+|-|\*|/|\(|\)|\[|\]|,))""",
    re.VERBOSE,
)
_WORDS: Final = frozenset({"and", "or", "not", "in", "is", "null", "true", "false"})
_LONGEST_WHOLE: Final = 38
"""Digits of the largest whole numbers that are compared as such."""
_SAME: Final = {"=": "==", "<>": "!="}
_COMPARE: Final = frozenset({"==", "!=", "<", "<=", ">", ">=", "=", "<>"})


class _Reader:
    """One text, read from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._at = 0
        self._joined: set[int] = set()  # places: what is in parentheses may be read twice

    def either(self, depth: int) -> RowCondition:
        found = self._both(depth)
        while self._joins("word", "or"):
            found = Either(found, self._both(depth))
        return found

    def must_end(self) -> None:
        if self._at < len(self._tokens):
            raise self._wrong("`and`, `or` or the end")

    def _both(self, depth: int) -> RowCondition:
        found = self._one(depth)
        while self._joins("word", "and"):
            found = Both(found, self._one(depth))
        return found

    def _one(self, depth: int) -> RowCondition:
        if depth > DEEPEST:
            raise BadCondition(f"the condition is nested more than {DEEPEST} deep")
        if self._take_word("not"):
            return Negation(self._one(depth + 1))
        start = self._at
        if self._take_sign("("):
            # `(a < b) and …` or `(a + b) < c`: what follows the closing sign tells.
            try:
                inner = self.either(depth + 1)
                self._must_be(")")
            except BadCondition as condition:
                self._at = start
                return self._comparison(depth, condition)
            if not self._is_operand_next():
                return inner
            self._at = start
        return self._comparison(depth, None)

    def _is_operand_next(self) -> bool:
        kind, word = self._next()
        return (kind == "sign" and word in _COMPARE | {"+", "-", "*", "/"}) or (
            kind == "word" and word in ("in", "is", "not")
        )

    def _comparison(self, depth: int, instead: BadCondition | None) -> RowCondition:
        try:
            left = self._sum(depth)
        except BadCondition:
            if instead is not None:
                raise instead from None
            raise
        if self._take_word("is"):
            negated = self._take_word("not")
            if not self._take_word("null"):
                raise self._wrong("`null`")
            return Negation(Missing(left)) if negated else Missing(left)
        negated = self._take_word("not")
        if self._take_word("in"):
            among = Membership(left, tuple(self._values()))
            return Negation(among) if negated else among
        if negated:
            raise self._wrong("`in`")
        kind, word = self._next()
        if kind == "sign" and word in _COMPARE:
            self._at += 1
            return Comparison(_SAME.get(word, word), left, self._sum(depth))
        if isinstance(left, Column):
            return left
        raise instead or self._wrong("a comparison such as `<` or `==`")

    def _sum(self, depth: int) -> RowValue:
        found = self._product(depth)
        while sign := self._joins("sign", "+", "-"):
            found = Arithmetic(sign, found, self._product(depth))
        return found

    def _product(self, depth: int) -> RowValue:
        found = self._value(depth)
        while sign := self._joins("sign", "*", "/"):
            found = Arithmetic(sign, found, self._value(depth))
        return found

    def _value(self, depth: int) -> RowValue:
        if depth > DEEPEST:
            raise BadCondition(f"the condition is nested more than {DEEPEST} deep")
        if self._take_sign("-"):
            inner = self._value(depth + 1)
            if isinstance(inner, Literal) and isinstance(inner.value, int | float):
                return Literal(-inner.value)
            return Arithmetic("-", Literal(0), inner)
        if self._take_sign("("):
            found = self._sum(depth + 1)
            self._must_be(")")
            return found
        kind, word = self._next()
        if kind in ("name", "quoted"):
            self._at += 1
            return Column(word)
        return Literal(self._literal())

    def _values(self) -> Iterator[int | float | str | bool]:
        closing = {"(": ")", "[": "]"}.get(self._take_sign("(", "[") or "")
        if closing is None:
            raise self._wrong("a list such as `('a', 'b')`")
        yield self._signed()
        while self._take_sign(","):
            yield self._signed()
        self._must_be(closing)

    def _signed(self) -> int | float | str | bool:
        if self._take_sign("-"):
            value = self._literal()
            if isinstance(value, int | float) and not isinstance(value, bool):
                return -value
            raise self._wrong("a number")
        return self._literal()

    def _literal(self) -> int | float | str | bool:
        kind, word = self._next()
        self._at += 1
        if kind == "number":
            return int(word) if word.isdigit() and len(word) <= _LONGEST_WHOLE else float(word)
        if kind == "text":
            return word
        if kind == "word" and word in ("true", "false"):
            return word == "true"
        self._at -= 1
        raise self._wrong("a column, a number or a text in quotes")

    def _next(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _take_word(self, word: str) -> bool:
        return self._take("word", word) is not None

    def _take_sign(self, *signs: str) -> str | None:
        return self._take("sign", *signs)

    def _take(self, kind: str, *words: str) -> str | None:
        found = self._next()
        if found[0] == kind and found[1] in words:
            self._at += 1
            return found[1]
        return None

    def _joins(self, kind: str, *words: str) -> str | None:
        """Take what joins two parts."""
        found = self._take(kind, *words)
        if found is not None:
            self._joined.add(self._at)
            if len(self._joined) > MOST_JOINED:
                raise BadCondition(f"the condition joins more than {MOST_JOINED} parts")
        return found

    def _must_be(self, sign: str) -> None:
        if self._take_sign(sign) is None:
            raise self._wrong(f"`{sign}`")

    def _wrong(self, expected: str) -> BadCondition:
        kind, word = self._next()
        found = "the end" if kind == "end" else f"`{word}`"
        return BadCondition(f"`{self._text.strip()}`: {found} where {expected} should be")


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """Kind and content: `number`, `text`, `quoted` (a column in backticks), `name`, `word` (of the language), `sign`."""
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            raise BadCondition(f"`{text.strip()}`: `{text[at:].strip()[:10]}` is not understood")
        at = found.end()
        kind, word = str(found.lastgroup), found[str(found.lastgroup)]
        if kind == "text":
            yield "text", word[1:-1].replace(word[0] * 2, word[0])
        elif kind == "quoted":
            yield "quoted", word[1:-1]
        elif kind == "name" and word.lower() in _WORDS:
            yield "word", word.lower()
        else:
            yield kind, word
    if at == 0:
        raise BadCondition("the condition is empty")
