"""`penstock component`: what steps of pipelines are made of, registered under a name."""

from collections.abc import Mapping

from penstock.cli import flags
from penstock.cli.asset_commands import AssetNoun, commands_of
from penstock.cli.asset_download import download_command
from penstock.cli.grammar import Argument, Command, Example
from penstock.cli.invocation import Invocation, Outcome


def _fields(invocation: Invocation) -> Mapping[str, object]:
    return {}


def _validate(invocation: Invocation) -> object:
    from penstock.cli.documents import document_of

    arguments = invocation.arguments
    document = document_of(invocation, "component", {"name": arguments.name, "version": arguments.version})
    result = invocation.client.components.validate(document)
    return Outcome(result, exit_code=0 if result.get("result") == "Succeeded" else 1)


_NOUN = AssetNoun(
    kind="component",
    attribute="components",
    arguments=(
        Argument(
            ("--skip-validation",),
            "Accepted; a component that is not valid cannot run.",
            takes="nothing",
        ),
        flags.RELAX,
    ),
    fields=_fields,
    may_change="display_name, description, tags or properties",
    updates_from_file=True,
    create_summary="Register a component.",
    create_description=(
        "Takes the code that the file names, with its additional includes, and the environment's version of today."
        " A version never changes afterwards; pipelines use it as `component: azureml:<name>@latest`."
    ),
    create_examples=(
        Example("from a file", "penstock component create -f train.yml"),
        Example("as a certain version", "penstock component create -f train.yml --version 1.4.2"),
    ),
)

COMMANDS = (
    *commands_of(_NOUN),
    download_command(
        _NOUN,
        description=(
            "Writes `component.yml` and the code that it names into a folder called after the component, all of them or"
            " none; files that are there already are overwritten. Takes exactly one of --version and --label."
        ),
        examples=(
            Example("to ./train", "penstock component download -n train -v 3"),
            Example(
                "from a registry", "penstock component download -n train -l latest --registry-name shared"
            ),
        ),
    ),
    Command(
        name="validate",
        summary="Check a component's file without creating it; exit code 1 where something is wrong.",
        arguments=(flags.FILE_REQUIRED, flags.NAME, flags.VERSION, flags.SET, flags.RELAX),
        examples=(Example("everything that is wrong", "penstock component validate -f train.yml"),),
        run=_validate,
    ),
)
