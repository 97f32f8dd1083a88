"""Everything a step needs before its process can start: environment, inputs, outputs, working folder, variables."""

import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from penstock.compute.interface import Process
from penstock.errors import PenstockError
from penstock.jobs import mpirun, tables
from penstock.jobs.places import JobFolders, Locator
from penstock.jobs.plain_paths import plain_path
from penstock.jobs.plans import AtAddress, PlannedInput, Source, StepPlan
from penstock.jobs.process_layout import layout_of
from penstock.jobs.step_variables import StepIdentity, Tracking, step_variables
from penstock.resources.expressions import Expression, parse_template, render
from penstock.resources.snapshots import SnapshotUri, parse_snapshot_uri
from penstock.settings import number_setting
from penstock.store.beneath import remove_tree

Say = Callable[[str], None]


@dataclass(frozen=True)
class Ready:
    """A step that can start: what to execute, where, with which variables. `python` runs the small parent.

    Where there are `processes`, each executes it, with variables and a log of its own.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    log: Path
    python: Path
    environment_digest: str
    processes: tuple[Process, ...] = ()
    ports: int = 0


@dataclass(frozen=True)
class Built:
    """The step's environment as it is used: its interpreter, the folders that come first on PATH, its own variables."""

    python: Path
    bin_folders: tuple[Path, ...]
    digest: str
    variables: Mapping[str, str] = field(default_factory=dict)


def fresh_folders(folders: JobFolders) -> None:
    """Empty folders for a run; what an earlier, unfinished start left behind goes."""
    for folder in (folders.work, folders.copies, folders.uploads, folders.overlay, folders.links):
        remove_tree(folder)
    for folder in (folders.work, folders.log.parent, folders.environment_log.parent):
        folder.mkdir(parents=True, exist_ok=True)


def writer_to(log: Path) -> Say:
    """A `say` that appends lines with a time to a log file."""

    def say(text: str) -> None:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        with log.open("a", encoding="utf-8") as stream:
            stream.write(f"{stamp} {text.rstrip()}\n")

    return say


def lay_out_code(code: str | None, work: Path, lay_out: Callable[[SnapshotUri, Path], None]) -> None:
    """A private, writable copy of the code in the working folder; `outputs` and `logs` exist beside it."""
    if code is not None:
        snapshot = parse_snapshot_uri(code)
        if snapshot is None:
            raise PenstockError(
                f"`code: {code}` is not an uploaded folder", hint="give a local folder as `code`"
            )
        if snapshot.is_folder:
            work.rmdir()
            lay_out(snapshot, work)
        else:
            lay_out(snapshot, work / snapshot.name)
    for name in ("outputs", "logs"):
        (work / name).mkdir(exist_ok=True)


def input_texts(plan: StepPlan, folders: JobFolders, locator: Locator) -> dict[str, str]:
    """What `${{inputs.x}}` becomes: a literal's text, or the path of a file or folder. Unset ones are absent."""
    texts: dict[str, str] = {}
    for name, value in plan.inputs.items():
        if value.text is not None:
            texts[name] = value.text
        elif isinstance(value.source, AtAddress) and value.mode == "direct":
            mapped = locator.mapped(value.source.url)
            texts[name] = value.source.url if mapped is None else plain_path(mapped, "inputs", name, folders)
        elif value.source is not None:
            path = _input_path(name, value, value.source, folders, locator)
            texts[name] = plain_path(path, "inputs", name, folders)
    return texts


def _input_path(
    name: str, value: PlannedInput, source: Source, folders: JobFolders, locator: Locator
) -> Path:
    path = locator.path_of(source)
    if value.type == "uri_file" and path.is_dir():
        path = _only_file(name, path)
    if value.type in ("uri_folder", "mlflow_model") and path.is_file():
        raise PenstockError(
            f"input `{name}` is declared {value.type}, but it is a file",
            details=(str(path),),
            hint="declare it `type: uri_file`, or give the folder",
        )
    if value.type == tables.TYPE:
        tables.require_table(name, path)
        if value.mode in ("eval_mount", "eval_download"):
            is_copy = value.mode == "eval_download"
            return tables.lay_out_files(name, path, folders.copies / name, locator, copies=is_copy)
    elif value.mode in ("eval_mount", "eval_download"):
        raise PenstockError(
            f"input `{name}` has mode: {value.mode}, which is for tables, and it is a {value.type}",
            hint="declare it `type: mltable`, or choose another mode",
        )
    if value.mode == "download":
        copy = folders.copies / name / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        _copy(name, path, copy)
        return copy
    return path


def _copy(name: str, source: Path, target: Path) -> None:
    """A copy that the step may change. Links become what they lead to; one that leads nowhere is left out."""
    try:
        if source.is_dir():
            shutil.copytree(source, target, copy_function=shutil.copyfile, ignore=_not_data)
        else:
            shutil.copyfile(source, target)
    except shutil.Error as error:  # its argument is a list of all that failed
        raise PenstockError(
            f"input `{name}` cannot be copied (mode: download)",
            details=[str(each[-1]) for each in error.args[0]][:10],
        ) from error


def _not_data(folder: str, names: list[str]) -> list[str]:
    """Pipes, sockets and devices, whose opening could wait for ever, and links that lead nowhere."""
    return [name for name in names if not ((path := Path(folder) / name).is_file() or path.is_dir())]


def _only_file(name: str, folder: Path) -> Path:
    files = [entry for entry in folder.iterdir() if entry.is_file()]
    if len(files) != 1:
        raise PenstockError(
            f"input `{name}` is declared uri_file, but it is a folder with {len(files)} files",
            details=(str(folder),),
            hint="declare it `type: uri_folder`, or give the file",
        )
    return files[0]


def output_texts(plan: StepPlan, folders: JobFolders, locator: Locator) -> dict[str, str]:
    """What `${{outputs.x}}` becomes; afterwards a folder exists, and a file's parent does."""
    texts: dict[str, str] = {}
    job = folders.job
    for name, output in plan.outputs.items():
        path = locator.output_path(output)
        if output.is_delivered(job):
            path = folders.uploads / name / path.name
        if output.belongs_to(job):  # left by a start that did not end: outputs are written once
            remove_tree(path)
        (path.parent if output.is_file else path).mkdir(parents=True, exist_ok=True)
        texts[name] = plain_path(path, "outputs", name, folders)
    return texts


def ready_step(
    plan: StepPlan,
    identity: StepIdentity,
    tracking: Tracking,
    folders: JobFolders,
    built: Built,
    inputs: Mapping[str, str],
    outputs: Mapping[str, str],
    environ: Mapping[str, str] = os.environ,
) -> Ready:
    """Everything put together: the command with its texts, the variables, the folders."""

    def text_of(expression: Expression) -> str | None:
        name = ".".join(expression.path)
        return inputs.get(name) if expression.scope == "inputs" else outputs.get(name)

    user = {
        name: render(parse_template(value), text_of) if "${{" in value else value
        for name, value in plan.environment_variables.items()
    }
    variables = step_variables(
        identity,
        tracking,
        bin_folders=built.bin_folders,
        working_folder=folders.work,
        inputs=inputs,
        outputs=outputs,
        user={**built.variables, **user},
        environ=environ,
    )
    command = render(parse_template(plan.command), text_of)
    ready = Ready(
        argv=("/bin/bash", "-c", command),
        env=variables,
        cwd=folders.work,
        log=folders.log,
        python=built.python,
        environment_digest=built.digest,
    )
    layout = layout_of(plan)
    if layout is None:
        return ready
    processes = tuple(
        Process(each.name, dict(each.variables), folders.user_logs / each.log_name, each.serves_the_others)
        for each in layout.processes
    )
    several = replace(ready, log=processes[0].log, processes=processes, ports=layout.ports)
    if not mpirun.needs_mpirun(plan):
        return several
    log_limit = int(number_setting("PENSTOCK_LOG_LIMIT_MB", environ) * 1024 * 1024)
    argv = mpirun.argv_of(
        plan, command, folders.user_logs, built.python, built.bin_folders, environ.get("PATH", ""), log_limit
    )
    return replace(several, argv=argv, env={**mpirun.VARIABLES, **variables}, processes=processes[:1])
