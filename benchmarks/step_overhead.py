"""What a step costs over the bare command: `python benchmarks/step_overhead.py [rounds] [interpreter of the parent]`.

Bare processes and steps take turns in one run, so the machine's mood meets all of them; medians and ratios are printed.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from penstock.compute.interface import Launch
from penstock.compute.local import LocalCompute

BASH = ("bash", "-c", "true")
PYTHON = (sys.executable, "-c", "pass")


def bare(argv: tuple[str, ...]) -> None:
    """The command as a plain child process."""
    subprocess.run(argv, check=True)


def step(argv: tuple[str, ...], compute: LocalCompute, parent: Path) -> None:
    """The command as a step, from `start` until `poll` says that it is finished."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        handle = compute.start(
            Launch("step", place / "state", argv, dict(os.environ), place, place / "log.txt", parent)
        )
        while (finished := compute.poll(handle)) is None:
            time.sleep(0.0005)
        if not finished.succeeded:
            raise SystemExit(f"the step failed: {finished}")


def main(rounds: int = 50, parent: str = sys.executable) -> None:
    """Take turns, then print."""
    compute = LocalCompute()
    peers: dict[str, Callable[[], None]] = {
        "bash -c true": lambda: bare(BASH),
        "step: bash -c true": lambda: step(BASH, compute, Path(parent)),
        "python -c pass": lambda: bare(PYTHON),
        "step: python -c pass": lambda: step(PYTHON, compute, Path(parent)),
    }
    took: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(rounds):
        for name, run in peers.items():
            begin = time.perf_counter()
            run()
            took[name].append((time.perf_counter() - begin) * 1000)
    medians = {name: statistics.median(times) for name, times in took.items()}
    for name, median in medians.items():
        ratio = median / medians[name.removeprefix("step: ")]
        over = median - medians[name.removeprefix("step: ")]
        print(f"{name:24} {median:7.1f} ms   x{ratio:5.2f}   {over:+6.1f} ms")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *sys.argv[2:3])
