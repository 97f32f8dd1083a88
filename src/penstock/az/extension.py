"""`az extension`: `ml` is part of Penstock, always there and never another version."""

from typing import Any

from penstock.az import versions
from penstock.az.refusals import Refusal, refused
from penstock.cli.grammar import Argument, Command, Example
from penstock.cli.invocation import Invocation
from penstock.errors import NotFound, UsageError

_ML = "ml"
_FIRST_GENERATION = "azure-cli-ml"

_NAME = Argument(("--name", "-n"), "Name of the extension.")
_PIP = (
    Argument(("--pip-proxy",), "Accepted.", metavar="URL"),
    Argument(("--pip-extra-index-urls",), "Accepted.", takes="values", metavar="URL"),
    Argument(("--allow-preview",), "Accepted.", takes="truth"),
)


def _record() -> dict[str, Any]:  # Any: a record as `az` prints it
    import penstock

    return {
        "experimental": False,
        "extensionType": "whl",
        "name": _ML,
        "path": str(penstock.__path__[0]),
        "preview": False,
        "version": versions.ML,
    }


def _asked(invocation: Invocation, command: str) -> str:
    """The extension that a command is about: by name, or by the file or address that it would come from."""
    arguments = invocation.arguments
    source: str | None = invocation.get("source")
    if not arguments.name and not source:
        raise UsageError(
            "the following arguments are required: --name/-n"
            + (" or --source/-s" if command == "add" else "")
        )
    # A wheel is called `<name>-<version>-py3-…`.
    return str(arguments.name or (source or "").rsplit("/", 1)[-1].split("-", 1)[0]).lower().replace("_", "-")


def _add(invocation: Invocation) -> None:
    _only_ml(_asked(invocation, "add"), "add")
    wanted = invocation.arguments.version
    if wanted and wanted not in ("latest", versions.ML):
        invocation.say(f"the extension ml {wanted} was asked for; Penstock speaks {versions.ML}")
    elif not invocation.arguments.upgrade:
        invocation.say("the extension ml is part of Penstock: nothing had to be installed")


def _update(invocation: Invocation) -> None:
    _only_ml(_asked(invocation, "update"), "update")
    invocation.say("the extension ml is part of Penstock, and is updated with it")


def _remove(invocation: Invocation) -> None:
    name = _asked(invocation, "remove")
    if name == _ML:
        invocation.say("the extension ml is part of Penstock, and stays")
    else:
        invocation.say(f"the extension {name} is not installed: there is nothing to remove")


def _show(invocation: Invocation) -> object:
    name = _asked(invocation, "show")
    if name != _ML:
        raise NotFound(f"the extension {name} is not installed", hint="az extension list")
    return _record()


def _only_ml(name: str, command: str) -> None:
    if name == _ML:
        return
    if name == _FIRST_GENERATION:
        instead = "Penstock speaks the second generation: `az extension add -n ml`, whose commands are `az ml job create` and so on"
    else:
        instead = "leave it out if nothing else of the script needs it: what it brings is not here"
    raise refused(f"extension {command} -n {name}", Refusal("installs another extension than ml", instead))


COMMANDS = (
    Command(
        name="add",
        summary="Answer that the extension ml is there; any other is refused.",
        arguments=(
            _NAME,
            Argument(("--yes", "-y"), "Do not ask; nothing is asked.", takes="nothing"),
            Argument(("--version",), "Version; another one than is spoken here is told.", metavar="VERSION"),
            Argument(("--upgrade", "-U"), "Accepted: it is up to date.", takes="truth"),
            Argument(
                ("--source", "-s"), "A wheel: its name says which extension it is.", metavar="FILE_OR_URL"
            ),
            Argument(("--system",), "Accepted.", takes="truth"),
            *_PIP,
        ),
        examples=(Example("as scripts do", "az extension add -n ml -y"),),
        run=_add,
    ),
    Command(
        name="update",
        summary="Answer that the extension ml is up to date.",
        arguments=(_NAME, *_PIP),
        examples=(Example("as scripts do", "az extension update -n ml"),),
        run=_update,
    ),
    Command(
        name="list",
        summary="List the extension ml.",
        examples=(Example("its version", "az extension list --query \"[?name=='ml'].version\" -o tsv"),),
        run=lambda _: [_record()],
    ),
    Command(
        name="show",
        summary="Show the extension ml.",
        arguments=(_NAME,),
        examples=(Example("its version", "az extension show -n ml --query version -o tsv"),),
        run=_show,
    ),
    Command(
        name="remove",
        summary="Answer; ml stays, and no other is installed.",
        arguments=(_NAME,),
        examples=(Example("as scripts do", "az extension remove -n azure-cli-ml"),),
        run=_remove,
    ),
)
