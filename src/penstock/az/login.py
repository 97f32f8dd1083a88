"""`az login`: what scripts do first. Nothing is asked, sent or checked; who is named is remembered, a secret is not."""

from collections.abc import Mapping

from penstock.az import subscriptions
from penstock.cli.grammar import Argument, Command, Example
from penstock.cli.invocation import Invocation
from penstock.errors import UsageError


def run(invocation: Invocation) -> object:
    arguments = invocation.arguments
    user = _user_of(invocation)
    values: dict[str, object] = {"user": dict(user)}
    if arguments.tenant:
        known = subscriptions.is_guid(arguments.tenant)
        values["tenant"] = arguments.tenant if known else subscriptions.guid_of(arguments.tenant)
    if arguments.subscription:
        account = subscriptions.select(invocation.home, arguments.subscription, **values)
    else:
        account = subscriptions.change(invocation.home, **values)
    invocation.say(
        f"logged in to Penstock as {user['name']}: nothing was sent, and no secret was read or kept{_elsewhere()}"
    )
    return subscriptions.listed(account)


def _user_of(invocation: Invocation) -> Mapping[str, str]:
    arguments = invocation.arguments
    if arguments.service_principal:
        if not arguments.username or not arguments.tenant:
            raise UsageError("argument --service-principal: needs --username and --tenant")
        return {"name": arguments.username, "type": "servicePrincipal"}
    if arguments.federated_token:
        raise UsageError("argument --federated-token: goes with --service-principal")
    if arguments.identity:
        one = arguments.client_id or arguments.object_id or arguments.resource_id or arguments.username
        return {
            "assignedIdentityInfo": f"MSIClient-{one}" if one else "MSI",
            "name": "userAssignedIdentity" if one else "systemAssignedIdentity",
            "type": "servicePrincipal",
        }
    if arguments.username:
        return {"name": arguments.username, "type": "user"}
    return subscriptions.person()


def _elsewhere() -> str:
    """Where a real `az` is installed it is not logged in by this, and gets what is not served here."""
    import os

    from penstock.cli.az_on_path import real_az

    real = real_az(os.environ)
    return f"; for the cloud: {real} login" if real else ""


_UNREAD = "Accepted, and neither read, kept nor printed."

COMMANDS = (
    Command(
        name="login",
        summary="Answer a login with the subscriptions, as scripts expect it; no secret is read.",
        arguments=(
            Argument(
                ("--service-principal",), "Log in as an application: --username is its id.", takes="nothing"
            ),
            Argument(("--username", "-u"), "Who logs in; remembered.", metavar="NAME"),
            Argument(("--password", "-p"), _UNREAD, metavar="SECRET"),
            Argument(("--certificate",), _UNREAD, metavar="FILE"),
            Argument(("--federated-token",), _UNREAD, metavar="TOKEN"),
            Argument(("--use-cert-sn-issuer",), "Accepted.", takes="nothing"),
            Argument(("--tenant", "-t"), "Tenant; remembered."),
            Argument(("--identity", "-i"), "Log in as the machine's identity.", takes="nothing"),
            Argument(("--client-id",), "With --identity: which one.", metavar="ID"),
            Argument(("--object-id",), "With --identity: which one.", metavar="ID"),
            Argument(("--resource-id",), "With --identity: which one.", metavar="ID"),
            Argument(("--use-device-code",), "Accepted; there is no code to type.", takes="nothing"),
            Argument(("--allow-no-subscriptions",), "Accepted; there always is one.", takes="nothing"),
            Argument(("--skip-subscription-discovery",), "Accepted.", takes="nothing"),
            Argument(("--scope",), "Accepted.", takes="values"),
            Argument(("--claims-challenge",), "Accepted.", metavar="TEXT"),
        ),
        examples=(
            Example("as a person", "az login"),
            Example(
                "as a script does",
                'az login --service-principal -u "$CLIENT_ID" -p "$CLIENT_SECRET" --tenant "$TENANT_ID"',
            ),
            Example("as a machine of the cloud does", "az login --identity"),
        ),
        run=run,
    ),
)
