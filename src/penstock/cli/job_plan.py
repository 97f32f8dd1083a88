"""`penstock job create --dry-run`: what a job would do, as text and as a table."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.cli.invocation import Invocation, Outcome
from penstock.errors import UsageError
from penstock.resources.relaxed import MARK, line_of

if TYPE_CHECKING:
    from penstock.resources.reading import Document

# Any in this module: a JSON record.

# What asks for a job that is there.
_NEEDS_A_JOB = ("stream", "web", "save_as")


def show_plan(invocation: Invocation, document: "Document", default_experiment: str) -> Outcome:
    """Print the plan of the job that the document describes, and create nothing.

    Text for a person at a terminal, rows for `-o table`, the record otherwise.
    """
    from penstock.cli.documents import show_warnings

    arguments = invocation.arguments
    for name in _NEEDS_A_JOB:
        if getattr(arguments, name):
            raise UsageError(
                f"--dry-run and --{name.replace('_', '-')} exclude each other: no job is created"
            )
    made = invocation.client.jobs.plan(document, default_experiment=default_experiment)
    show_warnings(invocation, made.warnings)
    record: Any = made.record
    if arguments.output == "table" and not arguments.query:
        return Outcome([_row(step) for step in record["steps"]])
    text = "".join(f"{line}\n" for line in lines_of(record, Path(document.file).name))
    return Outcome(record, text=text if sys.stdout is not None and sys.stdout.isatty() else None)


def _row(step: dict[str, Any]) -> dict[str, Any]:
    ((decision, _),) = step["decision"].items()
    return {
        "step": step["step"],
        "decision": decision,
        "waitsFor": ", ".join(step["waits_for"]),
        "environment": _environment(step["environment"]),
        "compute": step["compute"].removeprefix("azureml:"),
    }


def lines_of(record: dict[str, Any], file: str) -> Iterator[str]:
    """The plan as a person reads it: the steps in an order in which they may run, what each reads, writes, executes."""
    count = len(record["steps"])
    yield f"{file} would run {count} step{'s' if count != 1 else ''}; nothing was created"
    for step in record["steps"]:
        yield ""
        yield from _step(step)
    if record["outputs"]:
        yield ""
        yield "outputs of the job"
        for name, output in record["outputs"].items():
            yield f"  {name}: {output['step']}.{output['output']}  {output['path']}{_registered(output)}"


def _step(step: dict[str, Any]) -> Iterator[str]:
    ((decision, because),) = step["decision"].items()
    waits = f", after {', '.join(step['waits_for'])}" if step["waits_for"] else ""
    yield f"{step['step']}  {decision}{waits}  ({because})"
    yield f"  environment  {_environment(step['environment'])}"
    for row in step["environment"].get("relaxed", ()):
        yield f"               {line_of(row)}  ({row['why']})"
    yield f"  compute      {step['compute'].removeprefix('azureml:')}"
    if step["code"]:
        yield f"  code         {step['code']['name']}  {step['code']['digest'][:12]}"
    for name, value in step["inputs"].items():
        yield f"  input        {name} = {_input(value)}"
    for name, output in step["outputs"].items():
        yield f"  output       {name} → {output['path']}{_registered(output)}"
    for line in step["command"].strip().splitlines():
        yield f"  $ {line}"


def _registered(output: dict[str, Any]) -> str:
    if not output.get("name"):
        return ""
    kind = "model" if str(output["type"]).endswith("_model") else "data"
    return f", registered as {kind} {output['name']}:{output['version'] or '<next>'}"


def _environment(environment: dict[str, Any]) -> str:
    digest = f" {environment['digest'][:12]}" if environment["digest"] else ""
    mark = f", {environment['mark']}" if environment.get("mark") else ""
    if not mark and environment.get("relax") and not digest:
        mark = f", {MARK} where needed"
    way = " from conda packages" if environment.get("conda_packages") == "conda" else ""
    return f"{environment['name']}{digest}, {environment['state']}{way}{mark}"


def _input(value: dict[str, Any] | None) -> str:
    if value is None:
        return "(left out)"
    if "value" in value:
        return str(value["value"])
    if "from_step" in value:
        return f"{value['from_step']}.{value['from_output']}"
    return str(value.get("asset") or value["path"])
