"""From `--file`, `--set` and the flags that count before them to a document, for every command that creates something."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.cli.invocation import Invocation
from penstock.cli.problems import field_of, place_of
from penstock.errors import NotFound, Problem, UsageError

if TYPE_CHECKING:
    from penstock.client.uploads import Created
    from penstock.resources.reading import Document


def document_of(invocation: Invocation, kind: str, fields: Mapping[str, object]) -> "Document":
    """The document that the command line describes. `fields` hold what flags say; None counts as not said.

    Without `--file` relative paths start from the current folder.
    """
    from penstock.resources.reading import document_from_flags, read_document

    overrides: list[str] = invocation.get("set") or []
    given = {name: value for name, value in fields.items() if value not in (None, {}, [])}
    if invocation.arguments.file:
        document = read_document(Path(invocation.arguments.file), kind, overrides=overrides, fields=given)
    else:
        for override in overrides:
            name, separator, value = override.partition("=")
            if not separator or any(sign in name for sign in '.["'):
                raise UsageError(
                    f"argument --set: `{override}` needs a file to be set in",
                    hint=f"give one with --file: {kind}.yml",
                )
            given[name] = value
        if not given:
            raise UsageError(
                "the following arguments are required: --file/-f",
                hint="for instance -f component.yml" if kind == "component" else "or describe it with flags",
            )
        document = document_from_flags(kind, given, base=Path.cwd())
    for warning in document.warnings:
        invocation.warn(warning)
    return document


def created(invocation: Invocation, made: "Created") -> object:
    """Warn of what the server warned of; the record, or nothing with `--no-wait`."""
    show_warnings(invocation, made.warnings)
    return None if invocation.get("no_wait") else made.record


def show_warnings(invocation: Invocation, warnings: Iterable[Problem]) -> None:
    """One line per warning, with its place in the files."""
    for warning in warnings:
        place, field = place_of(warning.file, warning.line), field_of(warning.pointer)
        where = "  ".join(part for part in (place, field) if part)
        text = f"{warning.message}; {warning.hint}" if warning.hint else warning.message
        if warning.code == "note":
            invocation.say(f"note: {text}")
            continue
        invocation.warn(f"{where}: {text}" if where else text)


def deleted(invocation: Invocation, what: str, name: str) -> None:
    """What a delete says when it is done."""
    invocation.say(f"deleted {what} `{name}`")


def named(error: NotFound, what: str, name: str, known: Iterable[str]) -> NotFound:
    """The error with the nearest name, where the server proposed no next step."""
    from penstock.resources.nearest import nearest

    near = nearest(name, known)
    if error.hint or near is None:
        return error
    return NotFound(error.message, details=error.details, hint=f"did you mean the {what} `{near}`?")
