"""`az cloud`: which cloud scripts think they are in. It is a name, and nothing is sent there."""

from typing import Any

from penstock.az import subscriptions
from penstock.cli.grammar import Argument, Command, Example
from penstock.cli.invocation import Invocation
from penstock.errors import NotFound
from penstock.resources.nearest import did_you_mean

# Public addresses, which scripts read to build others from them.
_CLOUDS: dict[str, tuple[str, str, str, str]] = {
    "AzureCloud": (
        "https://management.azure.com/", "https://login.microsoftonline.com", "core.windows.net", ".vault.azure.net"
    ),
    "AzureChinaCloud": (
        "https://management.chinacloudapi.cn", "https://login.chinacloudapi.cn", "core.chinacloudapi.cn",
        ".vault.azure.cn",
    ),
    "AzureUSGovernment": (
        "https://management.usgovcloudapi.net/", "https://login.microsoftonline.us", "core.usgovcloudapi.net",
        ".vault.usgovcloudapi.net",
    ),
}  # fmt: skip
_NAME = Argument(("--name", "-n"), "Name of the cloud.")


def _record(name: str, active: str) -> dict[str, Any]:  # Any: a record as `az` prints it
    manager, directory, storage, vault = _CLOUDS[name]
    return {
        "endpoints": {"activeDirectory": directory, "resourceManager": manager},
        "isActive": name == active,
        "name": name,
        "profile": "latest",
        "suffixes": {"keyvaultDns": vault, "storageEndpoint": storage},
    }


def _known(name: str) -> str:
    for known in _CLOUDS:
        if known.lower() == name.lower():
            return known
    raise NotFound(
        f"the cloud `{name}` is not registered",
        hint=did_you_mean(name, _CLOUDS) or f"there are {', '.join(_CLOUDS)}",
    )


def _show(invocation: Invocation) -> object:
    active = subscriptions.read(invocation.home).cloud
    return _record(_known(invocation.arguments.name or active), active)


def _list(invocation: Invocation) -> object:
    active = subscriptions.read(invocation.home).cloud
    return [_record(name, active) for name in _CLOUDS]


def _set(invocation: Invocation) -> None:
    subscriptions.change(invocation.home, cloud=_known(invocation.arguments.name))


COMMANDS = (
    Command(
        name="show",
        summary="Show the cloud that scripts are told they are in.",
        arguments=(_NAME,),
        examples=(Example("its name", "az cloud show --query name -o tsv"),),
        run=_show,
    ),
    Command(
        name="list",
        summary="List the clouds that have a name.",
        examples=(Example("as a table", "az cloud list -o table"),),
        run=_list,
    ),
    Command(
        name="set",
        summary="Set the cloud's name; nothing is sent there.",
        arguments=(
            Argument(("--name", "-n"), "Name of the cloud.", required=True),
            Argument(("--profile",), "Accepted.", metavar="NAME"),
        ),
        examples=(Example("as scripts do", "az cloud set -n AzureCloud"),),
        run=_set,
    ),
)
