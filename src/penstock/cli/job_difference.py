"""`penstock job show-diff`: two jobs beside each other, as text."""

import sys
from collections.abc import Iterator
from typing import Any

from penstock.cli.grammar import Argument, Command, Example
from penstock.cli.invocation import Invocation, Outcome
from penstock.cli.problems import paint

# Any in this module: a JSON record.

_CODE_WORDS = (("added", "only in b"), ("removed", "only in a"), ("changed", "changed"))


def run(invocation: Invocation) -> object:
    arguments = invocation.arguments
    record = invocation.client.jobs.difference(arguments.job_a, arguments.job_b)
    if arguments.output in ("table", "tsv") and not arguments.query:
        return Outcome([row for key, differs in record["steps"].items() for row in _rows(key, differs)])
    return Outcome(record, text="".join(f"{line}\n" for line in _lines(record)))


def _rows(step: str, differs: dict[str, Any]) -> Iterator[dict[str, str]]:
    """One row for each thing that differs; of code, one for each file."""
    if "only_in" in differs:
        yield {"step": step, "what": "step", **_sides(differs["only_in"])}
        return
    for name, value in differs.items():
        if name == "code":
            for word, where in (("removed", "a"), ("added", "b")):
                for path in value[word]:
                    yield {"step": step, "what": f"code {path}", **_sides(where)}
            for path in value["changed"]:
                yield {"step": step, "what": f"code {path}", "a": "changed", "b": "changed"}
        elif _is_pair(value):
            yield {"step": step, "what": name, "a": _shown(value["a"]), "b": _shown(value["b"])}
        else:
            for inner, pair in value.items():
                what = f"{name} {inner}"
                yield {"step": step, "what": what, "a": _shown(pair["a"]), "b": _shown(pair["b"])}


def _sides(where: str) -> dict[str, str]:
    return {side: "present" if side == where else "(none)" for side in ("a", "b")}


def _lines(record: dict[str, Any]) -> Iterator[str]:
    for side in ("a", "b"):
        job = record[side]
        yield f"{side}: {job['name']}  {job['status']}  {job['created_at']}"
    if record["equal"]:
        yield "nothing differs: code, environments, inputs, parameters and metrics are the same"
    for key, differs in record["steps"].items():
        yield ""
        yield f"step {key}" if key else "job"
        if "only_in" in differs:
            yield f"  only in {differs['only_in']}"
            continue
        for name, value in differs.items():
            yield from _code(value) if name == "code" else _values(name, value)


def _values(name: str, value: dict[str, Any]) -> Iterator[str]:
    if _is_pair(value):
        yield f"  {name}: {_pair(value)}"
        return
    yield f"  {name}"
    for inner, pair in value.items():
        yield f"    {inner}: {_pair(pair)}"


def _is_pair(value: dict[str, Any]) -> bool:
    """Whether it is one value's difference, and not a group's: of inputs that are themselves called `a` and `b`, say."""
    if not {"a", "b"} <= value.keys() <= {"a", "b", "change"}:
        return False
    return not all(isinstance(value[side], dict) and {"a", "b"} <= value[side].keys() for side in "ab")


def _pair(pair: dict[str, Any]) -> str:
    change = f"  ({pair['change']:+.6g})" if "change" in pair else ""
    return f"{_shown(pair['a'])} → {_shown(pair['b'])}{change}"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_shown(inner)}" for key, inner in value.items() if inner not in (None, ""))
    return "(none)" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def _code(value: dict[str, Any]) -> Iterator[str]:
    yield "  code"
    for word, shown in _CODE_WORDS:
        for path in value[word]:
            yield f"    {shown}: {path}"
    for lines in value["diff"].values():
        for line in lines:
            colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
            yield "    " + (paint(line, colour, sys.stdout) if colour else line)


SHOW_DIFF = Command(
    name="show-diff",
    summary="Say what differs between two jobs: code, environment, inputs, parameters, metrics.",
    description=(
        "Steps are paired by their key. Of changed scripts the lines are shown, of environments the packages whose version"
        " is another one. With -o json the same as a record, with -o table one row for each thing that differs."
    ),
    arguments=(
        Argument(("job_a",), "The one job, for instance the champion's.", metavar="JOB_A", required=True),
        Argument(("job_b",), "The other job.", metavar="JOB_B", required=True),
    ),
    examples=(
        Example("why is this run worse?", "penstock job show-diff happy_frog sad_toad"),
        Example(
            "only the metrics of a step",
            "penstock job show-diff happy_frog sad_toad --query steps.train.metrics -o yaml",
        ),
    ),
    run=run,
)
