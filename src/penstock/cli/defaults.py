"""The defaults that `penstock configure` keeps in the home's config file, and the variables of `az` that count before them."""

from collections.abc import Mapping

from penstock import config_file
from penstock.cli.grammar import OUTPUT_FORMATS
from penstock.errors import UsageError
from penstock.settings import Home

KNOWN: Mapping[str, str] = {
    "group": "Resource group.",
    "workspace": "Workspace.",
    "location": "Location of new workspaces.",
    "output": "Output format.",
}

# `az` has a variable for every setting; these are the ones that mean something here.
OF_AZURE: Mapping[str, str] = {
    "group": "AZURE_DEFAULTS_GROUP",
    "workspace": "AZURE_DEFAULTS_WORKSPACE",
    "location": "AZURE_DEFAULTS_LOCATION",
    "output": "AZURE_CORE_OUTPUT",
}


def read(home: Home) -> dict[str, str]:
    """The defaults by name; empty where none were set. A file that cannot be read as such is an error that names it."""
    return {str(name): str(value) for name, value in config_file.read(home, "defaults").items()}


def of_azure(environ: Mapping[str, str]) -> dict[str, str]:
    """The defaults that scripts set by variables of `az`; they count before those that are kept."""
    given = {name: environ.get(variable, "") for name, variable in OF_AZURE.items()}
    output = given["output"] = given["output"].lower()
    if output and output not in OUTPUT_FORMATS:
        raise UsageError(
            f"{OF_AZURE['output']} is `{output}`, which is not one of {', '.join(OUTPUT_FORMATS)}"
        )
    return {name: value for name, value in given.items() if value}


def change(home: Home, changes: Mapping[str, str]) -> None:
    """Set defaults; an empty value removes one. The others stay as they are."""

    def changed(kept: Mapping[str, object]) -> Mapping[str, object]:
        return {name: value for name, value in sorted({**kept, **changes}.items()) if value}

    config_file.change(home, "defaults", changed)
