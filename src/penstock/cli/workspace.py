"""`penstock workspace`: the unit of isolation."""

from penstock.cli import flags, update_flags
from penstock.cli.confirm import confirm
from penstock.cli.grammar import Argument, Command, Example
from penstock.cli.invocation import Invocation
from penstock.errors import NotFound, UsageError


def _create(invocation: Invocation) -> object:
    from penstock.cli.documents import created, document_of

    arguments = invocation.arguments
    network = arguments.managed_network
    document = document_of(
        invocation,
        "workspace",
        {
            "name": arguments.name or arguments.workspace_name,
            "display_name": arguments.display_name,
            "description": arguments.description,
            "location": arguments.location
            or (None if arguments.file else invocation.defaults.get("location")),
            "resource_group": arguments.resource_group
            or (None if arguments.file else invocation.resource_group),
            "tags": flags.pairs_of(arguments.tags),
            "managed_network": {"isolation_mode": network} if network else None,
        },
    )
    return created(invocation, invocation.client.workspaces.create(document))


def _list(invocation: Invocation) -> object:
    found = invocation.client.workspaces.list()
    group = invocation.arguments.resource_group
    if group:
        found = [row for row in found if str(row.get("resource_group", "")).lower() == group.lower()]
    most = invocation.arguments.max_results
    return found if most is None else found[:most]


def _show(invocation: Invocation) -> object:
    from penstock.cli.documents import named

    name = invocation.arguments.name or invocation.workspace
    try:
        return invocation.client.workspaces.show(name)
    except NotFound as error:
        known = (row["name"] for row in invocation.client.workspaces.list())
        raise named(error, "workspace", name, known) from error


def _update(invocation: Invocation) -> object:
    arguments = invocation.arguments
    changes = update_flags.body_of(invocation)
    values = changes["set"]
    for name in ("display_name", "description"):
        if getattr(arguments, name) is not None:
            values[name] = getattr(arguments, name)
    values.update(update_flags.tags_of(invocation))
    if not any(changes.values()) and not arguments.file:
        raise UsageError("nothing to update", hint="for example: --set settings.url_map=urls.yml")
    name, record = arguments.name, None
    if arguments.file:
        record = _updated_from_file(invocation)
        name = str(record["name"])
    if any(changes.values()):
        record = invocation.client.workspaces.update(name, changes)
    return None if arguments.no_wait else record


def _updated_from_file(invocation: Invocation) -> dict[str, object]:
    """What the file says is taken over, what it does not say stays. It makes no new workspace."""
    from pathlib import Path

    from penstock.cli.documents import named, show_warnings
    from penstock.resources.reading import read_document

    arguments, workspaces = invocation.arguments, invocation.client.workspaces
    # --set is applied to the workspace afterwards, so it is no part of the file here.
    file, named_so = Path(arguments.file), arguments.name or arguments.workspace_name
    document = read_document(file, "workspace", fields={"name": named_so})
    if document.data.get("name") is None:
        document = read_document(file, "workspace", fields={"name": invocation.workspace})
    for warning in document.warnings:
        invocation.warn(warning)
    name = document.data.get("name")
    if isinstance(name, str):
        try:
            workspaces.show(name)
        except NotFound as error:
            raise named(error, "workspace", name, (str(row["name"]) for row in workspaces.list())) from error
    made = workspaces.create(document)
    show_warnings(invocation, made.warnings)
    return dict(made.record)


def _delete(invocation: Invocation) -> None:
    from penstock.cli.documents import deleted

    # Never the default one by silence: what is deleted is named on the command line.
    name = invocation.arguments.name or invocation.arguments.workspace_name
    if not name:
        raise UsageError("the following arguments are required: --name/-n")
    confirm(invocation, f"Delete workspace `{name}` with all its assets and jobs?")
    invocation.client.workspaces.delete(name)
    deleted(invocation, "workspace", name)


COMMANDS = (
    Command(
        name="create",
        summary="Create a workspace.",
        arguments=(
            flags.FILE,
            flags.NAME,
            Argument(("--display-name", "-d"), "Name to show.", metavar="TEXT"),
            flags.DESCRIPTION,
            Argument(("--location", "-l"), "Location; recorded."),
            flags.TAGS,
            Argument(("--managed-network", "-m"), "Accepted; has no effect here.", metavar="MODE"),
            flags.SET,
            flags.NO_WAIT,
        ),
        examples=(
            Example("by name", "penstock workspace create -n taxi-dev"),
            Example("from a file, as in the cloud", "penstock workspace create -f workspace.yml -g my-group"),
        ),
        run=_create,
    ),
    Command(
        name="list",
        summary="List workspaces; with --resource-group, those that were created in it.",
        arguments=(flags.MAX_RESULTS,),
        examples=(
            Example("all", "penstock workspace list -o table"),
            Example(
                "does it exist?",
                "penstock workspace list --query \"[?name=='taxi-dev'][name]\" -o tsv | wc -l",
            ),
        ),
        run=_list,
    ),
    Command(
        name="show",
        summary="Show a workspace: the one of --name, -w or the defaults.",
        arguments=(Argument(("--name", "-n"), "Name of the workspace."),),
        examples=(
            Example("the one that commands use", "penstock workspace show"),
            Example("its MLflow", "penstock workspace show -n taxi-dev --query mlflow_tracking_uri -o tsv"),
        ),
        run=_show,
    ),
    Command(
        name="update",
        summary="Change a workspace's display name, description, tags or settings.",
        description=(
            "`settings.url_map` is a YAML file that says which local file or folder stands for which address, "
            "`settings.environment_map` one that says which environment stands for which curated name. "
            "`settings.environments.relax` lets environments whose packages cannot be had any more take the nearest that can."
        ),
        arguments=(
            Argument(
                ("--file", "-f"),
                "A workspace's YAML file: what it says is taken over, the rest stays.",
                metavar="FILE",
            ),
            Argument(("--name", "-n"), "Name of the workspace: the one of -w or the defaults if left out."),
            Argument(("--display-name", "-d"), "Name to show.", metavar="TEXT"),
            Argument(("--description",), "Description.", metavar="TEXT"),
            flags.TAGS,
            *update_flags.ARGUMENTS,
            flags.NO_WAIT,
        ),
        examples=(
            Example(
                "let local files stand for public addresses",
                "penstock workspace update -n taxi-dev --set settings.url_map=./urls.yml",
            ),
            Example("no longer", "penstock workspace update -n taxi-dev --remove settings.url_map"),
            Example(
                "run files of other years: take the nearest packages that can be had, and say so",
                "penstock workspace update -n taxi-dev --set settings.environments.relax=true",
            ),
        ),
        run=_update,
    ),
    Command(
        name="delete",
        summary="Delete a workspace with all its assets and jobs.",
        arguments=(
            Argument(("--name", "-n"), "Name of the workspace."),
            flags.YES,
            Argument(("--all-resources",), "Accepted; everything is always deleted.", takes="nothing"),
            Argument(("--permanently-delete", "-p"), "Accepted; there is no other way.", takes="nothing"),
            flags.NO_WAIT,
        ),
        examples=(Example("without being asked", "penstock workspace delete -n taxi-dev --yes"),),
        run=_delete,
    ),
)
