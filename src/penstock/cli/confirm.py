"""The question before something is deleted."""

import sys

from penstock.cli.invocation import Invocation, write_error
from penstock.errors import PenstockError


def confirm(invocation: Invocation, question: str) -> None:
    """Go on only with `--yes` or a typed yes. Without a terminal there is nobody to ask: that is an error, never a wait."""
    if invocation.get("yes"):
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise PenstockError(
            f"{question} There is no terminal to ask on.", hint="add --yes (-y) to say yes beforehand"
        )
    while True:
        write_error(f"{question} (y/n): ")
        answer = sys.stdin.readline()
        if answer.strip().lower() in ("y", "yes"):
            return
        if answer.strip().lower() in ("n", "no") or not answer:
            raise PenstockError("nothing was deleted: the question was answered with no")
