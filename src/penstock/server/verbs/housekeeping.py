"""What the server is doing, what it takes up on disk, and giving room back."""

import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import penstock
from penstock.errors import Conflict
from penstock.identity.permissions import Action, require
from penstock.identity.tokens import Caller
from penstock.jobs import statuses as st
from penstock.jobs.description import iso
from penstock.jobs.places import UPLOADS, JobFolders
from penstock.resources.scope import BUILT_IN_REGISTRY, registry_scope
from penstock.server.platform import Platform
from penstock.server.verbs.upload import files_of
from penstock.store.transaction import Transaction

DEFAULT_AGE_DAYS = 7.0
# An upload is named by a document only moments later; younger blobs are never garbage.
_UPLOAD_GRACE = 3600.0
_DIGEST = re.compile(r"(?:snapshot://|/LocalUpload/)([0-9a-f]{64})")


def status(platform: Platform, caller: Caller) -> dict[str, Any]:
    """The server and what it is doing now."""
    require(caller, Action.WORKSPACE_READ, caller.workspace)
    return {
        "version": penstock.__version__,
        "pid": os.getpid(),
        "started_at": iso(platform.started_at),
        "home": str(platform.home.path),
        "socket": str(platform.home.socket),
        "loopback_url": platform.loopback_url,
        "mlflow": {"state": platform.mlflow.state, "pid": platform.mlflow.pid},
        "jobs": platform.engine.counts(),
    }


def usage(platform: Platform, caller: Caller) -> dict[str, Any]:
    """Bytes on disk, by what they are for."""
    require(caller, Action.SERVER_ADMINISTER)
    home = platform.home
    places = [
        ("uploads (code, data, models, by digest)", home.artifacts),
        ("environments", home.environments),
        ("downloads (data from addresses)", home.downloads),
        ("profiles of data", home.profiles),
        ("MLflow (runs, models)", home.mlflow),
        ("database", home.database),
    ]
    with platform.database.reading() as tx:
        places += [(f"workspace {each.name}", home.workspace(each.name)) for each in tx.workspaces.list()]
        places += [
            (f"registry {each.name}", home.registry(each.name))
            for each in tx.registries.list()
            if each.name != BUILT_IN_REGISTRY
        ]
    entries = [{"what": what, "path": str(path), "bytes": size_of(path)} for what, path in places]
    return {"entries": entries, "total": size_of(home.path), "home": str(home.path)}


def size_of(path: Path) -> int:
    """Bytes on disk below a path; a file with several names in one tree counts once."""
    seen: set[tuple[int, int]] = set()
    total = 0
    for file in [path] if path.is_file() else _files_below(path):
        stat = file.lstat()
        if (stat.st_dev, stat.st_ino) not in seen:
            seen.add((stat.st_dev, stat.st_ino))
            total += stat.st_blocks * 512
    return total


def _files_below(path: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(path):
        for name in names:
            file = Path(folder, name)
            if file.is_symlink() or file.exists():  # what vanishes meanwhile takes no room
                yield file


def collect(
    platform: Platform, caller: Caller, *, older_than_days: float | None, dry_run: bool
) -> dict[str, Any]:
    """Remove what nothing refers to any more: run folders of ended jobs, unused environments, unnamed uploads."""
    require(caller, Action.SERVER_ADMINISTER)
    days = DEFAULT_AGE_DAYS if older_than_days is None else older_than_days
    before = platform.clock() - days * 24 * 3600
    garbage = [
        *_run_folders(platform, before),
        *_environments(platform, before),
        *_packages(platform),
        *_downloads(platform, before),
        *_profiles(platform, before),
        *_half_made(platform),
        *_left_folders(platform),
        *_uploads(platform, min(before, platform.clock() - _UPLOAD_GRACE)),
    ]
    if not dry_run:
        platform.environments.remove_unfinished()
    removed = []
    for what, name, size, remove in garbage:
        if not dry_run:
            try:
                remove()
            except Conflict:  # came into use since we looked
                continue
        removed.append({"what": what, "name": name, "bytes": size})
    platform.checkouts.forget_removed()
    return {"removed": removed, "bytes": sum(entry["bytes"] for entry in removed), "dry_run": dry_run}


def _run_folders(platform: Platform, before: float) -> Iterator[tuple[str, str, int, Any]]:
    with platform.database.reading() as tx:
        jobs = [
            job
            for workspace in tx.workspaces.list()
            for job in tx.jobs.list(workspace.name, statuses=tuple(st.TERMINAL), every=True)
            if (job.ended_at or job.created_at) < before
        ]
    for job in jobs:
        folder = JobFolders(platform.home, job.workspace, job.name).run
        if folder.exists():
            yield "run folder", job.name, size_of(folder), lambda folder=folder: platform.remove_tree(folder)


def _environments(platform: Platform, before: float) -> Iterator[tuple[str, str, int, Any]]:
    for each in platform.environments.installed():
        if each.last_used < before and not each.used_by:
            yield (
                "environment",
                each.digest[:12],
                each.bytes,
                lambda digest=each.digest: platform.environments.remove(digest),
            )


def _packages(platform: Platform) -> Iterator[tuple[str, str, int, Any]]:
    """The installer's cache: what it holds is fetched again when an environment needs it."""
    size = platform.environments.sizes()["cache"]
    if size:
        yield "download cache", "packages", size, platform.environments.clear_cache


def _profiles(platform: Platform, before: float) -> Iterator[tuple[str, str, int, Any]]:
    """Kept profiles that are older; the next who asks has them made anew."""
    for file in sorted(platform.home.profiles.glob("*.json")):
        if file.stat().st_mtime < before:
            yield "profile", file.stem, size_of(file), lambda file=file: file.unlink(missing_ok=True)


def _downloads(platform: Platform, before: float) -> Iterator[tuple[str, str, int, Any]]:
    """Files from addresses that nothing has used for long, and nothing since the first of the open jobs was created."""
    with platform.database.reading() as tx:
        before = min([before, *(job.created_at for job in tx.jobs.open_roots())])
    for each in platform.runner.downloads.kept():
        if each.used_at < before:
            yield (
                "download",
                each.address,
                each.bytes,
                lambda key=each.key: platform.runner.downloads.remove(key),
            )


def _half_made(platform: Platform) -> Iterator[tuple[str, str, int, Any]]:
    """Models that an earlier server was killed over. However young: nobody finishes them."""
    for each in platform.half_made.found(platform.started_at):
        size = sum(size_of(place) for place in each.places)
        yield "half-made model", each.name[:12], size, lambda each=each: platform.half_made.remove(each)


def _left_folders(platform: Platform) -> Iterator[tuple[str, str, int, Any]]:
    """Folders of workspaces and registries whose rows went just before the server was killed."""
    holders = ("workspaces", "registries")
    # Before the rows are read: a folder is made after its row.
    folders = [folder for holder in holders for folder in (platform.home.path / holder).glob("*")]
    with platform.database.reading() as tx:
        left = [folder for folder in folders if not _has_row(tx, folder)]
    for folder in left:
        yield (
            f"left {'workspace' if folder.parent.name == 'workspaces' else 'registry'}",
            folder.name,
            size_of(folder),
            lambda folder=folder: _remove_left(platform, folder),
        )


def _has_row(tx: Transaction, folder: Path) -> bool:
    if folder.parent.name == "registries":
        return tx.registries.find(folder.name) is not None
    return tx.workspaces.find(folder.name) is not None


def _remove_left(platform: Platform, folder: Path) -> None:
    """Moved aside within a transaction: nobody makes one of its name meanwhile, nor waits for the removal."""
    is_aside = folder.name.startswith(".")  # as no name does: an earlier collection was cut off
    aside = folder if is_aside else folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}")
    with platform.database.transaction() as tx:
        if _has_row(tx, folder):
            raise Conflict(f"{folder} came into use")
        if not is_aside:
            folder.rename(aside)
    platform.remove_tree(aside)


def _uploads(platform: Platform, before: float) -> Iterator[tuple[str, str, int, Any]]:
    """Blobs that no asset and no job names, and the folders in which they were laid out."""
    manifests = _named_snapshots(platform)
    kept = set(manifests)
    for manifest in manifests:
        if platform.artifacts.has(manifest):
            kept.update(files_of(platform, manifest))
    for digest, size, modified in platform.artifacts.listing():
        if digest not in kept and modified < before:
            yield "upload", digest[:12], size, lambda digest=digest: platform.artifacts.delete(digest)
    for uploads in _laid_out(platform):
        if uploads.name not in manifests and uploads.stat().st_mtime < before:
            yield (
                "laid-out upload",
                uploads.name[:12],
                size_of(uploads),
                lambda u=uploads: platform.remove_tree(u),
            )


def _laid_out(platform: Platform) -> Iterator[Path]:
    for holders in ("workspaces", "registries"):
        yield from (platform.home.path / holders).glob(f"*/datastores/*/{UPLOADS}/*")


def _named_snapshots(platform: Platform) -> set[str]:
    """Every snapshot that an asset or a job of any workspace or registry names. A digest in any text counts: too many stay."""
    named: set[str] = set()
    with platform.database.reading() as tx:
        for workspace in tx.workspaces.list():
            for job in tx.jobs.list(workspace.name, every=True):
                named.update(_DIGEST.findall(json.dumps([job.spec, job.inputs])))
        scopes = [workspace.name for workspace in tx.workspaces.list()]
        scopes += [registry_scope(registry.name) for registry in tx.registries.list()]
        for scope in scopes:
            for kind in ("environment", "data", "component"):
                for record in tx.assets.every(scope, kind):
                    named.update(_DIGEST.findall(json.dumps(record.spec)))
    return named


def free_bytes(platform: Platform) -> int:
    """What the disk under the home has left."""
    return shutil.disk_usage(platform.home.path).free
