"""The defaults that `penstock configure` keeps in the home's config file."""

from collections.abc import Mapping

from penstock import config_file
from penstock.settings import Home

KNOWN: Mapping[str, str] = {
    "group": "Resource group.",
    "workspace": "Workspace.",
    "location": "Location of new workspaces.",
    "output": "Output format.",
}


def read(home: Home) -> dict[str, str]:
    """The defaults by name; empty where none were set. A file that cannot be read as such is an error that names it."""
    return {str(name): str(value) for name, value in config_file.read(home, "defaults").items()}


def change(home: Home, changes: Mapping[str, str]) -> None:
    """Set defaults; an empty value removes one. The others stay as they are."""

    def changed(kept: Mapping[str, object]) -> Mapping[str, object]:
        return {name: value for name, value in sorted({**kept, **changes}.items()) if value}

    config_file.change(home, "defaults", changed)
