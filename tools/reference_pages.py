"""The pages of docs/reference that describe one noun each: fields, commands, edge cases, decisions.

What is the same as in the code is taken from there: fields from the models, commands from the command line's grammar. What only a
person can say stands in docs/reference/sources: `pages.yml` (which page holds what), `edge-cases.yml`, `decisions.yml`, and `examples/`.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from penstock.az.refusals import REFUSALS
from penstock.az.registry import GROUPS
from penstock.cli.grammar import GLOBAL_ARGUMENTS, Argument, Command, metavar_of, usage
from penstock.cli.registry import NOUNS
from penstock.resources.model_base import Part, note_of, status_of
from penstock.resources.support import SECTIONS, STATUS_WORDS, UNSUPPORTED, allowed_of

SOURCES = Path(__file__).resolve().parent.parent / "docs" / "reference" / "sources"
_SECTIONS = {title: (about, parts) for title, about, parts in SECTIONS}
_MADE = "Written by `make docs` from the models, the command line's grammar and `docs/reference/sources`."


@cache
def source(name: str) -> Any:
    """One of the files that people write."""
    return yaml.safe_load((SOURCES / name).read_text(encoding="utf-8"))


def pages() -> dict[str, str]:
    """Every page by its file's name. Refuses to leave anything out: a section or a noun that no page holds is an error."""
    described = source("pages.yml")
    _nothing_is_left_out(described)
    made = {f"{page['page']}.md": noun_page(page) for page in described}
    return {"README.md": index_page(described), **made, "decisions.md": decisions_page(described)}


def _nothing_is_left_out(described: list[dict[str, Any]]) -> None:
    sections = {title for page in described for title in page.get("sections", ())}
    nouns = {noun for page in described for noun in page.get("commands", ())}
    names = {page["page"] for page in described}
    rows = [*source("edge-cases.yml"), *source("decisions.yml")]
    wrong = [
        *(f"no page holds the section `{title}`" for title in _SECTIONS.keys() - sections),
        *(f"no page holds the commands of `{noun}`" for noun in NOUNS.keys() - nouns),
        *(f"there is no page `{name}`" for row in rows for name in row["pages"] if name not in names),
    ]
    if wrong:
        raise SystemExit("docs/reference/sources/pages.yml: " + "; ".join(sorted(set(wrong))))


def index_page(described: list[dict[str, Any]]) -> str:
    """Where what is told."""
    lines = ["# Reference", "", f"One page per noun. {_MADE}", "", "| page | what it tells |", "|---|---|"]
    lines += [f"| [{page['title']}]({page['page']}.md) | {page['short']} |" for page in described]
    lines += ["", "Further:", ""]
    lines += [f"- [{title}]({path}): {about}" for title, path, about in source("further.yml")]
    lines += [
        "",
        "## Not here yet",
        "",
        "Each is recognised and refused by name.",
        "",
        "| what | |",
        "|---|---|",
    ]
    lines += [f"| {what} | {', '.join(names)} |" for what, names in UNSUPPORTED]
    return "\n".join(lines) + "\n"


def noun_page(page: Mapping[str, Any]) -> str:
    """Everything about one noun."""
    lines = [f"# {page['title']}", "", page["about"].strip(), ""]
    if page.get("see"):
        lines += ["More: " + " · ".join(f"[{title}]({path})" for title, path in page["see"]) + ".", ""]
    lines += [f"*{_MADE}*", ""]
    if page.get("examples"):
        lines += ["## Example", ""]
        for name in page["examples"]:
            lines += [*_example(name), ""]
    for title in page.get("sections", ()):
        lines += [*_fields(title, len(page["sections"]) == 1), ""]
    if page.get("commands"):
        lines += [*_commands(page["commands"]), ""]
    if page.get("az"):
        lines += [*_az(), ""]
    lines += [*_edge_cases(page["page"]), *_decisions(page["page"])]
    return "\n".join(lines).rstrip() + "\n"


def _example(name: str) -> list[str]:
    text = (SOURCES / "examples" / name).read_text(encoding="utf-8").rstrip()
    return [f"`{name}`:", "", "```yaml", text, "```"]


# Fields -------------------------------------------------------------------------------------------------------------


def _fields(title: str, is_alone: bool) -> list[str]:
    about, parts = _SECTIONS[title]
    lines = ["## Fields" if is_alone else f"## {title}", "", *([about, ""] if about else [])]
    lines += ["| field | type | default | allowed | supported | note |", "|---|---|---|---|---|---|"]
    for prefix, model in parts:
        around = parts[0][1].known_fields().get(prefix.split(".")[0])
        is_recorded = around is not None and status_of(around) == "warned"
        lines += _field_rows(prefix, model, is_recorded)
    return lines


def _field_rows(prefix: str, model: type[Part], is_recorded: bool) -> Iterator[str]:
    schema = model.model_json_schema(by_alias=True)
    if "$ref" in schema:  # a model that holds itself
        schema = schema["$defs"][model.__name__]
    for key, info in model.known_fields().items():
        status = status_of(info)
        about = schema["properties"][key]
        yield _row(
            f"`{prefix}{key}`",
            "" if status in ("refused", "forgotten") else _type_of(about),
            "**required**" if info.is_required() else _default_of(info.default),
            "; ".join(dict.fromkeys(filter(None, (allowed_of(info), *_limits_of(about))))),
            "recorded" if is_recorded else STATUS_WORDS[status],
            note_of(info),
        )


_TYPES = {
    "string": "text", "integer": "whole number", "number": "number", "boolean": "boolean", "null": "",
    "object": "mapping", "array": "list",
}  # fmt: skip


def _type_of(schema: Mapping[str, Any]) -> str:
    """A JSON Schema's type in words; what `allowed` says is left out."""
    words = list(dict.fromkeys(word for word in _types_of(schema) if word))
    if "number" in words and "whole number" in words:
        words.remove("whole number")
    return ", ".join(words[:-1]) + (" or " if len(words) > 1 else "") + words[-1] if words else ""


def _types_of(schema: Mapping[str, Any]) -> Iterator[str]:
    alternatives = [each for key in ("anyOf", "oneOf", "allOf") for each in schema.get(key, ())]
    kind = schema.get("type")
    if "$ref" in schema:
        yield "mapping"
    elif alternatives:
        for each in alternatives:
            yield from _types_of(each)
    elif isinstance(kind, list):
        yield from (_TYPES[each] for each in kind)
    elif kind == "array" and schema.get("items"):
        yield f"list of {_type_of(schema['items'])}"
    elif kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        inner = _type_of(schema["additionalProperties"])
        yield f"mapping of names to {inner}" if inner else "mapping"
    elif kind:
        yield _TYPES[kind]


def _limits_of(schema: Mapping[str, Any]) -> Iterator[str]:
    for part in (schema, *schema.get("anyOf", ())):
        if "const" in part:
            yield f"`{part['const']}`"
        for key, words in (
            ("ge", "at least"),
            ("minimum", "at least"),
            ("le", "at most"),
            ("maximum", "at most"),
        ):
            if key in part:
                yield f"{words} {part[key]}"
        if "exclusiveMinimum" in part or "gt" in part:
            yield f"more than {part.get('exclusiveMinimum', part.get('gt'))}"


def _default_of(value: object) -> str:
    """Only what is something: absent and empty are told by the note."""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`" if isinstance(value, str | int | float) and value != "" else ""


# Commands -----------------------------------------------------------------------------------------------------------


def _commands(nouns: list[str]) -> list[str]:
    lines = ["## Commands"]
    for noun in (NOUNS[name] for name in nouns):
        for command in noun.commands().values():
            full = f"penstock {noun.name}" if noun.alone else f"penstock {noun.name} {command.name}"
            lines += ["", f"### {full}", "", *_command(command, full)]
    if "version" in nouns:
        lines += ["", "### Flags that every command takes", "", *_flags(GLOBAL_ARGUMENTS)]
    return lines


def _az() -> Iterator[str]:
    """What the shim serves besides `az ml`, and what it refuses with words of its own."""
    yield from (
        "## What `az` answers",
        "",
        "Besides `az ml`, which is `penstock`, and `az configure`, which is `penstock configure`.",
    )
    for group in GROUPS.values():
        if group.module.startswith("penstock.cli."):
            continue
        for command in group.commands().values():
            full = f"az {group.name}" if group.alone else f"az {group.name} {command.name}"
            yield from ("", f"### {full}", "", *_command(command, full))
    yield from ("", "## What `az` refuses", "")
    yield from ("Where a real `az` is installed it gets these, and all others that are not answered.", "")
    yield from ("| command | in the cloud it … | here |", "|---|---|---|")
    for name, refusal in sorted(REFUSALS.items()):
        yield _row(f"`az {name}`", refusal.what, refusal.instead or "")


def _command(command: Command, full: str) -> Iterator[str]:
    yield command.summary
    for paragraph in command.description.strip().split("\n\n"):
        if paragraph:
            yield from ("", *_paragraph(paragraph))
    yield from ("", "```text", usage(command, full), "```")
    if command.arguments:
        yield from ("", *_flags(command.arguments))
    yield from ("", "```console")
    for example in command.examples:
        yield from (
            f"$ {line}" if number == 0 else line for number, line in enumerate(example.command.splitlines())
        )
    yield "```"


def _paragraph(text: str) -> list[str]:
    if text.startswith(" "):
        return ["```text", *text.splitlines(), "```"]
    return [" ".join(text.split())]


def _flags(arguments: tuple[Argument, ...]) -> Iterator[str]:
    yield from ("| argument | meaning |", "|---|---|")
    for argument in arguments:
        names = metavar_of(argument) if argument.is_positional else " ".join(argument.names)
        if not argument.is_positional and argument.takes in ("value", "values", "lists"):
            names += f" {metavar_of(argument)}" + ("" if argument.takes == "value" else " …")
        words = [argument.help]
        words += [f"One of: {', '.join(argument.choices)}."] if argument.choices else []
        words += [f"Default: {argument.default}."] if argument.default is not None else []
        words += ["**Required.**"] if argument.required else []
        yield _row(f"`{names}`", " ".join(words))


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


# Prose --------------------------------------------------------------------------------------------------------------


def _edge_cases(page: str) -> list[str]:
    rows = [row for row in source("edge-cases.yml") if page in row["pages"]]
    if not rows:
        return []
    lines = [
        "## Edge cases",
        "",
        "Each with the number under which the tests know it, and a test that holds it.",
        "",
    ]
    for row in rows:
        text = row["says"].strip()
        if "test" in row:
            path, name = row["test"].split("::")
            held = f"[`{name}`](../../{path})"
        else:
            held = f"not here yet: {row['later']}"
        lines.append(f"- {row['number']}: {text} ({held})")
    return [*lines, ""]


def _decisions(page: str) -> list[str]:
    rows = [row for row in source("decisions.yml") if page in row["pages"]]
    if not rows:
        return []
    lead = "Where the public material about Azure ML v2 is silent or contradicts itself, or where this differs on purpose."
    return ["## Decisions", "", lead, "", *_decision_table(rows), ""]


def _decision_table(rows: list[dict[str, Any]]) -> list[str]:
    lines = ["| topic | what the sources say | what Penstock does |", "|---|---|---|"]
    return lines + [_row(row["topic"], row["sources"], row["here"]) for row in rows]


def decisions_page(described: list[dict[str, Any]]) -> str:
    """All decisions on one page, noun by noun; a row stands with the first of its pages."""
    rows = source("decisions.yml")
    lines = ["# Decisions where the reference is silent or contradicts itself", ""]
    lines += [
        "The public material about Azure ML v2 disagrees with itself in places, and says nothing in others. This is what Penstock does. Each row stands",
        "on the page of its noun too. Rows are added in `docs/reference/sources/decisions.yml`; `make docs` writes the pages.",
    ]
    for page in described:
        own = [row for row in rows if row["pages"][:1] == [page["page"]]]
        if own:
            lines += ["", f"## {page['title']}", "", *_decision_table(own)]
    later = [row for row in rows if not row["pages"]]
    lines += [
        "",
        "## Not here yet",
        "",
        "Topics on which the sources disagree, of nouns that Penstock does not have.",
    ]
    lines += ["", *_decision_table(later)]
    return "\n".join(lines) + "\n"
