"""Which files of a finished job are downloaded, and under which names: `artifacts/…` and `named-outputs/<output>/…`."""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from penstock.errors import NotFound
from penstock.jobs.plans import OutputOf, StepPlan
from penstock.jobs.rows import path_of
from penstock.jobs.step_runner import StepRunner
from penstock.store.records.job import JobRecord


def files_of(
    runner: StepRunner, job: JobRecord, children: Sequence[JobRecord], *, output: str | None, every: bool
) -> dict[str, Path]:
    """Download path → local path. Without a name the artifacts; with `every` the named outputs too."""
    files: dict[str, Path] = {}
    if output is None:
        for prefix, folder in _artifact_folders(runner, job, children):
            files = {**dict(below(folder, prefix)), **files}
    if output is not None or every:
        for name in _outputs_of(job, only=output):
            try:
                files |= dict(below(_place_of(runner, job, name), f"named-outputs/{name}"))
            except NotFound:
                if output is not None:
                    raise  # asked for by name; among all of a job's files, what it never wrote is no reason to keep the rest
    return files


def file_of(runner: StepRunner, job: JobRecord, children: Sequence[JobRecord], path: str) -> Path:
    """The local file behind one download path, found without listing all the others. Never through a link."""
    first, _, rest = path.partition("/")
    places: Iterable[tuple[str, Path]] = _artifact_folders(runner, job, children, holding=path)
    if first == "named-outputs":
        name, _, rest = rest.partition("/")
        places = [(f"named-outputs/{name}", _place_of(runner, job, name))] if name in _outputs_of(job) else []
    for prefix, root in places:
        found = file_below(root, prefix, path)
        if found is not None:
            return found
    raise NotFound(
        f"job `{job.name}` has no file `{path}`",
        hint=f"`penstock job download -n {job.name}` lists what there is",
    )


def shown(path: str) -> str:
    """A path as text that can be sent: bytes that are no text, and backslashes, as `%` with two digits."""
    return "".join(
        f"%{os.fsencode(each)[0]:02X}" if each == "\\" or "\udc80" <= each <= "\udcff" else each
        for each in path
    )


def file_below(root: Path, prefix: str, path: str) -> Path | None:
    """The file that `below(root, prefix)` would call `path`, found without listing all the others."""
    if not path.startswith(f"{prefix}/"):
        return None
    inside = path.removeprefix(f"{prefix}/")
    if root.is_file() and inside == shown(root.name):
        return root
    return _plain_file(root, inside.split("/")) or (
        dict(below(root, prefix)).get(path) if "%" in inside else None
    )


def _plain_file(root: Path, parts: Sequence[str]) -> Path | None:
    """The file that `parts` lead to, each of them an ordinary name and no link."""
    place = root
    for part in parts:
        if part in ("", ".", "..") or "\0" in part:
            return None
        place = place / part
        if place.is_symlink():
            return None
    return place if place.is_file() else None


def _artifact_folders(
    runner: StepRunner, job: JobRecord, children: Sequence[JobRecord], *, holding: str = ""
) -> Iterator[tuple[str, Path]]:
    """Prefix and folder of all that counts as artifacts, the first of two files with one path being the one that counts.

    What a job kept itself comes first, then what its script logged through MLflow: in Azure ML a run has one store for
    both. MLflow is asked last, and with `holding` only about the jobs that may have that path.
    """
    above = f"{path_of(job)}/" if job.step is not None else ""
    steps = [
        (f"artifacts/steps/{str(path_of(child)).removeprefix(above)}", child)
        for child in children
        if child.type != "pipeline"
    ]
    owners = [*steps, ("artifacts", job)]
    for prefix, owner in owners:
        yield prefix, runner.folders(owner).artifacts
    for prefix, owner in owners:
        if not holding or holding.startswith(f"{prefix}/"):
            for name, folder in runner.logged_by(owner).items():
                yield f"{prefix}/{name}" if name else prefix, folder


def _place_of(runner: StepRunner, job: JobRecord, output: str) -> Path:
    return runner.locator(job.workspace).path_of(_outputs_of(job)[output])


def _outputs_of(job: JobRecord, only: str | None = None) -> dict[str, OutputOf]:
    plan = job.spec["plan"]
    if job.type == "pipeline":
        outputs = {name: OutputOf(**value) for name, value in plan["outputs"].items()}
    else:
        outputs = {name: OutputOf(job.name, name) for name in StepPlan.from_record(plan).outputs}
    if only is None:
        return outputs
    if only not in outputs:
        known = ", ".join(f"`{name}`" for name in outputs) or "none"
        raise NotFound(f"job `{job.name}` has no output `{only}`", details=(f"its outputs: {known}",))
    return {only: outputs[only]}


def below(root: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    """Every file of a folder (or the one file) by its download path. No link is followed, no pipe opened."""
    if root.is_file():
        yield f"{prefix}/{shown(root.name)}", root
        return
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            if stat.S_ISREG(path.lstat().st_mode):
                yield f"{prefix}/{shown(path.relative_to(root).as_posix())}", path
