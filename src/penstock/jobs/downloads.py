"""Which files of a finished job are downloaded, and under which names: `artifacts/…` and `named-outputs/<output>/…`."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from penstock.errors import NotFound
from penstock.jobs.plans import OutputOf, StepPlan
from penstock.jobs.step_runner import StepRunner
from penstock.store.records.job import JobRecord


def files_of(
    runner: StepRunner, job: JobRecord, children: Sequence[JobRecord], *, output: str | None, every: bool
) -> dict[str, Path]:
    """Download path → local path. Without a name the artifacts; with `every` the named outputs too."""
    outputs = _outputs_of(job)
    if output is not None:
        if output not in outputs:
            known = ", ".join(f"`{name}`" for name in outputs) or "none"
            raise NotFound(f"job `{job.name}` has no output `{output}`", details=(f"its outputs: {known}",))
        outputs = {output: outputs[output]}
    files: dict[str, Path] = {}
    if output is None:
        for member in (job, *children):
            prefix = "artifacts" if member is job else f"artifacts/steps/{member.step}"
            files |= dict(_below(runner.folders(member).artifacts, prefix))
    if output is not None or every:
        locator = runner.locator(job.workspace)
        for name, source in outputs.items():
            try:
                files |= dict(_below(locator.path_of(source), f"named-outputs/{name}"))
            except NotFound:
                if output is not None:
                    raise  # asked for by name; among all of a job's files, what it never wrote is no reason to keep the rest
    return files


def _outputs_of(job: JobRecord) -> dict[str, OutputOf]:
    plan = job.spec["plan"]
    if job.type == "pipeline":
        return {name: OutputOf(**value) for name, value in plan["outputs"].items()}
    return {name: OutputOf(job.name, name) for name in StepPlan.from_record(plan).outputs}


def _below(root: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    if root.is_file():
        yield f"{prefix}/{root.name}", root
    elif root.is_dir():
        for path in sorted(root.rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield f"{prefix}/{path.relative_to(root).as_posix()}", path
