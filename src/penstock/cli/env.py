"""`penstock env`: what a notebook or a script outside any job needs to reach MLflow."""

import shlex

from penstock.cli.grammar import Argument, Command, Example
from penstock.cli.invocation import Invocation, Outcome


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        raise ValueError(f"`{text}` is not a number of hours") from None
    if not 0 < hours <= 24 * 366:
        raise ValueError(f"`{text}` hours: more than 0 and at most a year are possible")
    return hours


_DEFAULT_HOURS = 24.0


def run(invocation: Invocation) -> object:
    hours = invocation.arguments.hours or _DEFAULT_HOURS
    environment = invocation.client.workspaces.token(hours * 3600)["environment"]
    lines = [f"export {name}={shlex.quote(str(value))}\n" for name, value in sorted(environment.items())]
    return Outcome(environment, text="".join(lines))


COMMANDS = (
    Command(
        name="env",
        summary="Print what a notebook or script needs to reach MLflow.",
        description=(
            "Prints `export` lines with MLFLOW_TRACKING_URI and a token for the workspace. Whoever has the token can use the"
            " workspace until it expires."
        ),
        arguments=(
            Argument(
                ("--hours",),
                "How long the token is good for.",
                convert=_hours,
                default="24",
                metavar="NUMBER",
            ),
        ),
        examples=(
            Example("in a shell", 'eval "$(penstock env)" && python notebook.py'),
            Example("as JSON, for other programs", "penstock env -w taxi-dev -o json"),
        ),
        run=run,
    ),
)
