"""create, list, show, update, archive and restore, for every versioned asset."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from penstock.cli import flags, update_flags, update_from_file
from penstock.cli.grammar import Argument, Command, Example
from penstock.cli.invocation import Invocation
from penstock.errors import NotFound, PenstockError


@dataclass(frozen=True)
class AssetNoun:
    """What is different from one kind of asset to the next. `attribute` is the client's name for it.

    `options` are what `create` is told besides the document; `updates_from_file`: `update` takes the asset's file too.
    """

    kind: str
    attribute: str
    arguments: tuple[Argument, ...]
    fields: Callable[[Invocation], Mapping[str, object]]
    create_summary: str
    create_description: str
    create_examples: tuple[Example, ...]
    options: Callable[[Invocation], Mapping[str, Any]] = lambda invocation: {}
    tell: Callable[[Invocation, Mapping[str, Any]], None] = lambda invocation, record: None
    """Says what a person should know of the record that was created."""
    may_change: str = "description, tags or properties"
    updates_from_file: bool = False


VERSION_OR_LABEL = (
    Argument(("--version", "-v"), "Version."),
    Argument(("--label", "-l"), "Label; `latest` is the version that was created last."),
)


def commands_of(noun: AssetNoun) -> tuple[Command, ...]:
    """The commands of one kind of asset."""
    kind = noun.kind
    one, sample = _one(kind), f"my_{kind}" if kind == "component" else f"my-{kind}"
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
                flags.TAG,
                flags.INCLUDE_ARCHIVED,
                flags.ARCHIVED_ONLY,
                flags.REGISTRY_NAME,
            ),
            examples=(
                Example(f"all {_plural(kind)} of the workspace", f"penstock {kind} list -o table"),
                Example(
                    "the newest version of one",
                    f'penstock {kind} list -n {sample} --query "[0].version" -o tsv',
                ),
            ),
            run=lambda invocation: _list(noun, invocation),
        ),
        Command(
            name="show",
            summary=f"Show one version of {one}.",
            description="Takes exactly one of --version and --label.",
            arguments=(
                flags.name_of(kind),
                *VERSION_OR_LABEL,
                flags.REGISTRY_NAME,
            ),
            examples=(
                Example("a version", f"penstock {kind} show -n {sample} -v 3"),
                Example(
                    "the number of the newest version, for a script",
                    f"penstock {kind} show -n {sample} --label latest --query version -o tsv",
                ),
            ),
            run=lambda invocation: _show(noun, invocation),
        ),
        Command(
            name="update",
            summary=f"Change the {noun.may_change} of one version of {one}.",
            description=(
                "What a version is made of never changes. Properties are only ever added. Takes exactly one of --version"
                " and --label." + (f" {update_from_file.SAID}" if noun.updates_from_file else "")
            ),
            arguments=(
                *(update_from_file.ARGUMENTS if noun.updates_from_file else (flags.name_of(kind),)),
                *VERSION_OR_LABEL,
                *update_flags.ARGUMENTS,
                flags.REGISTRY_NAME,
            ),
            examples=(
                Example("a tag", f"penstock {kind} update -n {sample} -v 3 --set tags.checked=yes"),
                Example(
                    "two tags more, and one less",
                    f"penstock {kind} update -n {sample} -l latest --add tags a=1 b=2 --remove tags.old",
                ),
            ),
            run=lambda invocation: _update(noun, invocation),
        ),
        Command(
            name="archive",
            summary=f"Hide {one} from lists and from `@latest`.",
            description=(
                "One version with --version or --label; all of them, and those to come, with neither."
                " What names an archived version goes on working."
            ),
            arguments=(flags.name_of(kind), *VERSION_OR_LABEL, flags.REGISTRY_NAME),
            examples=(
                Example("one version", f"penstock {kind} archive -n {sample} -v 3"),
                Example("all versions", f"penstock {kind} archive -n {sample}"),
            ),
            run=lambda invocation: _archive(noun, invocation, "archive"),
        ),
        Command(
            name="restore",
            summary=f"Show {one} again that was archived.",
            description=(
                "One version with --version or --label; all of them with neither. A version that was archived with all"
                " others comes back with all others only. The label `latest` is the version that was created last, archived"
                " or not."
            ),
            arguments=(flags.name_of(kind), *VERSION_OR_LABEL, flags.REGISTRY_NAME),
            examples=(
                Example("one version", f"penstock {kind} restore -n {sample} -v 3"),
                Example("all versions", f"penstock {kind} restore -n {sample}"),
            ),
            run=lambda invocation: _archive(noun, invocation, "restore"),
        ),
        Command(
            name="share",
            summary=f"Put one version of {one} of the workspace into a registry.",
            description=(
                "Its content is kept; name and version may be others there. Sharing the same again changes nothing."
            ),
            arguments=(
                flags.name_of(kind),
                Argument(("--version", "-v"), "Version.", required=True),
                Argument(
                    ("--share-with-name",), "Name in the registry; the same where left out.", metavar="NAME"
                ),
                Argument(
                    ("--share-with-version",),
                    "Version in the registry; the same where left out.",
                    metavar="VERSION",
                ),
                Argument(("--registry-name",), "Registry to put it into.", metavar="NAME", required=True),
            ),
            examples=(
                Example(
                    "under the same name",
                    f"penstock {kind} share -n {sample} -v 3 --share-with-name {sample} --share-with-version 3"
                    " --registry-name shared",
                ),
            ),
            run=lambda invocation: _share(noun, invocation),
        ),
    )


def _create(noun: AssetNoun, invocation: Invocation) -> object:
    from penstock.cli.documents import created, document_of

    arguments = invocation.arguments
    fields = {
        "name": arguments.name,
        "version": arguments.version,
        "description": arguments.description,
        "tags": flags.pairs_of(arguments.tags),
        **noun.fields(invocation),
    }
    document = document_of(invocation, noun.kind, fields)
    made = assets_of(noun, invocation).create(document, **noun.options(invocation))
    shown = created(invocation, made)
    noun.tell(invocation, made.record)
    return shown


def _list(noun: AssetNoun, invocation: Invocation) -> object:
    arguments = invocation.arguments
    flags.refuse_both_archived(arguments.include_archived, arguments.archived_only)
    found: object = assets_of(noun, invocation).list(
        arguments.name,
        include_archived=arguments.include_archived,
        archived_only=arguments.archived_only,
        tag=arguments.tag,
        max_results=arguments.max_results,
    )
    return found


def _show(noun: AssetNoun, invocation: Invocation) -> object:
    return of_one_version(noun, invocation, "show", lambda assets, which: assets.show(**which))


def _update(noun: AssetNoun, invocation: Invocation) -> object:
    if noun.updates_from_file:
        changes = update_from_file.changes_of(invocation, noun.kind)
    else:
        changes = update_flags.changes_of(invocation)
    return of_one_version(
        noun, invocation, "update", lambda assets, which: assets.update(changes=changes, **which)
    )


def _archive(noun: AssetNoun, invocation: Invocation, verb: Literal["archive", "restore"]) -> None:
    _refuse_both(invocation)
    assets = assets_of(noun, invocation)
    _asked(noun, invocation, lambda: getattr(assets, verb)(**_which(invocation)))


def _share(noun: AssetNoun, invocation: Invocation) -> object:
    arguments = invocation.arguments
    assets = getattr(invocation.client, noun.attribute)
    found: object = assets.share(
        arguments.name,
        arguments.version,
        registry=arguments.registry_name,
        share_with_name=arguments.share_with_name,
        share_with_version=arguments.share_with_version,
    )
    return found


def of_one_version(
    noun: AssetNoun, invocation: Invocation, command: str, ask: Callable[[Any, dict[str, Any]], Any]
) -> Any:
    """What a command that acts on exactly one version answers; `ask` gets the client's assets and which version."""
    _refuse_both(invocation)
    arguments = invocation.arguments
    if not arguments.version and not arguments.label:
        raise PenstockError(
            "must provide either --version or --label",
            hint=f"the newest: penstock {noun.kind} {command} -n {arguments.name} -l latest",
        )
    assets = assets_of(noun, invocation)
    return _asked(noun, invocation, lambda: ask(assets, _which(invocation)))


def _asked(noun: AssetNoun, invocation: Invocation, ask: Callable[[], Any]) -> Any:
    """The answer; what is not found is told with the nearest name."""
    from penstock.cli.documents import named

    try:
        return ask()
    except NotFound as error:
        known = (row["name"] for row in assets_of(noun, invocation).list())
        raise named(error, noun.kind, invocation.arguments.name, known) from error


def _which(invocation: Invocation) -> dict[str, Any]:
    arguments = invocation.arguments
    return {"name": arguments.name, "version": arguments.version, "label": arguments.label}


def _refuse_both(invocation: Invocation) -> None:
    if invocation.arguments.version and invocation.arguments.label:
        raise PenstockError("cannot provide both --version and --label", hint="give one of them")


# Any: the client's assets of this kind, whichever the kind.
def assets_of(noun: AssetNoun, invocation: Invocation) -> Any:
    """The assets of the registry of --registry-name, which counts before -w; else those of the workspace."""
    return getattr(place_of(invocation), noun.attribute)


# Any: the client, or what it has of a registry: both have an attribute per kind of asset.
def place_of(invocation: Invocation) -> Any:
    """Where assets are looked for: in the registry of --registry-name, else in the workspace."""
    registry = invocation.get("registry_name")
    return invocation.client.in_registry(registry) if registry else invocation.client


def _one(kind: str) -> str:
    return {"data": "a data asset", "environment": "an environment"}.get(kind, f"a {kind}")


def _plural(kind: str) -> str:
    return "data assets" if kind == "data" else f"{kind}s"
