"""After the process: did it do what its file promised, and what does the job's record say about it?"""

import errno
import logging
import os
import shutil
import stat
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.compute.interface import Finished
from penstock.errors import PenstockError
from penstock.jobs import statuses as st
from penstock.jobs.advice import next_step
from penstock.jobs.places import JobFolders, Locator
from penstock.jobs.plans import StepPlan
from penstock.jobs.process_layout import log_name, log_names
from penstock.store.beneath import folder, remove_tree

_log = logging.getLogger(__name__)

_TAIL_LINES = 12
_TAIL_BYTES = 64 * 1024


@dataclass(frozen=True)
class Outcome:
    """A job's end: its final status, the error that goes with it, what deserves a warning, and new properties."""

    status: str
    error: dict[str, Any] | None = None
    warnings: tuple[str, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)


def outcome_of(
    finished: Finished,
    plan: StepPlan,
    folders: JobFolders,
    locator: Locator,
    *,
    what: str,
    stopped_because: str | None,
) -> Outcome:
    """The status that a finished process earns. `what` names it in messages: "step `train`", "job `x`"."""
    if finished.reason == "canceled":
        because = stopped_because or "the job was canceled"
        return Outcome(st.CANCELED, _error("Canceled", f"{what} was ended: {because}"))
    if finished.reason == "timeout":
        message = f"{what} was ended after its limit of {plan.timeout:g} s (limits.timeout)"
        return Outcome(
            st.CANCELED, _error("Timeout", message, hint="raise limits.timeout, or make the step shorter")
        )
    if finished.reason == "lost":
        detail = finished.detail or "its process vanished without a result, as after a restart of the machine"
        return Outcome(
            st.FAILED, _error("ProcessLost", f"{what} was lost: {detail}", hint="create the job again")
        )
    if finished.exit_code != 0:
        return Outcome(st.FAILED, _failure(finished, plan, folders, what))
    return _promised_outputs(plan, locator, what, finished)


def _failure(finished: Finished, plan: StepPlan, folders: JobFolders, what: str) -> dict[str, Any]:
    failed = finished.failed_process
    if failed is not None:  # one of several: the others have ended well or were stopped
        log, follow = folders.user_logs / log_name(failed.name), f"{folders.job} --verbose"
        how = finished.detail if failed.signal is not None else f"exited with code {failed.exit_code}"
        message = f"{what} failed: its process `{failed.name}` {how or 'was killed'}"
        if len(finished.processes) > 1:
            message += "; the others were stopped"
    else:
        log, follow = folders.user_logs / log_names(plan.as_record())[0][1], folders.job
        if finished.signal is not None:
            # The detail names the signal, and says whether the memory was full.
            message = f"{what} failed: {finished.detail or f'killed by signal {finished.signal}'}"
        else:
            message = f"{what} failed: its command exited with code {finished.exit_code}"
            if finished.detail:
                message += f" ({finished.detail})"
    tail = last_lines(log)
    return _error("UserError", message, details=tail, hint=next_step(tail, follow))


def _promised_outputs(plan: StepPlan, locator: Locator, what: str, finished: Finished) -> Outcome:
    missing, empty = [], []
    for name, output in plan.outputs.items():
        path = locator.output_path(output)
        if output.is_file:
            if path.is_dir():
                missing.append(
                    f"output `{name}` is a uri_file, and no file was written to {path}: a folder is there"
                )
            elif not path.is_file():
                missing.append(f"output `{name}` is a uri_file, and no file was written to {path}")
        elif output.type == "mlflow_model" and not (path / "MLmodel").is_file():
            missing.append(f"output `{name}` is an mlflow_model, and {path} holds no `MLmodel` file")
        elif output.type == "mltable" and not (path / "MLTable").is_file():
            missing.append(f"output `{name}` is an mltable, and {path} holds no file named `MLTable`")
        elif not path.is_dir() or not any(path.iterdir()):
            empty.append(f"{what} wrote nothing to its output `{name}`")
    if missing:
        hint = "write to the path that ${{outputs.<name>}} gives, or change the output's type"
        message = f"{what} ended with exit code 0, but did not write what it promised"
        return Outcome(st.FAILED, _error("OutputMissing", message, details=missing, hint=hint))
    cut = (finished.detail,) if finished.detail else ()
    return Outcome(st.COMPLETED, warnings=(*empty, *cut))


def _error(
    code: str, message: str, *, details: list[str] | None = None, hint: str | None = None
) -> dict[str, Any]:
    return {"code": code, "message": message, "details": details or [], "hint": hint}


def last_lines(log: Path, count: int = _TAIL_LINES) -> list[str]:
    """The last lines of a log, however long it is."""
    try:
        with log.open("rb") as stream:
            stream.seek(0, 2)
            stream.seek(max(0, stream.tell() - _TAIL_BYTES))
            text = stream.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return []
    return list(deque((line for line in text.splitlines() if line.strip()), maxlen=count))


def unkept(what: str, error: PenstockError | OSError) -> Outcome:
    """The end of a step whose outputs or artifacts cannot be kept as its script left them."""
    told = error if isinstance(error, PenstockError) else PenstockError(str(error))
    return Outcome(
        st.FAILED,
        _error(
            "OutputsNotKept",
            f"{what} ended, but what it wrote cannot be kept: {told.message}",
            details=list(told.details),
            hint=told.hint or "free space, or see what the script made of its output folders",
        ),
    )


def keep_artifacts(folders: JobFolders) -> tuple[str, ...]:
    """`./outputs` and `./logs` of the working folder become the run's artifacts; warnings about what does not.

    Can be repeated after a crash. A link is never followed: what it leads to is not the run's.
    """
    warnings = []
    for name in ("outputs", "logs"):
        source, target = folders.work / name, folders.artifacts / name
        if folders.work.is_symlink() or source.is_symlink():
            warnings.append(f"`./{name}` was replaced by a link; what is behind it is not kept as artifacts")
        elif source.is_dir():
            _move_into(source, target)
    return tuple(warnings)


def deliver(plan: StepPlan, folders: JobFolders, locator: Locator) -> None:
    """Outputs of mode `upload` come to their place: beside what is there, over what has the same name.

    Can be repeated after a crash: what was moved is no longer in the step's folder.
    """
    for name, output in plan.outputs.items():
        if output.is_delivered(folders.job):
            place = locator.output_path(output)
            written = folders.uploads / name / place.name
            if written.is_symlink():
                raise PenstockError(f"output `{name}` was replaced by a link")
            if written.exists():
                _refuse_folder_for_file(name, written, place)
                _move_into(written, place)


def _refuse_folder_for_file(name: str, written: Path, place: Path) -> None:
    """A file may take the place of a file. That of a folder, with all in it, only a person may clear."""
    if not written.is_dir() or written.is_symlink():
        if place.is_dir() and not place.is_symlink():
            raise PenstockError(
                f"output `{name}` has a file where a folder is: {place}",
                hint="remove the folder, or choose another path",
            )
    elif place.is_dir():
        for entry in written.iterdir():
            _refuse_folder_for_file(name, entry, place / entry.name)


def _move_into(source: Path, target: Path) -> None:
    """Move, and where the target has something already, merge: what is newer stays."""
    if target.is_dir() and not target.is_symlink() and source.is_dir() and not source.is_symlink():
        for entry in source.iterdir():
            _move_into(entry, target / entry.name)
        return
    remove_tree(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        source.rename(target)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EBUSY):
            raise
        _copy(source, target)  # another file system; the original goes with the working folder


def _copy(source: Path, target: Path) -> None:
    """Files, folders, and links as links. Pipes and sockets mean nothing outside their process."""
    if source.is_symlink():
        target.symlink_to(source.readlink())
    elif source.is_dir():
        target.mkdir(exist_ok=True)
        for entry in source.iterdir():
            _copy(entry, target / entry.name)
    elif source.is_file():
        shutil.copyfile(source, target)


def write_protect(job: str, plan: StepPlan, locator: Locator) -> None:
    """Outputs are written once: later steps read them, none changes them."""
    for output in plan.outputs.values():
        if output.belongs_to(job):
            path = locator.output_path(output)
            if path.is_file():
                with folder(path.parent) as outer:
                    _protect(path.name, outer)
            for _, _, names, outer in os.fwalk(path, follow_symlinks=False):
                for name in names:
                    _protect(name, outer)


def _protect(name: str, outer: int) -> None:
    """Only a plain file that has no other name: a second one may be another's file, which we must not touch."""
    found = os.lstat(name, dir_fd=outer)
    if stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
        os.chmod(name, stat.S_IMODE(found.st_mode) & ~0o222, dir_fd=outer)


def clear_run(folders: JobFolders) -> None:
    """What only the run needed goes; logs, artifacts and outputs stay. What cannot go is left to `penstock gc`."""
    for each in (folders.work, folders.copies, folders.uploads, folders.overlay, folders.links):
        try:
            remove_tree(each)
        except OSError as error:
            _log.warning("%s cannot be removed: %s", each, error)
