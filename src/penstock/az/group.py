"""`az group`: resource groups, which are names here. A workspace or a registry is created under one; a script may create one before."""

from collections.abc import Mapping
from typing import Any

from penstock import config_file
from penstock.az.resource_records import group_of, resources
from penstock.cli import flags
from penstock.cli.confirm import confirm
from penstock.cli.grammar import Argument, Command, Example
from penstock.cli.invocation import Invocation
from penstock.errors import Conflict, NotFound, UsageError
from penstock.subscription import subscription_of

# Any in this module: records as `az` prints them.
_PART = "groups"
_NAME = Argument(("--name", "-n"), "Name of the group; --resource-group/-g is the same.")


def _named(invocation: Invocation) -> str:
    name = invocation.arguments.name or invocation.resource_group
    if not name:
        raise UsageError("the following arguments are required: --name/-n/--resource-group/-g")
    return str(name)


def _record(
    subscription: str, name: str, location: str | None, tags: Mapping[str, Any] | None
) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{subscription}/resourceGroups/{name}",
        "location": location or "local",
        "managedBy": None,
        "name": name,
        "properties": {"provisioningState": "Succeeded"},
        "tags": dict(tags or {}),
        "type": "Microsoft.Resources/resourceGroups",
    }


def _all(invocation: Invocation) -> dict[str, dict[str, Any]]:
    """Every group by its name in lower case: those that were created, and those of workspaces and registries."""
    found: dict[str, dict[str, Any]] = {}
    subscription = subscription_of(invocation.home)
    for name, kept in config_file.read(invocation.home, _PART).items():
        kept = kept if isinstance(kept, dict) else {}  # changed by hand
        found[name.lower()] = _record(subscription, name, kept.get("location"), kept.get("tags"))
    for resource in resources(invocation.client):
        name = group_of(resource)
        found.setdefault(name.lower(), _record(subscription, name, resource.get("location"), None))
    return dict(sorted(found.items()))


def _create(invocation: Invocation) -> object:
    arguments = invocation.arguments
    name = _named(invocation)
    location = arguments.location or invocation.defaults.get("location")
    if not location:
        raise UsageError("the following arguments are required: --location/-l")
    tags = flags.pairs_of(arguments.tags)
    kept = {"location": location, "tags": tags}

    def changed(groups: Mapping[str, Any]) -> Mapping[str, Any]:
        others = {each: value for each, value in groups.items() if each.lower() != name.lower()}
        return {**others, name: kept}

    config_file.change(invocation.home, _PART, changed)
    return _record(subscription_of(invocation.home), name, location, tags)


def _show(invocation: Invocation) -> object:
    return _found(invocation, _named(invocation))


def _found(invocation: Invocation, name: str) -> Mapping[str, Any]:
    groups = _all(invocation)
    if name.lower() not in groups:
        raise NotFound(
            f"resource group `{name}` could not be found",
            details=(f"there are: {', '.join(each['name'] for each in groups.values()) or 'none'}",),
            hint=f"az group create -n {name} -l LOCATION",
        )
    return groups[name.lower()]


def _list(invocation: Invocation) -> object:
    rows = list(_all(invocation).values())
    tag = invocation.arguments.tag
    if tag is not None:
        key, equals, value = tag.partition("=")
        rows = [row for row in rows if key in row["tags"] and (not equals or row["tags"][key] == value)]
    return rows


def _exists(invocation: Invocation) -> object:
    return _named(invocation).lower() in _all(invocation)


def _delete(invocation: Invocation) -> None:
    name = invocation.arguments.name or invocation.arguments.resource_group
    if not name:  # never a default: what is deleted is named on the command line
        raise UsageError("the following arguments are required: --name/-n/--resource-group/-g")
    _found(invocation, name)
    inside = [row for row in resources(invocation.client) if group_of(row).lower() == name.lower()]
    if inside:
        raise Conflict(
            f"resource group `{name}` is not empty: nothing was deleted",
            details=[f"{row['type']} `{row['name']}`" for row in inside],
            hint="delete what is in it by name: penstock workspace delete -n NAME --yes",
        )
    confirm(invocation, f"Delete the resource group `{name}`?")
    config_file.change(
        invocation.home,
        _PART,
        lambda groups: {each: value for each, value in groups.items() if each.lower() != name.lower()},
    )


COMMANDS = (
    Command(
        name="create",
        summary="Remember a resource group, to create workspaces under it.",
        arguments=(
            _NAME,
            Argument(("--location", "-l"), "Location; recorded."),
            Argument(("--tags",), "Tags, as `key=value`.", takes="values", metavar="KEY=VALUE"),
            Argument(("--managed-by",), "Accepted.", metavar="ID"),
        ),
        examples=(Example("as scripts do", "az group create -n my-group -l westeurope"),),
        run=_create,
    ),
    Command(
        name="list",
        summary="List resource groups: those that were created, and those of workspaces and registries.",
        arguments=(flags.TAG,),
        examples=(Example("their names", 'az group list --query "[].name" -o tsv'),),
        run=_list,
    ),
    Command(
        name="show",
        summary="Show a resource group: the default one if none is named.",
        arguments=(_NAME,),
        examples=(Example("where it is", "az group show -n my-group --query location -o tsv"),),
        run=_show,
    ),
    Command(
        name="exists",
        summary="Print true or false.",
        arguments=(_NAME,),
        examples=(Example("in a script", "az group exists -n my-group"),),
        run=_exists,
    ),
    Command(
        name="delete",
        summary="Forget a resource group that is empty. Workspaces are deleted by name, never with it.",
        arguments=(
            _NAME,
            flags.YES,
            flags.NO_WAIT,
            Argument(("--force-deletion-types", "-f"), "Accepted.", metavar="TYPE"),
        ),
        examples=(Example("without being asked", "az group delete -n my-group --yes"),),
        run=_delete,
    ),
)
