"""What a job costs over its command: `python benchmarks/engine_overhead.py [rounds]`.

No-op steps in an environment that is an image alone, through the real command line and server, in turn with the same
commands run by hand one after the other. Medians, ratios, and milliseconds per step are printed.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

STEPS = 20
COMMAND = "true"


def by_hand(count: int) -> None:
    """The commands, one after the other."""
    for _ in range(count):
        subprocess.run(["bash", "-c", COMMAND], check=True)


def penstock(home: Path, *arguments: str) -> None:
    """The command line as a user has it."""
    command = [str(Path(sys.executable).with_name("penstock")), *arguments, "-o", "none"]
    done = subprocess.run(
        command, env={**os.environ, "PENSTOCK_HOME": str(home)}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def pipeline(names: list[str], *, chained: bool) -> str:
    """A pipeline's file: every step reads what the one before it wrote, or none reads anything."""
    lines = ["type: pipeline", "settings: {default_compute: azureml:pool}", "jobs:"]
    for number, name in enumerate(names):
        lines += [f"  {name}:", f"    command: echo x > ${{{{outputs.o}}}} && {COMMAND}"]
        if chained and number:
            lines[-1] += " # ${{inputs.i}}"
            lines.append(f"    inputs: {{i: '${{{{parent.jobs.{names[number - 1]}.outputs.o}}}}'}}")
        lines += ["    outputs: {o: {type: uri_file}}", "    environment: {image: python}"]
    return "\n".join(lines) + "\n"


def main(rounds: int = 5) -> None:
    """Take turns, then print."""
    with tempfile.TemporaryDirectory() as folder:
        home, files = Path(folder) / "home", Path(folder)
        names = [f"s{number}" for number in range(STEPS)]
        (files / "one.yml").write_text(pipeline(names[:1], chained=True))
        (files / "chain.yml").write_text(pipeline(names, chained=True))
        (files / "fan.yml").write_text(pipeline(names, chained=False))
        penstock(
            home, "compute", "create", "-n", "pool", "--type", "amlcompute", "--max-instances", str(STEPS)
        )

        def job(file: str) -> Callable[[], None]:
            return lambda: penstock(home, "job", "create", "-f", str(files / file), "--stream")

        cases: dict[str, tuple[int, Callable[[], None]]] = {
            "by hand, 1 command": (1, lambda: by_hand(1)),
            "a job of 1 step": (1, job("one.yml")),
            f"by hand, {STEPS} commands": (STEPS, lambda: by_hand(STEPS)),
            f"a chain of {STEPS} steps": (STEPS, job("chain.yml")),
            f"{STEPS} steps side by side": (STEPS, job("fan.yml")),
        }
        took: dict[str, list[float]] = {name: [] for name in cases}
        try:
            job("one.yml")()  # the server starts, the environment is made
            for _ in range(rounds):
                for name, (_, run) in cases.items():
                    begin = time.perf_counter()
                    run()
                    took[name].append((time.perf_counter() - begin) * 1000)
        finally:
            penstock(home, "server", "stop")
    hand = 0.0
    for name, (steps, _) in cases.items():
        median = statistics.median(took[name])
        hand = median if name.startswith("by hand") else hand
        per_step = (median - hand) / steps
        print(f"{name:24} {median:8.1f} ms   x{median / hand:7.1f}   {per_step:+7.1f} ms per step")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
