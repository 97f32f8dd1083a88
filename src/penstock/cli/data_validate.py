"""`penstock data validate`: whether data is what its expectations say."""

import os
from pathlib import Path
from typing import Any

from penstock.cli import flags
from penstock.cli.data_profile import READING, reading_of
from penstock.cli.grammar import Argument, Command, Example, whole_number
from penstock.cli.invocation import Invocation, Outcome
from penstock.errors import InvalidDocument, PenstockError, UsageError

_LATEST = "The label `latest` is the version that was created last."


class ExpectationsNotUnderstood(InvalidDocument):
    """A file of expectations that says something that it may not say: another exit code than data that does not meet it."""

    exit_code = 2


def run(invocation: Invocation) -> object:
    from penstock.cli.validation_report import report_file, text_of

    arguments = invocation.arguments
    _refuse_contradictions(invocation)
    record = _validated(invocation)
    if arguments.report:
        _write(
            Path(arguments.report), report_file(record, arguments.report.lower().endswith((".html", ".htm")))
        )
        invocation.say(f"wrote {arguments.report}")
    code = 0 if record["passed"] else 1
    if arguments.output == "table":
        rows = [
            _row(result) for result in record["results"] if arguments.verbose or result["status"] != "passed"
        ]
        return Outcome(rows, exit_code=code)
    return Outcome(record, text=text_of(record, every=bool(arguments.verbose)), exit_code=code)


def _validated(invocation: Invocation) -> dict[str, Any]:  # Any: a JSON record
    from penstock.cli.asset_commands import place_of
    from penstock.cli.documents import named
    from penstock.cli.progress_rows import Counter
    from penstock.errors import NotFound

    arguments = invocation.arguments
    place = place_of(invocation)
    try:
        with Counter(invocation) as counter:
            found: dict[str, Any] = place.data.validate(
                arguments.name,
                version=arguments.version,
                label=arguments.label,
                expectations=_document(invocation),
                path=arguments.path,
                type=arguments.type,
                examples=0 if arguments.no_examples else arguments.examples,
                keep=arguments.keep,
                progress=counter.told,
                **reading_of(invocation),
            )
    except InvalidDocument as error:
        message = error.message.replace("in the document", "in the expectations")
        raise ExpectationsNotUnderstood(
            error.problems, message, details=error.details, hint=error.hint
        ) from error
    except NotFound as error:
        if arguments.name is None:
            raise
        raise named(error, "data", arguments.name, (row["name"] for row in place.data.list())) from error
    return found


def _document(invocation: Invocation) -> Any:  # Any: a Document or None
    from penstock.resources.reading import read_document

    arguments = invocation.arguments
    file = arguments.expectations or arguments.file
    if file is None:
        return None
    document = read_document(Path(file), "expectations", overrides=arguments.set or ())
    for warning in document.warnings:
        invocation.warn(warning)
    return document


def _refuse_contradictions(invocation: Invocation) -> None:
    arguments = invocation.arguments
    file = arguments.expectations or arguments.file
    if arguments.expectations and arguments.file:
        raise UsageError("--expectations and --file are two words for one thing", hint="give one of them")
    if arguments.version and arguments.label:
        raise UsageError("cannot provide both --version and --label", hint="give one of them")
    if arguments.path and (arguments.name or arguments.version or arguments.label):
        raise UsageError("--path is for files that are not registered", hint="give either --name or --path")
    if not file and (arguments.path or arguments.keep or arguments.set):
        flag = "--path" if arguments.path else "--keep" if arguments.keep else "--set"
        raise UsageError(f"{flag} needs a file of expectations", hint="give one with --expectations <file>")
    if not file and not arguments.name:
        raise UsageError(
            "the following arguments are required: --name/-n",
            hint="or a file with `data: azureml:<name>@latest`, with --file",
        )
    if arguments.path and arguments.keep:
        raise UsageError("--keep keeps expectations with a version, and --path names none")


def _row(result: dict[str, Any]) -> dict[str, Any]:
    return {
        "status": result["status"],
        "expectation": result["name"],
        "expected": result["expected"],
        "observed": result["observed"] or result["detail"],
        "failing": result["failing"],
    }


def _write(path: Path, text: str) -> None:
    """The whole file or none of it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise PenstockError(f"cannot write {path}: {error.strerror or error}") from error


VALIDATE = Command(
    name="validate",
    summary="Check data against its expectations.",
    description=(
        "Looks at every row once, and tells what is not as expected, with how often, and a few rows of it. Without a file the"
        " expectations that are kept with the asset count. Exit code 1 where an expectation of severity `error` fails, 0 with"
        " warnings only, 2 where the expectations cannot be understood. The result is kept with the version."
    ),
    arguments=(
        Argument(("--name", "-n"), "Name of the data; else the expectations say which (`data:`)."),
        Argument(("--version", "-v"), "Version; the latest when left out."),
        Argument(("--label", "-l"), _LATEST),
        Argument(
            ("--expectations",),
            "File of expectations; those kept with the asset when left out.",
            metavar="FILE",
        ),
        Argument(("--file", "-f"), "The same as --expectations.", metavar="FILE"),
        Argument(("--path", "-p"), "File or folder on this machine that is not registered."),
        Argument(("--type", "-t"), "What --path is.", choices=("uri_file", "uri_folder", "mltable")),
        Argument(
            ("--keep",),
            "Keep the expectations with the version: later ones of the asset find them.",
            takes="nothing",
        ),
        Argument(
            ("--examples",),
            "Rows that are shown of each that fails.",
            convert=whole_number,
            default="5",
            metavar="NUMBER",
        ),
        Argument(
            ("--no-examples",), "Show no rows: where values must not leave the machine.", takes="nothing"
        ),
        Argument(("--report",), "Write the report to a file, .md or .html.", metavar="FILE"),
        flags.SET,
        *READING,
        flags.REGISTRY_NAME,
    ),
    examples=(
        Example("the latest version, as its own expectations say", "penstock data validate -n taxi"),
        Example(
            "with a file, kept for later", "penstock data validate -n taxi -f taxi.expectations.yml --keep"
        ),
        Example(
            "files that are not registered",
            "penstock data validate --path new-rides.csv --expectations taxi.expectations.yml",
        ),
        Example(
            "what fails, for a script",
            "penstock data validate -n taxi --query \"results[?status=='failed'].name\" -o tsv",
        ),
    ),
    run=run,
)
