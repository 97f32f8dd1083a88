"""Filter expressions: `col("a") > 3 and (col("b") == "x" or not col("c"))`. Parsed here, never evaluated as code.

An expression becomes a tree of tuples; what a column holds is asked of a function, so that nothing here needs pandas.
"""

from __future__ import annotations

import datetime
import re
from typing import Any, Callable, Tuple

from .errors import MLTableError

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>\d+\.\d*(?:[eE][+-]?\d+)?|\.?\d+(?:[eE][+-]?\d+)?)
  | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
  | (?P<word>[^\W\d]\w*)
  | (?P<sign>==|!=|<=|>=|<|>|\(|\)|-|,|&|\||~)
)""",
    re.VERBOSE,
)
COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")
_CONSTANTS = {"true": True, "false": False, "none": None, "null": None}
_DEEPEST = 100
_LONGEST_NUMBER = 400

Tree = Tuple[Any, ...]
"""`("and"|"or", left, right)`, `("not", inner)`, `("compare", sign, left, right)`, `("column", name)`,
`("value", constant)`, `("moment", [year, month, day, …])`."""


def parse(text: str) -> Tree:
    """The tree of an expression. MLTableError says what was not understood, and where."""
    if not isinstance(text, str) or not text.strip():
        raise MLTableError('a filter is an expression such as `col("a") > 3`, not `{}`'.format(text))
    return _Parser(text).whole()


def columns_in(tree: Tree) -> list[str]:
    """The columns that a tree asks for."""
    if tree[0] == "column":
        return [tree[1]]
    return [name for part in tree[1:] if isinstance(part, tuple) for name in columns_in(part)]


def evaluate(tree: Tree, visit: Callable[[str, list[Any]], Any]) -> Any:
    """Fold the tree: `visit` gets a node's name and its folded parts."""
    return visit(tree[0], [evaluate(part, visit) if isinstance(part, tuple) else part for part in tree[1:]])


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, str, int]] = []
        self.at = 0
        self.depth = 0
        place = 0
        while text[place:].strip():
            match = _TOKEN.match(text, place)
            if match is None:
                start = place + len(text[place:]) - len(text[place:].lstrip())
                raise self.trouble("`{}` is not understood".format(text[start]), start)
            kind = str(match.lastgroup)
            self.tokens.append((kind, match.group(kind), match.start(kind)))
            place = match.end()

    def trouble(self, what: str, place: int | None = None) -> MLTableError:
        if place is None:
            place = self.tokens[self.at][2] if self.at < len(self.tokens) else len(self.text)
        return MLTableError(
            'filter `{}`: {} (character {}). A filter compares columns with values: `col("a") > 3`, joined by '
            "`and`, `or`, `not` and parentheses".format(self.text, what, place + 1)
        )

    def next(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def take(self, *wanted: str) -> str:
        found = self.next()
        if self.at < len(self.tokens) and self.tokens[self.at][0] != "text" and found in wanted:
            self.at += 1
            return found
        return ""

    def need(self, sign: str) -> None:
        if not self.take(sign):
            raise self.trouble("`{}` is missing".format(sign))

    def whole(self) -> Tree:
        tree = self.either()
        if self.at < len(self.tokens):
            raise self.trouble("`{}` is not expected".format(self.next()))
        _must_be_condition(tree, self)
        return tree

    def either(self) -> Tree:
        trees = [self.both()]
        while self.take("or", "|"):
            trees.append(self.both())
        return self.joined("or", trees)

    def both(self) -> Tree:
        trees = [self.inverted()]
        while self.take("and", "&"):
            trees.append(self.inverted())
        return self.joined("and", trees)

    def joined(self, name: str, trees: list[Tree]) -> Tree:
        """One tree of many, as flat as can be: a list of a thousand values must not be a thousand levels deep."""
        if len(trees) == 1:
            return trees[0]
        half = len(trees) // 2
        left, right = self.joined(name, trees[:half]), self.joined(name, trees[half:])
        return (name, self.condition(left), self.condition(right))

    def inverted(self) -> Tree:
        if self.take("not", "~"):
            self.deeper()
            tree = ("not", self.condition(self.inverted()))
            self.depth -= 1
            return tree
        return self.comparison()

    def condition(self, tree: Tree) -> Tree:
        _must_be_condition(tree, self)
        return tree

    def comparison(self) -> Tree:
        left = self.operand()
        sign = self.take(*COMPARISONS)
        if not sign:
            return left
        tree = ("compare", sign, left, self.operand())
        if self.next() in COMPARISONS and self.tokens[self.at][0] == "sign":
            raise self.trouble("comparisons cannot be chained; join two with `and`")
        if not columns_in(tree):
            raise self.trouble("neither side of `{}` is a column".format(sign))
        return tree

    def operand(self) -> Tree:
        if self.at >= len(self.tokens):
            raise self.trouble("something is missing at the end")
        if self.take("("):
            self.deeper()
            tree = self.either()
            self.need(")")
            self.depth -= 1
            return tree
        negative = self.take("-")
        if self.at >= len(self.tokens):
            raise self.trouble("something is missing at the end")
        kind, text, _ = self.tokens[self.at]
        if kind == "number":
            if len(text) > _LONGEST_NUMBER:
                raise self.trouble("a number has at most {} digits".format(_LONGEST_NUMBER))
            self.at += 1
            number = float(text) if re.search("[.eE]", text) else int(text)
            return ("value", -number if negative else number)
        if negative:
            raise self.trouble("`-` stands before numbers only")
        if kind == "text":
            self.at += 1
            return ("value", re.sub(r"\\(.)", r"\1", text[1:-1]))
        if kind != "word" or text in ("and", "or"):
            raise self.trouble("`{}` is not expected".format(text))
        self.at += 1
        if text == "col" and self.take("("):
            if self.at >= len(self.tokens) or self.tokens[self.at][0] != "text":
                raise self.trouble('a column is written `col("name")`')
            name = self.operand()
            self.need(")")
            return ("column", name[1])
        if text == "datetime" and self.take("("):
            return self.moment()
        if self.next() == "(":
            raise self.trouble("there is no function `{}` in filters".format(text))
        return ("value", _CONSTANTS[text.lower()]) if text.lower() in _CONSTANTS else ("column", text)

    def moment(self) -> Tree:
        numbers: list[int] = []
        while not self.take(")"):
            if numbers:
                self.need(",")
            value = self.operand()
            if value[0] != "value" or type(value[1]) is not int:
                raise self.trouble("`datetime(…)` takes whole numbers: year, month, day, hour …")
            numbers.append(value[1])
        if len(numbers) < 3:
            raise self.trouble("`datetime(…)` takes at least year, month and day")
        try:
            datetime.datetime(*numbers[:7])  # type: ignore[arg-type]  # a moment without a zone is what is meant
        except (ValueError, OverflowError) as error:
            raise self.trouble("`datetime(…)` is none: {}".format(error)) from error
        if len(numbers) > 7:
            raise self.trouble("`datetime(…)` takes at most seven numbers, down to microseconds")
        return ("moment", numbers)

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.trouble("it is nested too deep")


def _must_be_condition(tree: Tree, parser: _Parser) -> None:
    if tree[0] == "value" or tree[0] == "moment":
        raise parser.trouble("a value alone is no condition", 0)
