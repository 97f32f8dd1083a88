"""The words for what a document got wrong: pydantic's findings said the way a colleague would say them."""

from collections.abc import Mapping, Sequence

from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from penstock.errors import Problem

# Marks the parts of an error's location that name a branch of a union, not a key: no YAML key can hold a NUL.
BRANCH = "\0"
_TROUBLE = "trouble"
_LONGEST_QUOTE = 60

_EXPECTED: Mapping[str, str] = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a smaller whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "list_type": "a list",
    "union_tag_not_found": "text or a mapping",
    "none_required": "left out",
}


def describe(value: object) -> str:
    """`a list`, `the number 3`, `` the text `abc` ``: what was found, short enough for one line."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"`{str(value).lower()}`"
        case int() | float():
            return f"the number {value}"
        case str():
            short = value if len(value) <= _LONGEST_QUOTE else value[: _LONGEST_QUOTE - 1] + "…"
            return f"the text `{short}`" if value.strip() else "an empty text"
        case Mapping():
            return "a mapping"
        case Sequence():
            return "a list"
        case _:
            return f"a value of type {type(value).__name__}"


def quoted(names: Sequence[str]) -> str:
    """`` `a`, `b` ``."""
    return ", ".join(f"`{name}`" for name in names)


def pointer_of(location: Sequence[str | int]) -> str:
    """The JSON pointer (RFC 6901) of a pydantic location; union branches and `[key]` marks are left out."""
    parts = [str(part) for part in location if part != "[key]" and not str(part).startswith(BRANCH)]
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def location_of(pointer: str) -> tuple[str, ...]:
    """The way back from `pointer_of`."""
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


def trouble(
    message: str, *, expected: str | None = None, hint: str | None = None, code: str = "invalid"
) -> PydanticCustomError:
    """What a validator raises. `{field}` in the message stands for the field's name, which a validator cannot know."""
    facts = {"message": message, "expected": expected, "hint": hint, "code": code}
    return PydanticCustomError(_TROUBLE, "{message}", facts)


def trouble_line(problem: Problem, value: object = None) -> InitErrorDetails:
    """A problem, its pointer relative to the mapping that is being validated, as pydantic carries it."""
    kind = trouble(problem.message, expected=problem.expected, hint=problem.hint, code=problem.code)
    return InitErrorDetails(type=kind, loc=location_of(problem.pointer), input=value)


def in_our_words(error: ErrorDetails) -> InitErrorDetails:
    """The finding with its message said by us, once its field is known (an error without a location is not yet ours)."""
    location, value, facts = error["loc"], error["input"], error.get("ctx", {})
    if not location:
        return _as_it_is(error)
    name = _name_of(location)
    if error["type"] == _TROUBLE:
        said = trouble(
            str(facts["message"]).replace("{field}", f"`{name}`"),
            expected=facts["expected"],
            hint=facts["hint"],
            code=facts["code"],
        )
    else:
        said = _said(error, name)
    return InitErrorDetails(type=said, loc=location, input=value)


def problem_from(error: ErrorDetails) -> Problem:
    """The finding as a problem of the whole document."""
    if error["type"] != _TROUBLE:  # the document as a whole: nothing inside it could be looked at
        return Problem(
            "", f"the document must be a mapping, got {describe(error['input'])}", expected="a mapping"
        )
    facts = error["ctx"]
    message = str(facts["message"]).replace("{field}", "the document")
    pointer = pointer_of(error["loc"])
    return Problem(pointer, message, expected=facts["expected"], hint=facts["hint"], code=facts["code"])


def _as_it_is(error: ErrorDetails) -> InitErrorDetails:
    kind: str | PydanticCustomError = error["type"]
    facts = error.get("ctx", {})
    if kind == _TROUBLE:
        kind = PydanticCustomError(_TROUBLE, "{message}", facts)
        return InitErrorDetails(type=kind, loc=error["loc"], input=error["input"])
    return InitErrorDetails(type=kind, loc=error["loc"], input=error["input"], ctx=facts)


def _said(error: ErrorDetails, name: str) -> PydanticCustomError:
    kind, value, facts = error["type"], error["input"], error.get("ctx", {})
    if kind == "missing":
        return trouble(f"`{name}` is missing", code="missing")
    if kind in _EXPECTED:
        return trouble(f"`{name}` must be {_EXPECTED[kind]}, got {describe(value)}", expected=_EXPECTED[kind])
    limit = next((text.format(facts[key]) for key, text in _LIMITS.items() if key in facts), None)
    if limit is not None:
        return trouble(f"`{name}` must be {limit}, got {describe(value)}", expected=limit)
    return trouble(f"`{name}` cannot be {describe(value)}")


_LIMITS: Mapping[str, str] = {
    "ge": "at least {}",
    "gt": "more than {}",
    "le": "at most {}",
    "lt": "less than {}",
    "min_length": "at least {} long",
    "max_length": "at most {} long",
}


def _name_of(location: Sequence[str | int]) -> str:
    """`dependencies[2]` for an item of a list, the last key otherwise."""
    name = ""
    for part in location:
        if isinstance(part, int):
            name += f"[{part}]"
        elif part != "[key]" and not part.startswith(BRANCH):
            name = part
    return name
