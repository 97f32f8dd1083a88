"""`penstock version`: what is installed. Starts no server."""

import platform

from penstock import __version__
from penstock.cli.grammar import Command, Example
from penstock.cli.invocation import Invocation


def run(invocation: Invocation) -> object:
    return {"penstock": __version__, "python": platform.python_version()}


COMMANDS = (
    Command(
        name="version",
        summary="Print the version.",
        description="Prints an object; `penstock --version` prints one line.",
        examples=(
            Example("the version", "penstock version"),
            Example("only the number, for a script", "penstock version --query penstock -o tsv"),
        ),
        run=run,
    ),
)
