"""The `${{ … }}` language: finding expressions in a text, and putting values in their place.

    ${{inputs.x}}  ${{outputs.x}}  ${{search_space.x}}          in a step's own command
    ${{parent.inputs.x}}  ${{parent.outputs.x}}                 in a pipeline's steps
    ${{parent.jobs.step.outputs.x}}  ${{parent.jobs.step.inputs.x}}
    ${{name}}  ${{output_name}}  ${{default_datastore}}         in an output's path
    $[[ --x ${{inputs.x}} ]]                                    a fragment that goes when `x` has no value

Values are put in byte for byte, unquoted, and are not looked at again: an expression inside a value is text. Quoting
for the shell is the duty of whoever writes the command.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

# A doubled dollar is a slip, read as one (`doubled` mends it in documents); three are the shell's own `$$` and an expression.
_OPENING = re.compile(r"(?<!\$)\$\$\{\{|\$\{\{|(?<!\$)\$\$\[\[|\$\[\[")
_INSIDE = re.compile(r"(?<!\$)\$\$\{\{|\$\{\{|\$\[\[|\]\]")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_BARE_SCOPES = ("name", "output_name", "default_datastore")
_KEYED_SCOPES = ("inputs", "outputs", "search_space")
_FORMS = (
    "inputs.<name>",
    "outputs.<name>",
    "parent.inputs.<name>",
    "parent.outputs.<name>",
    "parent.jobs.<step>.outputs.<name>",
    "search_space.<name>",
    *_BARE_SCOPES,
)
_EXPECTED = ", ".join(f"${{{{{form}}}}}" for form in _FORMS)


class BadExpression(ValueError):
    """A text that holds an expression which means nothing. `column` counts from 1 in that text."""

    def __init__(self, message: str, expected: str, column: int) -> None:
        super().__init__(message)
        self.message = message
        self.expected = expected
        self.column = column


@dataclass(frozen=True)
class Expression:
    """One `${{ … }}`. `text` is how it was written, `path` the keys after the scope.

    `scope` is `inputs`, `outputs`, `search_space`, `parent.inputs`, `parent.outputs`, `parent.jobs` (then `path` is
    step, `inputs` or `outputs`, keys), or, with an empty path, `name`, `output_name`, `default_datastore`. The legacy
    `${{jobs.…}}` has only one meaning and arrives as `parent.jobs`; a legacy `${{inputs.x}}` stays `inputs`.
    """

    text: str
    scope: str
    path: tuple[str, ...]


@dataclass(frozen=True)
class Optional_:  # noqa: N801  the name without underscore is typing's
    """A `$[[ … ]]` fragment: kept, without its brackets, where every expression in it has a value."""

    parts: tuple[str | Expression, ...]


Template = tuple[str | Expression | Optional_, ...]


def parse_template(text: str) -> Template:
    """The parts of a text. Raises BadExpression for what is unclosed, nested or unknown."""
    parts: list[str | Expression | Optional_] = []
    at = 0
    while (opening := _OPENING.search(text, at)) is not None:
        _add_text(parts, text[at : opening.start()])
        if opening.group() == "$$[[":
            raise BadExpression(
                "`$$[[` has a `$` too many", "`$[[ … ]]` around the fragment", opening.start() + 1
            )
        if opening.group() == "$[[":
            fragment, at = _fragment(text, opening.start())
            parts.append(fragment)
        else:
            expression, at = _expression(text, opening)
            parts.append(expression)
    _add_text(parts, text[at:])
    return tuple(parts)


def whole(text: str) -> Expression | None:
    """The expression that makes up the whole text (but for surrounding blanks), None where there is more or less."""
    if "${{" not in text:
        return None
    try:
        template = parse_template(text.strip())
    except BadExpression:
        return None
    return template[0] if len(template) == 1 and isinstance(template[0], Expression) else None


def expressions_in(text: str) -> tuple[Expression, ...]:
    """Every expression of a text in order, also those in `$[[ … ]]`. Raises BadExpression."""
    return tuple(_expressions(parse_template(text)))


def render(template: Template, value_of: Callable[[Expression], str | None]) -> str:
    """The text with values in place, byte for byte. `value_of` returns None for what has no value.

    A fragment with any unset expression is dropped; an unset expression outside a fragment raises BadExpression.
    """
    return "".join(_rendered(template, value_of))


def _rendered(template: Template, value_of: Callable[[Expression], str | None]) -> Iterator[str]:
    for part in template:
        match part:
            case str():
                yield part
            case Optional_():
                texts = [each if isinstance(each, str) else value_of(each) for each in part.parts]
                if None not in texts:
                    yield from (text for text in texts if text is not None)
            case Expression():
                value = value_of(part)
                if value is None:
                    raise BadExpression(
                        f"`{part.text}` has no value",
                        f"a value, or $[[ … {part.text} … ]] around its fragment",
                        1,
                    )
                yield value


def _expressions(template: Template) -> Iterator[Expression]:
    for part in template:
        if isinstance(part, Expression):
            yield part
        elif isinstance(part, Optional_):
            yield from (each for each in part.parts if isinstance(each, Expression))


def _add_text(parts: "list[str | Expression | Optional_]", text: str) -> None:
    if text:
        parts.append(text)


def _fragment(text: str, start: int) -> tuple[Optional_, int]:
    """The `$[[ … ]]` that opens at `start`, and where the text goes on."""
    parts: list[str | Expression | Optional_] = []
    at = start + len("$[[")
    while (found := _INSIDE.search(text, at)) is not None:
        _add_text(parts, text[at : found.start()])
        if found.group() == "]]":
            return Optional_(tuple(part for part in parts if not isinstance(part, Optional_))), found.end()
        if found.group() == "$[[":
            raise BadExpression(
                "`$[[ … ]]` inside `$[[ … ]]`", "fragments one after the other", found.start() + 1
            )
        expression, at = _expression(text, found)
        parts.append(expression)
    raise BadExpression("`$[[` is not closed", "`]]` after the fragment", start + 1)


def _expression(text: str, opening: "re.Match[str]") -> tuple[Expression, int]:
    """The expression that opens there, and where the text goes on."""
    end = text.find("}}", opening.end())
    column = opening.start() + 1
    if end < 0:
        raise BadExpression("`${{` is not closed", "`}}` after the expression", column)
    inner = text[opening.end() : end]
    return _read("${{" + inner + "}}", inner.strip(), column), end + len("}}")


def _read(written: str, inner: str, column: int) -> Expression:
    keys = inner.split(".")
    if inner in _BARE_SCOPES:
        return Expression(written, inner, ())
    if not inner or not all(_KEY.fullmatch(key) for key in keys):
        raise BadExpression(f"`{_short(written)}` cannot be read", _EXPECTED, column)
    head, *rest = keys
    legacy = head != "parent"
    if not legacy:
        head, *rest = rest or [""]
    if head == "jobs":
        if len(rest) >= 3 and rest[1] in ("inputs", "outputs"):
            return Expression(written, "parent.jobs", tuple(rest))
        raise BadExpression(
            f"`{_short(written)}` does not name an output of a step",
            "${{parent.jobs.<step>.outputs.<name>}}",
            column,
        )
    if head in _KEYED_SCOPES and (legacy or head != "search_space"):
        if rest:
            return Expression(written, head if legacy else f"parent.{head}", tuple(rest))
        raise BadExpression(
            f"`{_short(written)}` names nothing in `{head}`", f"${{{{{inner}.<name>}}}}", column
        )
    raise BadExpression(f"`{_short(written)}` means nothing here", _EXPECTED, column)


def _short(written: str) -> str:
    return written if len(written) <= 80 else written[:77] + "…}}"
