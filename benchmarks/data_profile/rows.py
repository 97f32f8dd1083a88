"""Rows for the benchmark of `data profile`: the same for the same seed, written piece by piece."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

_PIECE = 1_000_000


def pieces(rows: int, seed: int) -> Iterator[pl.DataFrame]:
    """Ten columns as data of rides has them: keys, times, measures with gaps, few and many words."""
    rng = np.random.default_rng(seed)
    for start in range(0, rows, _PIECE):
        count = min(_PIECE, rows - start)
        fare = np.round(rng.gamma(2.0, 6.0, count), 2)
        yield pl.DataFrame(
            {
                "ride": np.arange(start, start + count),
                "start": pl.Series(np.arange(start, start + count) * 1_000_000 + 1_700_000_000_000_000).cast(
                    pl.Datetime("us")
                ),
                "fare": pl.Series(fare).set(pl.Series(rng.random(count) < 0.03), None),
                "distance": rng.lognormal(0.6, 0.8, count),
                "passengers": rng.integers(1, 7, count),
                "vendor": pl.Series(rng.choice(["north", "south", "east"], count, p=[0.6, 0.3, 0.1])),
                "zone": rng.integers(1, 266, count),
                "user": ("user-" + pl.Series(rng.integers(0, rows // 10 + 1, count)).cast(pl.String)),
                "shared": pl.Series(rng.random(count) < 0.1),
                "tip": pl.Series(
                    np.where(rng.random(count) < 0.4, 0.0, np.round(rng.exponential(2.5, count), 2))
                ),
            }
        )


def write(folder: Path, rows: int, seed: int) -> tuple[Path, Path]:
    """The rows as a Parquet file and as a CSV file."""
    import pyarrow.parquet

    parquet, text = folder / "rides.parquet", folder / "rides.csv"
    writer = None
    with text.open("wb") as stream:
        for number, piece in enumerate(pieces(rows, seed)):
            table = piece.to_arrow(compat_level=pl.CompatLevel.oldest())
            writer = writer or pyarrow.parquet.ParquetWriter(parquet, table.schema)
            writer.write_table(table)
            piece.write_csv(stream, include_header=number == 0)
    assert writer is not None
    writer.close()
    return parquet, text
