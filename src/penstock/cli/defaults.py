"""The defaults that `penstock configure` keeps in the home's config file."""

import json
import os
from collections.abc import Mapping

from penstock.errors import PenstockError
from penstock.settings import Home

KNOWN: Mapping[str, str] = {
    "group": "Resource group.",
    "workspace": "Workspace.",
    "location": "Location of new workspaces.",
    "output": "Output format.",
}


def read(home: Home) -> dict[str, str]:
    """The defaults by name; empty where none were set. A file that cannot be read as such is an error that names it."""
    try:
        text = home.config.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise PenstockError(f"cannot read {home.config}: {error.strerror}") from error
    try:
        found = json.loads(text).get("defaults", {})
        return {str(name): str(value) for name, value in found.items()}
    except (ValueError, AttributeError) as error:
        raise PenstockError(
            f"{home.config} is not what `penstock configure` writes",
            details=(str(error),),
            hint=f"remove it and set your defaults again: rm {home.config}",
        ) from error


def write(home: Home, defaults: Mapping[str, str]) -> None:
    """Replace the defaults, in one step: a reader sees the old ones or the new ones."""
    part = home.config.with_name(f"{home.config.name}.{os.getpid()}.part")
    try:
        home.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        part.write_text(
            json.dumps({"defaults": dict(sorted(defaults.items()))}, indent=2) + "\n", encoding="utf-8"
        )
        part.replace(home.config)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise PenstockError(f"cannot write {home.config}: {error.strerror}") from error
