"""`update --file`: which version the asset's own file means, and what of it may change."""

from pathlib import Path

from penstock.cli import flags, update_flags
from penstock.cli.grammar import Argument
from penstock.cli.invocation import Invocation
from penstock.errors import UsageError
from penstock.resources.overrides import spelled

SAID = (
    "With --file, name and version are the file's, the newest version where it has none, and its display_name, description"
    " and tags are taken over."
)
ARGUMENTS = (
    Argument(("--name", "-n"), "Name; counts before the file's."),
    Argument(("--file", "-f"), "Path of the YAML file, of which texts and tags are taken.", metavar="FILE"),
)
_TAKEN = ("display_name", "description")


def changes_of(invocation: Invocation, kind: str) -> update_flags.Body:
    """What file and flags change; flags win. Name and version that only the file says are put into the arguments."""
    arguments = invocation.arguments
    if not arguments.file:
        if not arguments.name:
            raise UsageError(f"the following arguments are required: {flags.NAME.spelled}")
        return update_flags.changes_of(invocation)
    from penstock.resources.reading import read_document

    document = read_document(Path(arguments.file), kind)
    for warning in document.warnings:
        invocation.warn(warning)
    said = document.data
    arguments.name = arguments.name or said.get("name")
    if not arguments.name:
        raise UsageError(f"{arguments.file} has no name", hint="give it with --name")
    if not arguments.version and not arguments.label:
        arguments.version = None if said.get("version") is None else str(said["version"])
        arguments.label = None if arguments.version else "latest"
    tags = said.get("tags")
    taken = {name: said[name] for name in _TAKEN if said.get(name) is not None}
    taken |= {spelled(("tags", key)): text for key, text in tags.items()} if isinstance(tags, dict) else {}
    changes = update_flags.body_of(invocation)
    changes["set"] = {**taken, **changes["set"]}
    if not any(changes.values()):
        raise UsageError(
            "nothing to update", hint=f"{arguments.file} has neither display_name, description nor tags"
        )
    return changes
