"""create, list and show, for every versioned asset: environment, data, model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from penstock.cli import flags
from penstock.cli.grammar import Argument, Command, Example
from penstock.cli.invocation import Invocation
from penstock.errors import NotFound, PenstockError


@dataclass(frozen=True)
class AssetNoun:
    """What is different from one kind of asset to the next. `attribute` is the client's name for it."""

    kind: str
    attribute: str
    arguments: tuple[Argument, ...]
    fields: Callable[[Invocation], Mapping[str, object]]
    create_summary: str
    create_description: str
    create_examples: tuple[Example, ...]


def commands_of(noun: AssetNoun) -> tuple[Command, ...]:
    """The commands of one kind of asset."""
    kind = noun.kind
    return (
        Command(
            name="create",
            summary=noun.create_summary,
            description=noun.create_description,
            arguments=(
                flags.FILE,
                flags.NAME,
                flags.VERSION,
                *noun.arguments,
                flags.DESCRIPTION,
                flags.TAGS,
                flags.SET,
                flags.NO_WAIT,
                flags.REGISTRY_NAME,
            ),
            examples=noun.create_examples,
            run=lambda invocation: _create(noun, invocation),
        ),
        Command(
            name="list",
            summary=f"List {_plural(kind)}; with --name, the versions of one, newest first.",
            arguments=(
                Argument(("--name", "-n"), f"List all versions of this {kind}."),
                flags.MAX_RESULTS,
                flags.INCLUDE_ARCHIVED,
                flags.ARCHIVED_ONLY,
                flags.REGISTRY_NAME,
            ),
            examples=(
                Example(f"all {_plural(kind)} of the workspace", f"penstock {kind} list -o table"),
                Example(
                    "the newest version of one",
                    f'penstock {kind} list -n my-{kind} --query "[0].version" -o tsv',
                ),
            ),
            run=lambda invocation: _list(noun, invocation),
        ),
        Command(
            name="show",
            summary=f"Show one version of a {kind}."
            if kind != "environment"
            else "Show one version of an environment.",
            description="Takes exactly one of --version and --label.",
            arguments=(
                flags.name_of(kind),
                Argument(("--version", "-v"), "Version."),
                Argument(("--label", "-l"), "Label; `latest` is the version that was created last."),
                flags.REGISTRY_NAME,
            ),
            examples=(
                Example("a version", f"penstock {kind} show -n my-{kind} -v 3"),
                Example(
                    "the number of the newest version, for a script",
                    f"penstock {kind} show -n my-{kind} --label latest --query version -o tsv",
                ),
            ),
            run=lambda invocation: _show(noun, invocation),
        ),
    )


def _create(noun: AssetNoun, invocation: Invocation) -> object:
    from penstock.cli.documents import created, document_of

    _refuse_registry(invocation)
    arguments = invocation.arguments
    fields = {
        "name": arguments.name,
        "version": arguments.version,
        "description": arguments.description,
        "tags": flags.pairs_of(arguments.tags),
        **noun.fields(invocation),
    }
    document = document_of(invocation, noun.kind, fields)
    return created(invocation, getattr(invocation.client, noun.attribute).create(document))


def _list(noun: AssetNoun, invocation: Invocation) -> object:
    _refuse_registry(invocation)
    arguments = invocation.arguments
    if arguments.include_archived and arguments.archived_only:
        raise PenstockError("--include-archived and --archived-only exclude each other")
    found: object = getattr(invocation.client, noun.attribute).list(
        arguments.name,
        include_archived=arguments.include_archived,
        archived_only=arguments.archived_only,
        max_results=arguments.max_results,
    )
    return found


def _show(noun: AssetNoun, invocation: Invocation) -> object:
    from penstock.cli.documents import named

    _refuse_registry(invocation)
    arguments = invocation.arguments
    if arguments.version and arguments.label:
        raise PenstockError("cannot provide both --version and --label", hint="give one of them")
    if not arguments.version and not arguments.label:
        raise PenstockError(
            "must provide either --version or --label",
            hint=f"the newest: penstock {noun.kind} show -n {arguments.name} -l latest",
        )
    assets = getattr(invocation.client, noun.attribute)
    try:
        found: object = assets.show(arguments.name, version=arguments.version, label=arguments.label)
    except NotFound as error:
        raise named(error, noun.kind, arguments.name, (row["name"] for row in assets.list())) from error
    return found


def _refuse_registry(invocation: Invocation) -> None:
    if invocation.arguments.registry_name:
        raise PenstockError(
            "argument --registry-name: registries are not supported yet",
            hint="leave it out to use the workspace's own assets",
        )


def _plural(kind: str) -> str:
    return "data assets" if kind == "data" else f"{kind}s"
