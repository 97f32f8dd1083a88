"""An MLTable folder as rows, with the meaning that a step's `mltable` gives it."""

from pathlib import Path
from typing import TYPE_CHECKING

from penstock.profiling.formats import BrokenTable

if TYPE_CHECKING:
    import polars


def open_mltable(path: Path) -> "polars.LazyFrame":
    """The table's rows, read into memory by the module that steps use. Addresses in its `paths` are found as in a step: by the file
    that PENSTOCK_MLTABLE names. Missing numbers are null: pandas does not tell them from NaN."""
    import polars as pl

    from penstock.provided.mltable import MLTableError, load

    try:
        frame = load(path).to_pandas_dataframe()
    except MLTableError as error:
        raise BrokenTable(f"{path} cannot be read as a table: {error}") from error
    for name in frame.columns:
        if str(frame[name].dtype) == "object":
            kinds = set(map(type, frame[name].dropna()))
            if len(kinds) > 1:
                frame[name] = frame[name].map(
                    lambda value: value if value is None or value != value else str(value)
                )
    frame.columns = [str(name) for name in frame.columns]
    return pl.from_pandas(frame.reset_index(drop=True)).lazy()
