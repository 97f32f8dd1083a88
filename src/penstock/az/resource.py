"""`az resource list` and `show`: workspaces and registries. What changes resources is refused by name."""

from typing import Any

from penstock.az.resource_records import resources
from penstock.cli import flags
from penstock.cli.grammar import Argument, Command, Example
from penstock.cli.invocation import Invocation
from penstock.errors import NotFound, UsageError

# Any in this module: records as `az` prints them.
_NAME = Argument(("--name", "-n"), "Name of the resource.")
_TYPE = Argument(
    ("--resource-type",), "Type, as `Microsoft.MachineLearningServices/workspaces`.", metavar="TYPE"
)


def _is_of(row: dict[str, Any], invocation: Invocation, group: str | None) -> bool:
    arguments = invocation.arguments
    wanted = {
        "resourceGroup": group,
        "name": arguments.name,
        "location": invocation.get("location"),
    }
    if any(value and str(row[key]).lower() != value.lower() for key, value in wanted.items()):
        return False
    kind = arguments.resource_type
    if kind and kind.lower() not in (row["type"].lower(), row["type"].rpartition("/")[2].lower()):
        return False
    namespace = invocation.get("namespace")
    return not namespace or row["type"].lower().startswith(namespace.lower() + "/")


def _list(invocation: Invocation) -> object:
    group = invocation.arguments.resource_group  # a list is of one group only where that is asked for
    rows = [row for row in resources(invocation.client) if _is_of(row, invocation, group)]
    tag = invocation.arguments.tag
    if tag is not None:
        key, equals, value = tag.partition("=")
        rows = [row for row in rows if key in row["tags"] and (not equals or row["tags"][key] == value)]
    return [{key: value for key, value in row.items() if key != "properties"} for row in rows]


def _show(invocation: Invocation) -> object:
    arguments = invocation.arguments
    rows = resources(invocation.client)
    if arguments.ids:
        by_id = {row["id"].lower(): row for row in rows}
        for each in arguments.ids:
            if each.lower() not in by_id:
                raise NotFound(f"no resource has the id {each}", hint='az resource list --query "[].id"')
        found = [by_id[each.lower()] for each in arguments.ids]
        return found if len(found) > 1 else found[0]
    if not arguments.name:
        raise UsageError("the following arguments are required: --ids, or --name/-n")
    found = [row for row in rows if _is_of(row, invocation, invocation.resource_group)]
    if not found:
        raise NotFound(f"resource `{arguments.name}` could not be found", hint="az resource list -o table")
    return found[0]


COMMANDS = (
    Command(
        name="list",
        summary="List workspaces and registries as resources.",
        arguments=(_NAME, _TYPE, Argument(("--location", "-l"), "Only those there."), flags.TAG),
        examples=(
            Example(
                "the workspaces of a group",
                "az resource list -g my-group --resource-type Microsoft.MachineLearningServices/workspaces",
            ),
        ),
        run=_list,
    ),
    Command(
        name="show",
        summary="Show a workspace or a registry as a resource.",
        arguments=(
            _NAME,
            _TYPE,
            Argument(("--namespace",), "Namespace of the type.", metavar="NAME"),
            Argument(("--ids",), "Ids of resources.", takes="values", metavar="ID"),
            Argument(("--api-version",), "Accepted.", metavar="VERSION"),
            Argument(("--parent",), "Accepted.", metavar="PATH"),
        ),
        examples=(
            Example(
                "its id",
                "az resource show -g my-group -n taxi-dev"
                " --resource-type Microsoft.MachineLearningServices/workspaces --query id -o tsv",
            ),
        ),
        run=_show,
    ),
)
