"""`penstock du`: what takes room on the disk."""

import shlex

from penstock.cli.grammar import Command, Example
from penstock.cli.invocation import Invocation, Outcome
from penstock.cli.sizes import readable


def run(invocation: Invocation) -> object:
    usage = invocation.client.server.usage()
    rows = [(readable(entry["bytes"]), str(entry["what"]), str(entry["path"])) for entry in usage["entries"]]
    rows.append((readable(usage["total"]), "total", str(invocation.home.path)))
    width = max(len(what) for _, what, _ in rows)
    lines = [f"{size:>10}  {what.ljust(width)}  {path}\n" for size, what, path in rows]
    home = shlex.quote(str(invocation.home.path))  # it may hold blanks, and `rm -rf` takes what it is given
    advice = (
        "\nremove what nothing uses:  penstock gc --dry-run\n"
        f"remove all traces:         penstock server stop && rm -rf {home} && pip uninstall penstock\n"
    )
    return Outcome(usage, text="".join(lines) + advice)


COMMANDS = (
    Command(
        name="du",
        summary="Say what takes room on the disk, and how to remove it.",
        description=(
            "All that penstock keeps lies in one folder, $PENSTOCK_HOME (~/.penstock). To remove all traces:\n\n"
            "    penstock server stop && rm -rf ~/.penstock && pip uninstall penstock"
        ),
        examples=(
            Example("what takes room?", "penstock du"),
            Example("the sum in bytes", "penstock du --query total -o tsv"),
        ),
        run=run,
    ),
)
