"""A model's files: taken in as a copy with a digest, found again where MLflow keeps them, checked when they are used."""

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from penstock.errors import Conflict, NotFound, PenstockError, StorageFull

_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class ModelFile:
    """One file: path below the model's folder, with slashes; SHA-256 in hex; size in bytes."""

    path: str
    digest: str
    size: int


def files_below(folder: Path) -> tuple[Path, ...]:
    """Every file below a folder, as paths relative to it, sorted; refuses what is neither file nor folder."""
    found: list[Path] = []
    for place, folders, names in os.walk(folder, followlinks=False):
        here = Path(place)
        for name in names + [name for name in folders if (here / name).is_symlink()]:
            path = here / name
            real = path.resolve()
            if path.is_symlink() and (not real.is_relative_to(folder.resolve()) or not real.is_file()):
                raise PenstockError(
                    f"{path.relative_to(folder)} is a link that leads out of the model's folder or to a folder",
                    hint="put the file itself into the folder",
                )
            if not real.is_file():
                raise PenstockError(f"{path.relative_to(folder)} is not a regular file")
            found.append(path.relative_to(folder))
    return tuple(sorted(found))


def copy_in(source: Path, into: Path) -> tuple[ModelFile, ...]:
    """Copy a file or a folder's content into a new folder; the digests are of the bytes that were written."""
    names = files_below(source) if source.is_dir() else (Path(source.name),)
    if not names:
        raise PenstockError(
            f"{source} has no files", hint="a model is a file or a folder with at least one file"
        )
    root = source if source.is_dir() else source.parent
    try:
        into.mkdir(parents=True)
        return tuple(_copy(root / name, into / name, name.as_posix()) for name in names)
    except OSError as error:
        shutil.rmtree(into, ignore_errors=True)
        if error.errno == 28:  # ENOSPC
            raise StorageFull(
                f"no space is left in {into.parent} for the model {source}", hint="`penstock gc` frees space"
            ) from error
        raise


def digest_of(files: tuple[ModelFile, ...]) -> str:
    """One digest for all files: the same names with the same bytes, whatever their times and order."""
    return hashlib.sha256(manifest_of(files)).hexdigest()


def manifest_of(files: tuple[ModelFile, ...]) -> bytes:
    """The list of files in its one spelling."""
    rows = [[file.path, file.digest, file.size] for file in sorted(files, key=lambda file: file.path)]
    return json.dumps(rows, separators=(",", ":")).encode()


def check(folder: Path, manifest: bytes, what: str) -> None:
    """Read every file again; Conflict naming those that are missing or have other bytes than when they came in."""
    wrong = []
    for path, digest, _ in json.loads(manifest):
        try:
            with (folder / path).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            wrong.append(f"{path} is missing")
            continue
        if found != digest:
            wrong.append(f"{path} has the digest {found[:12]}… instead of {digest[:12]}…")
    if wrong:
        raise Conflict(
            f"the files of {what} are not what was registered",
            details=wrong,
            hint=f"they lie in {folder}; register the model anew from its origin",
        )


def local_path(artifacts: Path, uri: str, workspace: str | None) -> Path:
    """Where `mlflow-artifacts:/…` lies on this machine; `workspace` None is MLflow's default one.

    The default one has two places: the root, where MLflow puts its first experiment, and a folder beside the other
    workspaces' for what was made later. Resolved first and compared then, so that no spelling and no link leads out.
    """
    path = uri.removeprefix("mlflow-artifacts:/").lstrip("/")
    root = artifacts if workspace is None else artifacts / "workspaces" / workspace
    inside = path if workspace is None or path.startswith("workspaces/") else f"workspaces/{workspace}/{path}"
    found = (artifacts / inside).resolve()
    all_workspaces = (artifacts / "workspaces").resolve()
    foreign = workspace is None and (
        found.is_relative_to(all_workspaces) and not found.is_relative_to(all_workspaces / "default")
    )
    if not uri.startswith("mlflow-artifacts:/") or foreign or not found.is_relative_to(root.resolve()):
        raise NotFound(f"{uri} is not among the artifacts of this workspace")
    return found


def _copy(source: Path, target: Path, name: str) -> ModelFile:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as reading, target.open("xb") as writing:
        while part := reading.read(_CHUNK):
            digest.update(part)
            size += len(part)
            writing.write(part)
    if os.access(source, os.X_OK):
        target.chmod(target.stat().st_mode | 0o100)
    return ModelFile(name, digest.hexdigest(), size)
