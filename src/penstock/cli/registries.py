"""`penstock registry`: what workspaces share."""

from penstock.cli import flags, update_flags
from penstock.cli.confirm import confirm
from penstock.cli.grammar import Argument, Command, Example
from penstock.cli.invocation import Invocation
from penstock.errors import NotFound, UsageError


def _create(invocation: Invocation) -> object:
    from penstock.cli.documents import created, document_of

    arguments = invocation.arguments
    defaults = {} if arguments.file else invocation.defaults
    document = document_of(
        invocation,
        "registry",
        {
            "name": arguments.name,
            "description": arguments.description,
            "location": arguments.location or defaults.get("location"),
            "resource_group": arguments.resource_group or defaults.get("group"),
            "tags": flags.pairs_of(arguments.tags),
        },
    )
    return created(invocation, invocation.client.registries.create(document))


def _list(invocation: Invocation) -> object:
    found = invocation.client.registries.list()
    group = invocation.arguments.resource_group
    if group:
        # The built-in one belongs to no group of anybody's.
        found = [
            row
            for row in found
            if row.get("read_only") or str(row.get("resource_group", "")).lower() == group.lower()
        ]
    most = invocation.arguments.max_results
    return found if most is None else found[:most]


def _show(invocation: Invocation) -> object:
    name = _name(invocation)
    try:
        return invocation.client.registries.show(name)
    except NotFound as error:
        raise _near(invocation, error, name) from error


def _update(invocation: Invocation) -> object:
    arguments = invocation.arguments
    changes = update_flags.body_of(invocation)
    if arguments.description is not None:
        changes["set"]["description"] = arguments.description
    changes["set"].update(update_flags.tags_of(invocation))
    if not any(changes.values()):
        raise UsageError("nothing to update", hint="for example: --tags team=taxi")
    name = _name(invocation)
    try:
        record = invocation.client.registries.update(name, changes)
    except NotFound as error:
        raise _near(invocation, error, name) from error
    return None if arguments.no_wait else record


def _delete(invocation: Invocation) -> None:
    from penstock.cli.documents import deleted

    name = _name(invocation)
    confirm(invocation, f"Delete registry `{name}` with all its assets?")
    try:
        invocation.client.registries.delete(name)
    except NotFound as error:
        raise _near(invocation, error, name) from error
    deleted(invocation, "registry", name)


def _name(invocation: Invocation) -> str:
    """`--name`, or `--registry-name`, as scripts write it beside the other commands' flag."""
    name: str | None = invocation.arguments.name or invocation.arguments.registry_name
    if not name:
        raise UsageError("the following arguments are required: --name/-n")
    return name


def _near(invocation: Invocation, error: NotFound, name: str) -> NotFound:
    from penstock.cli.documents import named

    return named(error, "registry", name, (row["name"] for row in invocation.client.registries.list()))


_NAME = Argument(("--name", "-n"), "Name of the registry.")
_SAME = Argument(("--registry-name",), "The same as --name.", metavar="NAME")

COMMANDS = (
    Command(
        name="create",
        summary="Create a registry.",
        arguments=(
            flags.FILE,
            flags.NAME,
            flags.DESCRIPTION,
            Argument(("--location", "-l"), "Location; recorded."),
            flags.TAGS,
            flags.SET,
            flags.NO_WAIT,
        ),
        examples=(
            Example("from a file, as in the cloud", "penstock registry create -f registry.yml"),
            Example("by name", "penstock registry create -n shared"),
        ),
        run=_create,
    ),
    Command(
        name="list",
        summary="List registries; `azureml`, with the curated environments, is always one of them.",
        arguments=(flags.MAX_RESULTS,),
        examples=(
            Example("all", "penstock registry list -o table"),
            Example("does it exist?", "penstock registry list --query \"[?name=='shared'].name\" -o tsv"),
        ),
        run=_list,
    ),
    Command(
        name="show",
        summary="Show a registry.",
        arguments=(_NAME, _SAME),
        examples=(Example("one", "penstock registry show -n shared"),),
        run=_show,
    ),
    Command(
        name="update",
        summary="Change a registry's description or tags.",
        arguments=(
            _NAME,
            _SAME,
            Argument(("--description",), "Description.", metavar="TEXT"),
            flags.TAGS,
            *update_flags.ARGUMENTS,
            flags.NO_WAIT,
        ),
        examples=(Example("whose it is", "penstock registry update -n shared --tags team=taxi"),),
        run=_update,
    ),
    Command(
        name="delete",
        summary="Delete a registry with all its assets.",
        arguments=(_NAME, _SAME, flags.YES, flags.NO_WAIT),
        examples=(Example("without being asked", "penstock registry delete -n shared --yes"),),
        run=_delete,
    ),
)
