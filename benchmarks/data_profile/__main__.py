"""`penstock data profile` beside its peers, in one run: the same rows, each reader in a process of its own.

    .venv/bin/python benchmarks/data_profile --rows 10000000

Prints seconds, the ratio to Penstock's, and the peak of resident memory. Peers that are not installed are left out by name:
`pandas.describe` (reads everything into memory; no frequent values), DuckDB's SUMMARIZE (approximate quantiles and distinct counts; no
frequent values), and ydata-profiling on a sample of 100,000 rows.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from rows import write

_PENSTOCK = """
from pathlib import Path
from penstock.profiling.profile import profile_table
found = profile_table(Path(path), "uri_file")
assert found["row_count"] == rows and found["scans"] == 1
"""
_PANDAS = """
import pandas as pd
frame = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, parse_dates=["start"])
frame.describe(include="all")
frame.isna().sum()
frame.nunique()
assert len(frame) == rows
"""
_DUCKDB = """
import duckdb
duckdb.sql(f"SUMMARIZE SELECT * FROM '{path}'").fetchall()
"""
_YDATA = """
import pandas as pd
from ydata_profiling import ProfileReport
frame = (pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path)).sample(100_000, random_state=1)
ProfileReport(frame, minimal=True, progress_bar=False).get_description()
"""
READERS = {
    "penstock": ("polars", _PENSTOCK),
    "pandas describe + nunique": ("pandas", _PANDAS),
    "DuckDB SUMMARIZE": ("duckdb", _DUCKDB),
    "ydata-profiling, 100,000 rows": ("ydata_profiling", _YDATA),
}
_MEASURED = """
import json, pathlib, resource, sys, time
path, rows = sys.argv[1], int(sys.argv[2])
started = time.perf_counter()
{work}
seconds = time.perf_counter() - started
status = pathlib.Path("/proc/self/status")  # on Linux ru_maxrss is also that of the process which started this one
if status.exists():
    peak = next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 1024
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(json.dumps({{"seconds": seconds, "peak": peak}}))
"""


def measured(work: str, path: Path, rows: int) -> dict[str, float]:
    """Seconds with the imports, and the peak of memory in MiB, of a process of its own."""
    words = [sys.executable, "-c", _MEASURED.format(work=work), str(path), str(rows)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"failed ({done.returncode}): {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return {"seconds": float("nan"), "peak": float("nan")}
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Write the rows, run every reader on both files, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the rows are kept; a temporary folder if absent")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        started = time.perf_counter()
        files = write(folder, arguments.rows, arguments.seed)
        print(f"{arguments.rows:,} rows, 10 columns, written in {time.perf_counter() - started:.0f} s")
        for file in files:
            print(f"\n{file.name}, {file.stat().st_size / 2**20:,.0f} MiB")
            ours = 0.0
            for name, (package, work) in READERS.items():
                if find_spec(package) is None:
                    print(f"  {name:30}  not installed")
                    continue
                found = measured(work, file, arguments.rows)
                ours = ours or found["seconds"]
                ratio = found["seconds"] / ours
                print(
                    f"  {name:30}  {found['seconds']:7.1f} s  {ratio:5.2f}×  {found['peak']:7,.0f} MiB",
                    flush=True,
                )


if __name__ == "__main__":
    main()
