"""`penstock demo`: the main job end to end, on data that is already here, with files that stay to be looked at."""

import json
import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.cli.grammar import Argument, Command, Example
from penstock.cli.invocation import Invocation, Outcome
from penstock.errors import AlreadyExists, PenstockError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from penstock.resources.reading import Document

_FOLDER = "penstock-demo"

# What a person reads beside each metric of the demo's evaluate.py.
_METRICS = {
    "roc_auc": ("ROC AUC", "1 would be perfect, 0.5 is guessing"),
    "recall": ("recall", "of the malignant tumours are found"),
    "accuracy": ("accuracy", "of all cases are told right"),
}


def run(invocation: Invocation) -> object:
    from penstock.cli.documents import show_warnings
    from penstock.cli.following import follow
    from penstock.resources.reading import read_document

    folder = Path(invocation.arguments.folder or _FOLDER)
    lay_out(folder)
    document = read_document(folder / "pipeline.yml", "job")
    for warning in document.warnings:
        invocation.warn(warning)
    _create_missing(invocation, document)

    jobs = invocation.client.jobs
    made = jobs.create(document, default_experiment=_FOLDER)
    show_warnings(invocation, made.warnings)
    name = str(made.record["name"])
    follow(invocation, name, to_stdout=False, record=made.record)

    record = {"job": name, "folder": str(folder), **_results(invocation, name)}
    return Outcome(record, text=_text(record, folder))


def lay_out(folder: Path) -> None:
    """Write the demo's project into the folder. What is there already and differs is left alone, and is an error."""
    from importlib.resources import files

    project = files("penstock.demo") / "project"
    contents = {path: source.read_bytes() for path, source in _files_of(project, Path())}
    differing = [folder / path for path, content in contents.items() if _differs(folder / path, content)]
    if differing:
        raise AlreadyExists(
            f"{folder} holds files that are not as the demo has them; they are left alone",
            details=[f"differs: {path}" for path in differing],
            hint=f"run yours: penstock job create -f {folder / 'pipeline.yml'} --stream;"
            " or start afresh: penstock demo --folder another",
        )
    try:
        for path, content in contents.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
    except OSError as error:
        raise PenstockError(
            f"cannot write the demo's project into {folder}: {error.strerror}",
            hint="name another folder: penstock demo --folder FOLDER",
        ) from error


def _differs(place: Path, content: bytes) -> bool:
    return place.exists() and not (place.is_file() and place.read_bytes() == content)


def _files_of(folder: "Traversable", place: Path) -> "list[tuple[Path, Traversable]]":
    found = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name != "__pycache__":
            found += _files_of(entry, place / entry.name)
        elif entry.is_file() and not entry.name.endswith(".pyc"):
            found.append((place / entry.name, entry))
    return found


def _create_missing(invocation: Invocation, document: "Document") -> None:
    """As `penstock check --create-missing` does; what cannot be created, the job's own errors will name."""
    for entry in invocation.client.server.check(document)["missing"]:
        if entry.get("create"):
            invocation.say(f"creating {entry['what']} `{entry['name']}`, which pipeline.yml names")
            invocation.client.server.create_missing(entry["create"])


def _results(
    invocation: Invocation, job: str
) -> dict[str, Any]:  # Any: what the demo's scripts wrote as JSON
    """What evaluate.py and register.py left in the pipeline's outputs."""
    jobs = invocation.client.jobs
    with tempfile.TemporaryDirectory(prefix="penstock-demo-") as place:
        (evaluation,) = jobs.download(job, Path(place), output_name="evaluation")
        (registration,) = jobs.download(job, Path(place), output_name="registration")
        verdict = json.loads(evaluation.read_text(encoding="utf-8"))
        registered = json.loads(registration.read_text(encoding="utf-8"))
    return {
        "cases": verdict["cases"],
        "metrics": verdict["metrics"],
        "promoted": verdict["promote"],
        "reason": verdict["reason"],
        "model": registered["name"],
        "version": registered["version"],
    }


def _text(record: dict[str, Any], folder: Path) -> str:  # Any: as above
    pipeline = folder / "pipeline.yml"
    lines = [
        "",
        f"A model that tells malignant tumours from benign ones, judged on {record['cases']} cases that it had not seen:",
        "",
    ]
    for key, value in record["metrics"].items():
        label, meaning = _METRICS.get(key, (key, ""))
        lines.append(f"  {label:<9} {value:.4f}  {meaning}".rstrip())
    outcome = f"Registered as {record['model']}:{record['version']}, the champion now"
    if not record["promoted"]:
        outcome = "Not registered: the champion is better"
    lines += [
        "",
        f"{outcome} ({record['reason']}).",
        f"The files that ran are in {folder}: a plain Azure ML v2 project, yours to change.",
        "",
        *way_to_the_command(),
        "See the runs, metrics and the model in MLflow:",
        f"  penstock job show -n {record['job']} --web",
        "",
        "Try next:",
        f"  penstock job create -f {pipeline} --set inputs.regularization=30 --stream",
        f"  penstock job download -n {record['job']} --all --download-path results",
        f"  penstock model show -n {record['model']} --label latest -o yaml",
        "",
    ]
    return "\n".join(lines)


def way_to_the_command() -> list[str]:
    """The line that makes `penstock` a command of this shell, where it is none: after `make demo` it lies in .venv."""
    program = Path(sys.argv[0])
    if shutil.which("penstock") is not None or program.name != "penstock" or not program.is_file():
        return []
    return [
        "First make `penstock` a command of this shell:",
        f'  export PATH={shlex.quote(str(program.parent.absolute()))}:"$PATH"',
        "",
    ]


COMMANDS = (
    Command(
        name="demo",
        summary="Train, evaluate and register a model end to end, on data that is already here.",
        description=(
            "Writes a small Azure ML v2 project into a folder, creates the compute that it names, and runs its pipeline:"
            " prepare, train, evaluate against the champion, register. Nothing leaves this machine."
        ),
        arguments=(
            Argument(("--folder", "-f"), "Where the project is written.", default=_FOLDER, metavar="FOLDER"),
        ),
        examples=(
            Example("run it", "penstock demo"),
            Example("keep only the facts, for a script", "penstock demo -o json"),
        ),
        run=run,
    ),
)
