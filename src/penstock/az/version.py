"""`az version`, and `az --version`."""

import sys

from penstock import __version__
from penstock.az import versions
from penstock.cli.grammar import Argument, Command, Example
from penstock.cli.invocation import Invocation, Outcome


def run(invocation: Invocation) -> object:
    record = {
        "azure-cli": versions.CLI,
        "azure-cli-core": versions.CLI,
        "azure-cli-telemetry": versions.TELEMETRY,
        "extensions": {"ml": versions.ML},
        "penstock": __version__,
    }
    return Outcome(record, text=_text()) if invocation.arguments.as_text else record


def _text() -> str:
    rows = [
        ("azure-cli", versions.CLI), None,
        ("core", versions.CLI), ("telemetry", versions.TELEMETRY), None,
        "Extensions:", ("ml", versions.ML), None,
        f"Python location '{sys.executable}'",
        f"Served by Penstock {__version__}, whose commands are those of these versions.",
    ]  # fmt: skip
    return "".join(
        "\n" if row is None else f"{row}\n" if isinstance(row, str) else f"{row[0]:<20}{row[1]:>19}\n"
        for row in rows
    )


COMMANDS = (
    Command(
        name="version",
        summary="Print the versions whose commands are spoken here, and Penstock's own.",
        arguments=(Argument(("--as-text",), "As `az --version` prints it.", takes="nothing"),),
        examples=(Example("is the extension there?", "az version --query extensions.ml -o tsv"),),
        run=run,
    ),
)
