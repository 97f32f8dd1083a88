"""What is recorded of a version of data: the identity of its bytes, and its columns and rows where it is a table."""

from pathlib import Path
from typing import Any

from penstock.errors import InvalidDocument
from penstock.profiling.column_types import type_name
from penstock.profiling.formats import BrokenTable, NoTable
from penstock.profiling.tables import TableKind, over_table
from penstock.resources.snapshots import Snapshot, take_snapshot

# Any in this module: a record, and the options of open_table.


def byte_facts(snapshot: Snapshot) -> dict[str, Any]:
    """What a list of digests tells."""
    return {"content_digest": snapshot.digest, "size_bytes": snapshot.size, "files": len(snapshot.files)}


def bytes_at(path: Path) -> dict[str, Any]:
    """The same for files that are no snapshot yet: all of them are read. Empty where there are none, or one cannot be read."""
    try:
        snapshot, _ = take_snapshot(
            path, apply_ignore=False, project_root=path if path.is_dir() else path.parent
        )
    except InvalidDocument:
        return {}
    return byte_facts(snapshot) if snapshot.files else {}


def table_facts(path: Path, kind: TableKind, **options: Any) -> dict[str, Any]:
    """`schema` and `row_count`; nothing where it is no table; `facts`, a sentence, where it should be one and cannot be read.

    Parquet files tell both by their footers; text is scanned once.
    """
    try:
        return over_table(path, kind, _told, **options)
    except NoTable:
        return {}
    except BrokenTable as error:
        return {"facts": ": ".join([error.message, *error.details])}


def _told(table: Any) -> dict[str, Any]:  # Any: a LazyFrame, whose library is not imported here
    import polars as pl

    schema = [{"name": name, "type": type_name(dtype)} for name, dtype in table.collect_schema().items()]
    rows = table.select(pl.len()).collect(engine="streaming").item() if schema else 0
    return {"schema": schema, "row_count": rows}
