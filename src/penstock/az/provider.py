"""`az provider`: scripts register what they need; here everything that is there needs no registration."""

from typing import Any

from penstock.cli.grammar import Argument, Command, Example
from penstock.cli.invocation import Invocation
from penstock.subscription import subscription_of

_NAMESPACE = Argument(("--namespace", "-n"), "Namespace of the provider.", metavar="NAME", required=True)
_OURS = "Microsoft.MachineLearningServices"


def _record(invocation: Invocation, namespace: str) -> dict[str, Any]:  # Any: a record as `az` prints it
    return {
        "id": f"/subscriptions/{subscription_of(invocation.home)}/providers/{namespace}",
        "namespace": namespace,
        "registrationPolicy": "RegistrationRequired",
        "registrationState": "Registered",
        "resourceTypes": [],
    }


def _register(invocation: Invocation) -> None:
    invocation.say(f"{invocation.arguments.namespace}: nothing has to be registered here")


COMMANDS = (
    Command(
        name="register",
        summary="Answer: nothing has to be registered.",
        arguments=(
            _NAMESPACE,
            Argument(("--wait",), "Accepted.", takes="nothing"),
            Argument(("--accept-terms",), "Accepted.", takes="nothing"),
            Argument(("--consent-to-permissions",), "Accepted.", takes="truth"),
            Argument(("--management-group-id", "-m"), "Accepted.", metavar="ID"),
        ),
        examples=(Example("as scripts do", f"az provider register --namespace {_OURS}"),),
        run=_register,
    ),
    Command(
        name="show",
        summary="Show a provider as registered.",
        arguments=(_NAMESPACE, Argument(("--expand",), "Accepted.", metavar="TEXT")),
        examples=(Example("is it?", f"az provider show -n {_OURS} --query registrationState -o tsv"),),
        run=lambda invocation: _record(invocation, invocation.arguments.namespace),
    ),
    Command(
        name="list",
        summary="List the provider that workspaces belong to.",
        arguments=(Argument(("--expand",), "Accepted.", metavar="TEXT"),),
        examples=(Example("as a table", "az provider list -o table"),),
        run=lambda invocation: [_record(invocation, _OURS)],
    ),
)
