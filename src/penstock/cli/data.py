"""`penstock data`: files and folders as versioned data."""

from collections.abc import Mapping

from penstock.cli.asset_commands import AssetNoun, commands_of
from penstock.cli.data_profile import PROFILE
from penstock.cli.data_validate import VALIDATE
from penstock.cli.grammar import Argument, Example
from penstock.cli.invocation import Invocation


def _fields(invocation: Invocation) -> Mapping[str, object]:
    arguments = invocation.arguments
    return {
        "path": arguments.path,
        "type": arguments.type,
        "datastore": arguments.datastore,
        "expectations": arguments.expectations,
    }


_ASSETS = commands_of(
    AssetNoun(
        kind="data",
        attribute="data",
        arguments=(
            Argument(("--path", "-p"), "File, folder or address of the data."),
            Argument(("--type", "-t"), "What the path is.", choices=("uri_file", "uri_folder", "mltable")),
            Argument(("--datastore",), "Datastore that local data is put into.", metavar="NAME"),
            Argument(
                ("--expectations",), "File that says what its rows and columns are like.", metavar="FILE"
            ),
            Argument(("--skip-validation",), "Take the MLTable file as it is.", takes="nothing"),
        ),
        fields=_fields,
        options=lambda invocation: {"skip_validation": True} if invocation.arguments.skip_validation else {},
        create_summary="Register data.",
        create_description="A local file or folder is copied into the workspace; an address is recorded.",
        create_examples=(
            Example("from a file", "penstock data create -f data.yml"),
            Example("a folder", "penstock data create -n taxi --type uri_folder --path ./taxi"),
            Example(
                "a folder with an MLTable file", "penstock data create -n taxi-table -t mltable -p ./taxi"
            ),
            Example("a new version of a file", "penstock data create -n taxi -v 2 -t uri_file -p taxi.csv"),
        ),
    )
)

COMMANDS = (*_ASSETS, PROFILE, VALIDATE)
