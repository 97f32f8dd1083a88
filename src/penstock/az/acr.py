"""`az acr login`: there is no registry of images to log in to. What else `az acr` does is refused by name."""

from penstock.az.refusals import Refusal, refused
from penstock.cli.grammar import Argument, Command, Example
from penstock.cli.invocation import Invocation
from penstock.errors import UsageError


def _login(invocation: Invocation) -> None:
    arguments = invocation.arguments
    if not arguments.name:
        raise UsageError("the following arguments are required: --name/-n")
    if arguments.expose_token:
        raise refused(
            "acr login --expose-token",
            Refusal(
                "issues a token for a container registry", "leave --expose-token out: nothing needs a token"
            ),
        )
    invocation.say(
        f"there is no registry `{arguments.name}` to log in to: images are built where they run, and kept by the engine"
    )


COMMANDS = (
    Command(
        name="login",
        summary="Answer: images are kept by this machine's engine, and no registry has to be logged in to.",
        arguments=(
            Argument(("--name", "-n"), "Name of the registry."),
            Argument(("--username", "-u"), "Accepted.", metavar="NAME"),
            Argument(("--password", "-p"), "Accepted, and neither read, kept nor printed.", metavar="SECRET"),
            Argument(("--suffix",), "Accepted.", metavar="TEXT"),
            Argument(("--expose-token", "-t"), "Refused: there is no token.", takes="nothing"),
        ),
        examples=(Example("as scripts do", "az acr login -n myregistry"),),
        run=_login,
    ),
)
