"""The files of a registered model, as `model download` fetches them."""

from pathlib import Path

from penstock.errors import NotFound
from penstock.identity.permissions import Action, require
from penstock.identity.tokens import Caller
from penstock.jobs.downloads import below, file_below
from penstock.server.platform import Platform

# What stands before a path within the model where files are looked for; never sent.
_ROOT = "model"


def files(platform: Platform, caller: Caller, workspace: str, name: str, version: str) -> dict[str, Path]:
    """Path within the model, below the name of the folder that it was made of → path on this machine. Conflict where files are not what was registered."""
    require(caller, Action.ASSET_READ, workspace)
    root = platform.models.local_place(workspace, name, version)
    within = _folder(platform, workspace, name, version)
    return {within + path.removeprefix(f"{_ROOT}/"): place for path, place in below(root, _ROOT)}


def file(platform: Platform, caller: Caller, workspace: str, name: str, version: str, path: str) -> Path:
    """One of these files."""
    require(caller, Action.ASSET_READ, workspace)
    root = platform.models.local_place(workspace, name, version, verify=False)
    within = _folder(platform, workspace, name, version)
    found = (
        file_below(root, _ROOT, f"{_ROOT}/{path.removeprefix(within)}") if path.startswith(within) else None
    )
    if found is None:
        raise NotFound(f"model `{name}:{version}` has no file `{path}`")
    return found


def _folder(platform: Platform, workspace: str, name: str, version: str) -> str:
    """`model/` for what was made of `…/model/`, nothing for a single file. Any script may write the tag that says it."""
    told = platform.models.folder_name(workspace, name, version) or ""
    return f"{told}/" if told and told not in (".", "..") and "/" not in told else ""
