"""`penstock check`: what a file needs that is not here yet."""

import shlex
from collections.abc import Sequence
from typing import Any

from penstock.cli import flags
from penstock.cli.grammar import Argument, Command, Example
from penstock.cli.invocation import Invocation, Outcome
from penstock.cli.problems import place_of, problem_lines
from penstock.errors import Problem, UsageError
from penstock.resources.relaxed import HOW_TO_RELAX, notice


def run(invocation: Invocation) -> object:
    from penstock.cli.documents import document_of

    arguments = invocation.arguments
    file = arguments.file or arguments.yaml_file
    if not file:
        raise UsageError("the following arguments are required: FILE", hint="penstock check pipeline.yml")
    arguments.file = file
    document = document_of(invocation, "job", {})
    found = invocation.client.server.check(document)
    missing: list[dict[str, Any]] = found["missing"]  # Any: JSON records
    created = []
    if arguments.create_missing:
        for entry in [entry for entry in missing if entry.get("create")]:
            invocation.say(f"creating {entry['what']} `{entry['name']}`")
            invocation.client.server.create_missing(entry["create"])
            created.append(entry)
        found = invocation.client.server.check(document) if created else found
        missing = found["missing"]
    for entry in (*missing, *created):
        position = document.position_of(str(entry.get("pointer") or ""))
        if position is not None:
            entry["file"], entry["line"] = position.file, position.line
    problems, relaxed = found["problems"], found.get("relaxed") or []
    record = {
        "file": str(file),
        "missing": missing,
        **({"relaxed": relaxed} if relaxed else {}),
        "created": [{"what": entry["what"], "name": entry["name"]} for entry in created],
        "problems": [
            {
                "path": p.pointer,
                "message": p.message,
                "expected": p.expected,
                "hint": p.hint,
                "file": p.file,
                "line": p.line,
            }
            for p in problems
        ],
    }
    changed = [word for override in arguments.set or () for word in ("--set", override)]
    text = _text(
        str(file),
        missing,
        relaxed,
        created,
        problems,
        shlex.join(["penstock", "check", str(file), *changed]),
    )
    return Outcome(record, text=text, exit_code=1 if missing or problems else 0)


def _text(
    file: str,
    missing: list[dict[str, Any]],
    relaxed: list[dict[str, Any]],
    created: list[dict[str, Any]],
    problems: Sequence[Problem],
    command: str,
) -> str:
    """`command` is the command line itself, as it can be typed again."""
    lines = [f"created {entry['what']} `{entry['name']}`" for entry in created]
    if problems:
        plural = "s" if len(problems) > 1 else ""
        lines += [f"{len(problems)} problem{plural} in {file}:", *problem_lines(problems)]
    if missing:
        lines.append(f"{file} needs what is not here:")
        for (message, remedy), places in _by_remedy(missing).items():
            lines.append(f"  {', '.join(places)}  {message}" if places else f"  {message}")
            if remedy:
                lines.append(f"      {remedy}")
        if any(entry.get("create") for entry in missing):
            lines.append(f"create it at once: {command} --create-missing")
    if any(entry["what"] == "software" for entry in missing):
        lines.append(HOW_TO_RELAX)
    lines += [notice(entry["environment"], entry["relaxed"]) for entry in relaxed]
    if not missing and not problems:
        lines.append(f"{file} has all that it needs")
    return "\n".join(lines) + "\n"


def _by_remedy(missing: list[dict[str, Any]]) -> dict[tuple[str, str | None], list[str]]:
    """Message and remedy (a command, or words), with every place that needs it: what ten steps name is created once.

    A component's file that two steps name is one place.
    """
    found: dict[tuple[str, str | None], list[str]] = {}
    for entry in missing:
        places = found.setdefault((entry["message"], entry.get("command") or entry.get("hint")), [])
        place = place_of(entry.get("file"), entry.get("line"))
        if place and place not in places:
            places.append(place)
    return found


COMMANDS = (
    Command(
        name="check",
        summary="List what a file needs that is not here yet, and create it.",
        description=(
            "Looks for the workspace, compute, environment, data and Python that a file names, and prints the command that"
            " creates each that is absent. Exit code 1 where something is missing, 0 when all is there or was created."
        ),
        arguments=(
            Argument(("yaml_file",), "The job's YAML file.", metavar="FILE"),
            Argument(("--file", "-f"), "The same as a flag.", metavar="FILE"),
            Argument(("--create-missing",), "Create what can be created.", takes="nothing"),
            flags.SET,
            flags.RELAX,
        ),
        examples=(
            Example("what does my pipeline need?", "penstock check pipeline.yml"),
            Example("create it", "penstock check pipeline.yml --create-missing"),
        ),
        run=run,
    ),
)
