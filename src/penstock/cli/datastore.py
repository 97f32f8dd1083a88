"""`penstock datastore`: named places where data lies."""

from penstock.cli import flags, update_flags
from penstock.cli.confirm import confirm
from penstock.cli.grammar import Argument, Command, Example
from penstock.cli.invocation import Invocation
from penstock.errors import NotFound


def _create(invocation: Invocation) -> object:
    from penstock.cli.documents import created, document_of

    arguments = invocation.arguments
    fields = {
        "name": arguments.name,
        "type": arguments.type or ("local" if arguments.path and not arguments.file else None),
        "path": arguments.path,
        "description": arguments.description,
        "tags": flags.pairs_of(arguments.tags),
    }
    return created(
        invocation, invocation.client.datastores.create(document_of(invocation, "datastore", fields))
    )


def _list(invocation: Invocation) -> object:
    found = invocation.client.datastores.list()
    most = invocation.arguments.max_results
    return found if most is None else found[:most]


def _show(invocation: Invocation) -> object:
    from penstock.cli.documents import named

    name = invocation.arguments.name
    try:
        return invocation.client.datastores.show(name)
    except NotFound as error:
        known = (row["name"] for row in invocation.client.datastores.list())
        raise named(error, "datastore", name, known) from error


def _show_default(invocation: Invocation) -> object:
    return invocation.client.datastores.show_default()


def _update(invocation: Invocation) -> object:
    changes = update_flags.changes_of(invocation)
    record = invocation.client.datastores.update(invocation.arguments.name, changes)
    return None if invocation.arguments.no_wait else record


def _delete(invocation: Invocation) -> None:
    from penstock.cli.documents import deleted

    name = invocation.arguments.name
    confirm(invocation, f"Forget datastore `{name}`? What lies in it stays.")
    invocation.client.datastores.delete(name)
    deleted(invocation, "datastore", name)


COMMANDS = (
    Command(
        name="create",
        summary="Create a datastore, or update the one of that name.",
        description=(
            "One of `type: local` is a folder of this machine. One of the cloud (azure_blob, azure_file,"
            " azure_data_lake_gen2, azure_data_lake_gen1, one_lake) is a folder of the workspace, or the one that the"
            " workspace's map of addresses names for it; its credentials are not kept."
        ),
        arguments=(
            flags.FILE,
            flags.NAME,
            Argument(("--type", "-t"), "Kind of datastore; `local` where a --path is given."),
            Argument(("--path", "-p"), "Folder of this machine.", metavar="FOLDER"),
            flags.DESCRIPTION,
            flags.TAGS,
            flags.SET,
            flags.NO_WAIT,
        ),
        examples=(
            Example("a folder of this machine", "penstock datastore create -n lake --path /data/lake"),
            Example("from a file, as in the cloud", "penstock datastore create -f blob.yml"),
        ),
        run=_create,
    ),
    Command(
        name="list",
        summary="List datastores, the built-in ones first.",
        arguments=(flags.MAX_RESULTS,),
        examples=(Example("all", "penstock datastore list -o table"),),
        run=_list,
    ),
    Command(
        name="show",
        summary="Show a datastore and the folder behind it. Credentials are never shown.",
        arguments=(flags.name_of("datastore"),),
        examples=(
            Example("one", "penstock datastore show -n workspaceblobstore"),
            Example("its folder", "penstock datastore show -n lake --query folder -o tsv"),
        ),
        run=_show,
    ),
    Command(
        name="show-default",
        summary="Show the datastore where things go that name none.",
        examples=(Example("its name", "penstock datastore show-default --query name -o tsv"),),
        run=_show_default,
    ),
    Command(
        name="update",
        summary="Change a datastore's description, tags, or the folder of a local one.",
        arguments=(
            flags.name_of("datastore"),
            *update_flags.ARGUMENTS,
            flags.NO_WAIT,
        ),
        examples=(Example("its folder has moved", "penstock datastore update -n lake --set path=/mnt/lake"),),
        run=_update,
    ),
    Command(
        name="delete",
        summary="Forget a datastore that no active job uses; what lies in it stays.",
        arguments=(flags.name_of("datastore"), flags.YES, flags.NO_WAIT),
        examples=(Example("without being asked", "penstock datastore delete -n lake --yes"),),
        run=_delete,
    ),
)
