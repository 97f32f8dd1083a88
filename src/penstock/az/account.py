"""`az account`: which subscription counts, and no token of a cloud."""

from penstock.az import subscriptions
from penstock.cli.grammar import Argument, Command, Example
from penstock.cli.invocation import Invocation
from penstock.errors import UsageError

_SUBSCRIPTION = Argument(
    ("--name", "-n", "-s"), "Id or name of the subscription; --subscription is the same."
)


def _named(invocation: Invocation) -> str | None:
    name: str | None = invocation.arguments.name
    return invocation.arguments.subscription if name is None else name


def _show(invocation: Invocation) -> object:
    account = subscriptions.read(invocation.home)
    wanted = _named(invocation)
    if wanted is None:
        return subscriptions.shown(account)
    # Any that a script may set exists, whether it was set yet or not.
    return subscriptions.shown(subscriptions.knowing(account, wanted), subscriptions.id_of(account, wanted))


def _set(invocation: Invocation) -> None:
    wanted = _named(invocation)
    if wanted is None:
        raise UsageError("the following arguments are required: --subscription/--name/-n/-s")
    subscriptions.select(invocation.home, wanted)


def _list(invocation: Invocation) -> object:
    return subscriptions.listed(subscriptions.read(invocation.home))


def _list_locations(invocation: Invocation) -> object:
    from penstock.az.locations import LOCATIONS

    subscription = subscriptions.read(invocation.home).subscription
    return [
        {
            "availabilityZoneMappings": None,
            "displayName": shown,
            "id": f"/subscriptions/{subscription}/locations/{name}",
            "name": name,
            "regionalDisplayName": shown,
            "type": "Region",
        }
        for name, shown in LOCATIONS.items()
    ]


def _get_access_token(invocation: Invocation) -> object:
    from penstock.az.access_token import answer

    return answer(invocation)


def _clear(invocation: Invocation) -> None:
    subscriptions.forget(invocation.home)


COMMANDS = (
    Command(
        name="show",
        summary="Show the subscription that counts: a made-up one until one is set.",
        arguments=(_SUBSCRIPTION,),
        examples=(
            Example("its id, as scripts read it", "subscription=$(az account show --query id -o tsv)"),
            Example("who is logged in", "az account show --query user.name -o tsv"),
        ),
        run=_show,
    ),
    Command(
        name="set",
        summary="Set the subscription that counts; one that is not known yet is from now on.",
        arguments=(_SUBSCRIPTION,),
        examples=(Example("by id or name", "az account set --subscription my-subscription"),),
        run=_set,
    ),
    Command(
        name="list",
        summary="List the subscriptions that were set here.",
        arguments=(
            Argument(("--all",), "Accepted; all are always listed.", takes="nothing"),
            Argument(("--refresh",), "Accepted; there is nowhere to ask anew.", takes="nothing"),
        ),
        examples=(Example("as a table", "az account list -o table"),),
        run=_list,
    ),
    Command(
        name="list-locations",
        summary="List regions of the cloud. A location is recorded with a workspace, and means nothing more here.",
        arguments=(
            Argument(("--include-extended-locations",), "Accepted; there are none.", takes="nothing"),
        ),
        examples=(Example("their names", 'az account list-locations --query "[].name" -o tsv'),),
        run=_list_locations,
    ),
    Command(
        name="get-access-token",
        summary="Give a token for Penstock's own address; one of the cloud is refused.",
        description=(
            "With `-o none`, and where the query reads no token, the answer is that a login is there. A token is given for the address of"
            " Penstock's own port, and for no other: it would be sent to the cloud."
        ),
        arguments=(
            Argument(("--resource",), "Address that the token is for.", metavar="URL"),
            Argument(("--scope",), "The same, as scopes.", takes="values"),
            Argument(("--resource-type",), "Accepted: a service of the cloud.", metavar="TYPE"),
            Argument(("--tenant", "-t"), "Accepted; there is one."),
            Argument(("--name", "-n", "-s"), "Accepted: id or name of a subscription."),
        ),
        examples=(
            Example("is a login there?", "az account get-access-token -o none"),
            Example("what MLflow clients need instead", 'eval "$(penstock env)"'),
        ),
        run=_get_access_token,
    ),
    Command(
        name="clear",
        summary="Forget every subscription and login.",
        examples=(Example("from the start", "az account clear"),),
        run=_clear,
    ),
)
