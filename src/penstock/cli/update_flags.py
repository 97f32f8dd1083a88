"""The flags of every `update`: `--set path=value`, `--add path value`, `--remove path [index]`, `--force-string`.

The command sends what they say; the server, which has the record, applies it and knows what may change.
"""

import json
from typing import Any

from penstock.cli import flags
from penstock.cli.grammar import Argument
from penstock.cli.invocation import Invocation
from penstock.errors import UsageError
from penstock.resources.overrides import parse_override, spelled

SET = Argument(
    ("--set",),
    "Set properties: `--set description=text tags.team=fares`.",
    takes="values",
    metavar="PATH=VALUE",
)
ADD = Argument(
    ("--add",),
    "Add to a list or a mapping: a path, then `key=value` pairs, texts or JSON.",
    takes="lists",
    metavar="PATH VALUE",
)
REMOVE = Argument(
    ("--remove",),
    "Remove a property, or the item of a list: `--remove tags.team`, `--remove list 0`.",
    takes="lists",
    metavar="PATH [INDEX]",
)
FORCE_STRING = Argument(
    ("--force-string",),
    "With --set and --add: keep a value as text that reads as JSON.",
    takes="nothing",
)
ARGUMENTS = (SET, ADD, REMOVE, FORCE_STRING)

# Any: a JSON value.
Body = dict[str, Any]


def body_of(invocation: Invocation) -> Body:
    """What the flags say, as the server takes it. Without any of them all parts are empty."""
    arguments = invocation.arguments
    as_text = bool(arguments.force_string)
    overrides = [parse_override(text) for text in arguments.set or ()]
    return {
        "set": {spelled(each.path): _value_of(each.value, as_text) for each in overrides},
        "add": [each for words in arguments.add or () for each in _additions(words, as_text)],
        "remove": [path for words in arguments.remove or () for path in _removals(words)],
    }


def tags_of(invocation: Invocation) -> Body:
    """What `--tags` says, by path: each tag by itself, so that the others stay."""
    pairs = flags.pairs_of(invocation.arguments.tags)
    return {spelled(("tags", key)): value for key, value in pairs.items()}


def changes_of(invocation: Invocation, hint: str = "for example: --set tags.team=fares") -> Body:
    """As `body_of`; a command line that changes nothing is a UsageError."""
    body = body_of(invocation)
    if not any(body.values()):
        raise UsageError("nothing to update", hint=hint)
    return body


def _additions(words: list[str], as_text: bool) -> list[Body]:
    path, *values = words
    where = spelled(parse_override(f"{path}=").path)
    if not values:
        raise UsageError(
            f"argument --add: `{path}` is followed by nothing to add", hint=f"--add {path} key=value"
        )
    added: list[Body] = []
    pairs: Body = {}
    for text in values:
        key, is_pair, value = text.partition("=")
        if is_pair and not text.startswith(("{", "[", '"')):
            pairs[key] = _value_of(value, as_text)
            continue
        if pairs:
            added.append({"path": where, "value": pairs})
            pairs = {}
        added.append({"path": where, "value": _value_of(text, as_text)})
    return [*added, {"path": where, "value": pairs}] if pairs else added


def _removals(words: list[str]) -> list[str]:
    paths: list[str] = []
    for word in words:
        if word.isdigit() and paths:
            paths[-1] += f"[{word}]"
        else:
            paths.append(spelled(parse_override(f"{word}=").path))
    return paths


def _value_of(text: str, as_text: bool) -> Any:
    """JSON where it cannot be meant as text: objects, lists, quoted texts, null. `1.10` and `true` stay as they are."""
    if not as_text and (text == "null" or text.startswith(("{", "[", '"'))):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text
