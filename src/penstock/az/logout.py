"""`az logout`: forget who logged in. The home's own user stays, for there is nobody else to be."""

from penstock.az import subscriptions
from penstock.cli.grammar import Argument, Command, Example
from penstock.cli.invocation import Invocation


def run(invocation: Invocation) -> None:
    subscriptions.change(invocation.home, user={})


COMMANDS = (
    Command(
        name="logout",
        summary="Forget who logged in; the subscription stays.",
        arguments=(Argument(("--username",), "Accepted; one is logged in at a time.", metavar="NAME"),),
        examples=(Example("at the end of a script", "az logout"),),
        run=run,
    ),
)
