"""Looking into a folder before it becomes an mltable asset."""

from dataclasses import replace

from penstock.errors import InvalidDocument, Problem
from penstock.resources import references as refs
from penstock.resources.mltable_file import FILE_NAME, parse_mltable, placed
from penstock.resources.model_base import warnings_within
from penstock.resources.snapshots import parse_snapshot_uri
from penstock.server.platform import Platform
from penstock.server.verbs.lookup import WorkspaceLookup
from penstock.server.verbs.uploaded_table import check_uploaded, no_table


def check(platform: Platform, lookup: WorkspaceLookup, path: str, *, skip_validation: bool) -> list[Problem]:
    """Warnings about the folder's MLTable file; InvalidDocument where the folder cannot be a table.

    With `skip_validation` it only must hold the file. A folder in a datastore is looked into where it is there; an address
    is taken as it is.
    """
    try:
        return _checked(platform, lookup, path, skip_validation=skip_validation)
    except InvalidDocument as error:
        at = [replace(each, pointer=each.pointer or "/path") for each in error.problems]
        raise InvalidDocument(at) from error


def _checked(
    platform: Platform, lookup: WorkspaceLookup, path: str, *, skip_validation: bool
) -> list[Problem]:
    snapshot = parse_snapshot_uri(path)
    if snapshot is not None and snapshot.is_folder:
        return check_uploaded(platform, snapshot, skip_validation=skip_validation)
    reference = refs.parse_reference(path, "data")
    if isinstance(reference, refs.DatastorePath) and not skip_validation:
        folder = lookup.place(reference).path
        if (folder / FILE_NAME).is_file():
            name = f"{folder.name}/{FILE_NAME}"
            table, source = parse_mltable((folder / FILE_NAME).read_bytes(), name)
            return placed([*warnings_within(table)], source, name)
        if folder.exists():
            raise no_table(path)
    return []
