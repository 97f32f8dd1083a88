"""Inputs and outputs of type mltable: what must be there, what a step is told, and tables laid out as files."""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from penstock.datastores.folders import BLOB_STORE, BUILT_IN
from penstock.errors import InvalidDocument, NotFound, PenstockError
from penstock.jobs.places import JobFolders, Locator
from penstock.jobs.plans import InDatastore, StepPlan
from penstock.provided.mltable.errors import MLTableError
from penstock.provided.mltable.paths import MAP_VARIABLE, divided, files_of, is_address
from penstock.resources import references as refs
from penstock.resources.mltable_file import FILE_NAME, digest_of, parse_mltable

# Any in this module: what an MLTable file says, as JSON.

TYPE = "mltable"


def require_table(name: str, path: Path) -> None:
    """The folder of an input holds an MLTable file, or PenstockError."""
    if path.is_file():
        raise PenstockError(
            f"input `{name}` is declared mltable, but it is a file",
            details=(str(path),),
            hint="give the folder that holds the file named `MLTable`, or declare the input `type: uri_file`",
        )
    if not (path / FILE_NAME).is_file():
        raise PenstockError(
            f"input `{name}` is declared mltable, but its folder holds no file named `{FILE_NAME}`",
            details=(str(path),),
            hint="put one there, or declare the input `type: uri_folder`",
        )


def tell_step(
    plan: StepPlan, folders: JobFolders, locator: Locator, texts: Mapping[str, str]
) -> dict[str, str]:
    """Write down what the step's `mltable` may ask, for steps that have to do with tables; the variable that names the file.

    That is: the folders of datastores, the files behind addresses, and what each table's file says, read as YAML by us.
    """
    types = [*(value.type for value in plan.inputs.values()), *(each.type for each in plan.outputs.values())]
    if TYPE not in types:
        return {}
    paths = [Path(texts[name]) for name, port in plan.inputs.items() if port.type == TYPE and name in texts]
    known = _known(paths, locator)
    file = folders.copies / "mltable.json"  # goes with the run; no input can have that name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(known), encoding="utf-8")
    return {MAP_VARIABLE: str(folders.home.plainly(file))}


def lay_out_files(name: str, table: Path, folder: Path, locator: Locator, *, copies: bool) -> Path:
    """The files that a table's `paths` name, in a folder of their own: as links, or as copies that the step may change."""
    document = _document_of(table)
    if document is None:
        content = (table / FILE_NAME).read_bytes()
        parse_mltable(
            content, f"{table.name}/{FILE_NAME}"
        )  # raises: a table that cannot be read has no files
    places = _known([table], locator)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        for number, file in enumerate(_files(document or {}, table, places)):
            target = folder / _name_in(file, table, number)
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.is_symlink() or target.exists():
                continue  # named by two items
            if copies:
                shutil.copyfile(file, target)
            else:
                target.symlink_to(file)
    except MLTableError as error:
        raise PenstockError(f"the files of input `{name}` cannot be laid out: {error}") from error
    return folder


def _files(document: Mapping[str, Any], table: Path, places: dict[str, Any]) -> Iterator[Path]:
    for entry in document.get("paths") or ():
        for file in files_of(entry, str(table), places):
            yield Path(file)


def _name_in(file: Path, table: Path, number: int) -> str:
    """As in the table's folder; a file from elsewhere in a folder with a number, so that no two meet."""
    return str(file.relative_to(table)) if file.is_relative_to(table) else f"{number}/{file.name}"


def _document_of(table: Path) -> dict[str, Any] | None:
    """What the table's file says; None where it cannot be read, or is not valid here: the step is told by its own reader."""
    file = table / FILE_NAME
    if not file.is_file():
        return None
    try:
        _, source = parse_mltable(file.read_bytes(), str(file))
    except InvalidDocument:
        return None
    found: dict[str, Any] = source.data
    return found


def places_of_table(table: Path, locator: Locator) -> dict[str, Any]:
    """What a reader of one table may ask, as a step's does: what its file says, and where its addresses lie on this machine."""
    return _known([table] if (table / FILE_NAME).is_file() else [], locator)


def _known(tables: list[Path], locator: Locator) -> dict[str, Any]:
    documents = {
        digest_of((table / FILE_NAME).read_bytes()): document
        for table in tables
        if (document := _document_of(table)) is not None
    }
    addresses: dict[str, str] = {}
    for document in documents.values():
        for entry in document["paths"]:
            for kind, text in entry.items():
                address = divided(text)[0] if kind == "pattern" else text
                path = _behind(address, kind, locator) if is_address(address) else None
                if path is not None:
                    addresses[address] = str(path)
    return {"tables": documents, "datastores": _folders(locator), "addresses": addresses}


def _behind(address: str, kind: str, locator: Locator) -> Path | None:
    """The file or folder behind an address in a table, a folder where `kind` is `folder` or `pattern`. PenstockError where it should be here and is not."""
    try:
        reference = refs.parse_reference(address, "data")
    except refs.BadReference:
        return None  # the step's reader refuses it by name
    if isinstance(reference, refs.DatastorePath):
        return locator.path_of(InDatastore(reference.datastore or BLOB_STORE, reference.path))
    if isinstance(reference, refs.WebAddress):
        return locator.at_address(reference.url, "uri_file" if kind == "file" else "uri_folder")
    return None


def _folders(locator: Locator) -> dict[str, str]:
    """The datastores that every workspace has, for tables that the script makes by itself."""
    found: dict[str, str] = {}
    for name in BUILT_IN:
        try:
            found[name] = str(locator.path_of(InDatastore(name, "")))
        except NotFound:
            continue  # nothing was ever put there
    return found
