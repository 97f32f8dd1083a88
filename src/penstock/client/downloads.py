"""Writing what the server sends as files: within the folder that was asked for, and all of them or none."""

import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from penstock.client.connection import Connection, escaped
from penstock.errors import PenstockError, ServerUnavailable, StorageFull

_CHUNK = 1024 * 1024


def download_files(
    connection: Connection,
    base: str,
    files: Iterable[Mapping[str, Any]],
    folder: Path,  # Any: JSON values
) -> list[Path]:
    """Fetch `<base>/<path>` for every file record (path, size) to `<folder>/<path>`.

    The files arrive in a hidden folder beside their places and are moved when all are there, so that an interrupted download
    leaves nothing behind.
    """
    files = list(files)
    places = [
        (str(file["path"]), file.get("size"), place_within(folder, str(file["path"]))) for file in files
    ]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=".penstock-download-", dir=folder))
    except OSError as error:
        raise _cannot_write(folder, error) from error
    try:
        for number, (path, size, _) in enumerate(places):
            _fetch(connection, f"{base}/{escaped(*path.split('/'))}", stage / str(number), size)
        for number, (_, _, place) in enumerate(places):
            place.parent.mkdir(parents=True, exist_ok=True)
            (stage / str(number)).replace(place)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return [place for _, _, place in places]


def place_within(folder: Path, path: str) -> Path:
    """Where a file named by the server is written; PenstockError if that were outside the folder, links included."""
    parts = path.split("/")
    root = folder.resolve()
    place = root.joinpath(*parts)
    ordinary = all(part not in ("", ".", "..") and "\0" not in part and "\\" not in part for part in parts)
    if not ordinary or not place.parent.resolve().is_relative_to(root):
        raise PenstockError(
            f"refused to write `{path}`: it leads out of {folder}",
            hint="is there a link in the way? download into an empty folder with --download-path",
        )
    return place


def _fetch(connection: Connection, url: str, target: Path, size: Any) -> None:
    written = 0
    with connection.download(url) as body, open(target, "wb") as out:
        while chunk := body.read(_CHUNK):
            out.write(chunk)
            written += len(chunk)
    if isinstance(size, int) and written != size:
        raise ServerUnavailable(
            f"{url.rsplit('/', 1)[-1]} arrived with {written} of {size} bytes", hint="repeat the command"
        )


def _cannot_write(folder: Path, error: OSError) -> PenstockError:
    if error.errno == 28:  # ENOSPC
        return StorageFull(
            f"no space left in {folder}", hint="nothing was left behind; free some space and repeat"
        )
    return PenstockError(f"cannot write into {folder}: {error.strerror or error}")
