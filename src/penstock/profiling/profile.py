"""The profile of a table: what is in each of its columns, by one scan with bounded memory."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.errors import NotFound
from penstock.profiling.folds import Fold, fold_for
from penstock.profiling.tables import TableKind, over_table
from penstock.resources.nearest import nearest

if TYPE_CHECKING:
    import polars

# Any in this module: a record, and the options of open_table.

FORMAT = 1
"""Of the record that `profile_table` gives. A kept profile of another format is made anew."""
_CELLS = 8_000_000
"""Values in memory at once, so that a wide table has shorter batches."""
_LONGEST_BATCH = 500_000
_SHORTEST_BATCH = 2_000

Progress = Callable[[int], None]


def profile_table(
    path: Path,
    kind: TableKind,
    *,
    columns: Iterable[str] = (),
    progress: Progress = lambda rows: None,
    **options: Any,
) -> dict[str, Any]:
    """The profile as a JSON record. `columns`: only these, in the order of the table. `progress` is told the rows that were read so far.

    The table is scanned once; of text a sample is read first, for the types. A value that does not have the type which the sample told
    takes two scans more: one for the types, one for the profile. `scans` in the record says how many there were.
    """
    wanted = tuple(columns)
    scans = 0

    def ask(table: "polars.LazyFrame") -> dict[str, Any]:
        nonlocal scans
        scans += 1
        return _profile(_chosen(table, wanted), progress)

    found = over_table(path, kind, ask, **options)
    return {"format": FORMAT, "scans": scans, **found}


def batches(table: "polars.LazyFrame") -> "Iterator[polars.DataFrame]":
    """The table's rows, a bounded number at a time, each once."""
    size = max(_SHORTEST_BATCH, min(_LONGEST_BATCH, _CELLS // max(1, len(table.collect_schema()))))
    return iter(table.collect_batches(chunk_size=size, maintain_order=True, engine="streaming"))


def _profile(table: "polars.LazyFrame", progress: Progress) -> dict[str, Any]:
    folds = [fold_for(name, dtype) for name, dtype in table.collect_schema().items()]
    rows = 0
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as threads:
        for batch in batches(table):
            rows += batch.height
            # The largest columns are not known; one column is one task, and each fold is one task's.
            for _ in threads.map(_add, folds, [batch] * len(folds)):
                pass
            progress(rows)
    return {"row_count": rows, "columns": [fold.record() for fold in folds]}


def _add(fold: Fold, batch: "polars.DataFrame") -> None:
    # A name of ours: one such as `^a$` is a pattern to polars.
    fold.add(batch[fold.name].alias("value"))


def _chosen(table: "polars.LazyFrame", wanted: tuple[str, ...]) -> "polars.LazyFrame":
    names = table.collect_schema().names()
    for name in wanted:
        if name not in names:
            near = nearest(name, names)
            raise NotFound(
                f"the table has no column `{name}`",
                details=(f"its columns: {', '.join(names[:30])}{' …' if len(names) > 30 else ''}",),
                hint=f"did you mean `{near}`?" if near else None,
            )
    if not wanted:
        return table
    import polars as pl

    return table.select([pl.nth(place) for place, name in enumerate(names) if name in wanted])
