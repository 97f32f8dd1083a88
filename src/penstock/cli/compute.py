"""`penstock compute`: where jobs may run, and how many at once."""

from penstock.cli import flags, update_flags
from penstock.cli.confirm import confirm
from penstock.cli.grammar import Argument, Command, Example, whole_number
from penstock.cli.invocation import Invocation
from penstock.errors import NotFound, UsageError

_MIN = Argument(("--min-instances",), "Fewest nodes.", convert=whole_number, metavar="NUMBER")
_MAX = Argument(
    ("--max-instances",), "Most nodes: this many steps run at once.", convert=whole_number, metavar="NUMBER"
)
_IDLE = Argument(
    ("--idle-time-before-scale-down", "-d"),
    "Seconds that a node may idle.",
    convert=whole_number,
    metavar="SECONDS",
)

_IDENTITY = (
    Argument(("--identity-type", "-i"), "Identity; recorded.", metavar="TYPE"),
    Argument(("--user-assigned-identities",), "Identities, with commas between; recorded.", metavar="IDS"),
)


def _create(invocation: Invocation) -> object:
    from penstock.cli.documents import created, document_of

    arguments = invocation.arguments
    document = document_of(
        invocation,
        "compute",
        {
            "name": arguments.name,
            "type": arguments.type,
            "size": arguments.size,
            "min_instances": arguments.min_instances,
            "max_instances": arguments.max_instances,
            "tier": arguments.tier,
            "idle_time_before_scale_down": arguments.idle_time_before_scale_down,
            "description": arguments.description,
            "location": arguments.location,
            "tags": flags.pairs_of(arguments.tags),
            "identity": _identity(invocation),
        },
    )
    return created(invocation, invocation.client.computes.create(document))


def _identity(invocation: Invocation) -> dict[str, object]:
    """What the two flags of identity say, in the shape of the file."""
    arguments = invocation.arguments
    identity: dict[str, object] = {}
    if arguments.identity_type:
        identity["type"] = arguments.identity_type
    if arguments.user_assigned_identities:
        ids = arguments.user_assigned_identities.split(",")
        identity["user_assigned_identities"] = [{"resource_id": text.strip()} for text in ids]
    return identity


def _list(invocation: Invocation) -> object:
    found = invocation.client.computes.list()
    wanted = invocation.arguments.type
    if wanted:
        found = [row for row in found if str(row.get("type", "")).lower() == wanted.lower()]
    most = invocation.arguments.max_results
    return found if most is None else found[:most]


def _show(invocation: Invocation) -> object:
    from penstock.cli.documents import named

    name = invocation.arguments.name
    try:
        return invocation.client.computes.show(name)
    except NotFound as error:
        known = (row["name"] for row in invocation.client.computes.list())
        raise named(error, "compute", name, known) from error


def _update(invocation: Invocation) -> object:
    arguments = invocation.arguments
    changes = update_flags.body_of(invocation)
    values = changes["set"]
    for name in ("min_instances", "max_instances", "idle_time_before_scale_down"):
        if getattr(arguments, name) is not None:
            values[name] = getattr(arguments, name)
    identity = _identity(invocation)
    if identity:
        values["identity"] = identity
    values.update(update_flags.tags_of(invocation))
    if not any(changes.values()):
        raise UsageError("nothing to update", hint="for example: --max-instances 4")
    record = invocation.client.computes.update(arguments.name, changes)
    return None if arguments.no_wait else record


def _delete(invocation: Invocation) -> None:
    from penstock.cli.documents import deleted

    name = invocation.arguments.name
    confirm(invocation, f"Delete compute `{name}`?")
    invocation.client.computes.delete(name)
    deleted(invocation, "compute", name)


COMMANDS = (
    Command(
        name="create",
        summary="Create a compute, or update the one of that name.",
        description=(
            "A compute of type `amlcompute` is this machine under the name that your files use; --max-instances says how"
            " many steps run on it at once."
        ),
        arguments=(
            flags.FILE,
            flags.NAME,
            Argument(("--type", "-t"), "Kind of compute: amlcompute, local."),
            Argument(("--size",), "VM size; recorded."),
            _MIN,
            _MAX,
            Argument(("--tier",), "Tier; recorded."),
            _IDLE,
            flags.DESCRIPTION,
            Argument(("--location", "-l"), "Location; recorded."),
            flags.TAGS,
            *_IDENTITY,
            flags.SET,
            flags.NO_WAIT,
        ),
        examples=(
            Example(
                "what a pipeline's `azureml:cpu-cluster` needs",
                "penstock compute create -n cpu-cluster --type amlcompute --min-instances 0 --max-instances 4",
            ),
            Example("from a file", "penstock compute create -f compute.yml"),
        ),
        run=_create,
    ),
    Command(
        name="list",
        summary="List computes.",
        arguments=(Argument(("--type",), "Only computes of this type."), flags.MAX_RESULTS),
        examples=(
            Example("all", "penstock compute list -o table"),
            Example(
                "does it exist?",
                "penstock compute list --query \"[?name=='cpu-cluster'][name]\" -o tsv | wc -l",
            ),
        ),
        run=_list,
    ),
    Command(
        name="show",
        summary="Show a compute.",
        arguments=(flags.name_of("compute"),),
        examples=(
            Example("one compute", "penstock compute show -n cpu-cluster"),
            Example(
                "create it where it is missing",
                "penstock compute show -n cpu-cluster || penstock compute create -n cpu-cluster --type amlcompute",
            ),
        ),
        run=_show,
    ),
    Command(
        name="update",
        summary="Change a compute's instances, idle time, identity, description or tags.",
        arguments=(
            flags.name_of("compute"),
            _MIN,
            _MAX,
            _IDLE,
            *_IDENTITY,
            flags.TAGS,
            *update_flags.ARGUMENTS,
            flags.NO_WAIT,
        ),
        examples=(
            Example("let two steps run at once", "penstock compute update -n cpu-cluster --max-instances 2"),
        ),
        run=_update,
    ),
    Command(
        name="delete",
        summary="Delete a compute that no active job uses.",
        arguments=(flags.name_of("compute"), flags.YES, flags.NO_WAIT),
        examples=(Example("without being asked", "penstock compute delete -n cpu-cluster --yes"),),
        run=_delete,
    ),
)
